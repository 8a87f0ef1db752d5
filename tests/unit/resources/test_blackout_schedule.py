"""When blackouts begin and end, above all where clocks are changed."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krkn_grpc.resources.blackout_schedule import BadSchedule, BlackoutSchedule, Span, parse

MINUTE, HOUR, DAY = 60, 3600, 86_400
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def begins(times: BlackoutSchedule, since: str, until: str) -> list[str]:
    """When blackouts begin in a time, by looking from each change to the next."""
    found = []
    now, last = at(since), at(until)
    while now < last:
        span = times.span_at(now)
        if span.is_blackout:
            found.append(f"{span.begin:%d %H:%M}-{span.end:%H:%M}")
        assert span.end is not None
        assert span.end > now
        now = span.end
    return found


@pytest.mark.parametrize(
    ("schedule", "seconds", "now", "is_blackout", "end"),
    [
        ("0 8 * * *", HOUR, "2026-01-05T07:59:59", False, "2026-01-05T08:00"),
        ("0 8 * * *", HOUR, "2026-01-05T08:00:00", True, "2026-01-05T09:00"),
        ("0 8 * * *", HOUR, "2026-01-05T08:59:59.999999", True, "2026-01-05T09:00"),
        ("0 8 * * *", HOUR, "2026-01-05T09:00:00", False, "2026-01-06T08:00"),
        ("0 22 * * *", 4 * HOUR, "2026-01-05T01:59:59", True, "2026-01-05T02:00"),
        ("0 8 * * MON-FRI", HOUR, "2026-01-09T09:00", False, "2026-01-12T08:00"),
        ("0 0 * * 6", 2 * DAY, "2026-01-11T23:59", True, "2026-01-12T00:00"),
        ("0 0 29 2 *", DAY, "2026-03-01T00:00", False, "2028-02-29T00:00"),
        # Those that overlap or touch are one.
        ("0,30 8 * * *", HOUR, "2026-01-05T08:10", True, "2026-01-05T09:30"),
        ("0 8,9 * * *", HOUR, "2026-01-05T08:10", True, "2026-01-05T10:00"),
        ("0 8,10 * * *", HOUR, "2026-01-05T08:10", True, "2026-01-05T09:00"),
        ("0 8 5,6,7 1 *", 2 * DAY, "2026-01-05T08:10", True, "2026-01-09T08:00"),
    ],
)
def test_the_span_that_a_moment_is_in(
    schedule: str, seconds: int, now: str, is_blackout: bool, end: str
) -> None:
    span = parse(schedule, seconds, "UTC").span_at(at(now))
    assert (span.is_blackout, span.end, span.is_last) == (is_blackout, at(end), True)
    assert span.has(at(now))


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [("* * * * *", MINUTE), ("0 * * * *", HOUR), ("0 0 * * *", 7 * DAY), ("*/5 * * * *", HOUR)],
)
@pytest.mark.parametrize("zone", ["UTC", BERLIN, NEW_YORK, "Australia/Lord_Howe"])
def test_one_without_end_has_no_gap_where_clocks_are_changed(
    schedule: str, seconds: int, zone: str
) -> None:
    times = parse(schedule, seconds, zone)
    for now in ("2026-03-08T03:00", "2026-03-29T00:00", "2026-10-25T00:00", "2026-11-01T05:00"):
        for minutes in range(0, 200, 7):
            span = times.span_at(at(now) + timedelta(minutes=minutes))
            assert span.is_blackout
            assert not span.is_last, "no end is known"
            assert span.end is not None


SPRING, AUTUMN = "2026-03-28T12:00", "2026-10-24T12:00"


@pytest.mark.parametrize(
    ("zone", "schedule", "seconds", "since", "expected"),
    [
        # Berlin: 29 March, 02:00 becomes 03:00 at 01:00 UTC.
        pytest.param(BERLIN, "30 1 * * *", HOUR, SPRING, ["29 00:30-01:30"], id="before"),
        pytest.param(BERLIN, "30 2 * * *", HOUR, SPRING, ["29 01:00-02:00"], id="skipped"),
        pytest.param(BERLIN, "0 3 * * *", HOUR, SPRING, ["29 01:00-02:00"], id="after"),
        pytest.param(
            BERLIN, "0,30 2,3 * * *", 60, SPRING, ["29 01:00-01:01", "29 01:30-01:31"], id="both"
        ),
        pytest.param(BERLIN, "*/20 2 * * *", 60, SPRING, ["29 01:00-01:01"], id="all skipped"),
        pytest.param(BERLIN, "0 0 * * *", 6 * HOUR, SPRING, ["28 23:00-05:00"], id="across it"),
        # 25 October, 03:00 becomes 02:00 at 01:00 UTC.
        pytest.param(BERLIN, "30 1 * * *", 60, AUTUMN, ["24 23:30-23:31"], id="before, autumn"),
        pytest.param(
            BERLIN, "30 2 * * *", 60, AUTUMN, ["25 00:30-00:31", "25 01:30-01:31"], id="twice"
        ),
        pytest.param(BERLIN, "30 2 * * *", HOUR, AUTUMN, ["25 00:30-02:30"], id="twice, as one"),
        pytest.param(BERLIN, "0 3 * * *", HOUR, AUTUMN, ["25 02:00-03:00"], id="after, autumn"),
        pytest.param(BERLIN, "0 0 * * *", 6 * HOUR, AUTUMN, ["24 22:00-04:00"], id="across"),
        # New York: 8 March, 02:00 becomes 03:00 at 07:00 UTC; 1 November back at 06:00 UTC.
        pytest.param(
            NEW_YORK, "30 2 * * *", HOUR, "2026-03-07T12:00", ["08 07:00-08:00"], id="New York"
        ),
        pytest.param(
            NEW_YORK,
            "30 1 * * *",
            60,
            "2026-10-31T12:00",
            ["01 05:30-05:31", "01 06:30-06:31"],
            id="New York, autumn",
        ),
    ],
)
def test_at_a_change_of_clocks(
    zone: str, schedule: str, seconds: int, since: str, expected: list[str]
) -> None:
    until = (at(since) + timedelta(hours=20)).replace(tzinfo=None).isoformat()
    assert begins(parse(schedule, seconds, zone), since, until) == expected


def test_the_date_line_is_moved() -> None:
    """Samoa had no 30 December 2011: what was to begin then begins when the 31st does."""
    times = parse("0 8 30 12 *", HOUR, "Pacific/Apia")
    assert times.span_at(at("2011-12-30T10:30")) == Span(
        True, at("2011-12-30T10:00"), at("2011-12-30T11:00")
    )


CHANGES = [
    (BERLIN, at("2026-03-29T01:00")),
    (BERLIN, at("2026-10-25T01:00")),
    (NEW_YORK, at("2026-03-08T07:00")),
    (NEW_YORK, at("2026-11-01T06:00")),
    ("Australia/Lord_Howe", at("2026-04-04T15:00")),
    ("Australia/Lord_Howe", at("2026-10-03T15:30")),
    ("America/Santiago", at("2026-04-05T03:00")),
    ("UTC", at("2026-06-01T00:00")),
]


def walked(change: datetime, zone: str, minutes: set[int], hours: set[int]) -> Iterator[datetime]:
    """Each begin near a change, found by walking through the minutes that pass."""
    local = ZoneInfo(zone)
    now = change - timedelta(hours=8)
    before = now.astimezone(local).replace(tzinfo=None) - timedelta(minutes=1)
    while now < change + timedelta(hours=8):
        wall = now.astimezone(local).replace(tzinfo=None)
        # Those that were skipped since the minute before, and this one.
        shown = [wall]
        while shown[0] - before > timedelta(minutes=1):
            shown.insert(0, shown[0] - timedelta(minutes=1))
        if any(each.minute in minutes and each.hour in hours for each in shown):
            yield now
        before, now = wall, now + timedelta(minutes=1)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(CHANGES),
    st.sets(st.integers(0, 59), min_size=1, max_size=4),
    st.sets(st.integers(0, 5), min_size=1, max_size=3),
    st.integers(1, 200),
    st.integers(-240, 240),
)
def test_as_one_who_watches_the_clock_on_the_wall(
    change: tuple[str, datetime], minutes: set[int], hours: set[int], length: int, offset: int
) -> None:
    zone, moment = change
    schedule = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *"
    span = parse(schedule, length * MINUTE, zone).span_at(moment + timedelta(minutes=offset))
    now, lasts = moment + timedelta(minutes=offset), timedelta(minutes=length)
    found = list(walked(moment, zone, minutes, hours))
    assert span.is_blackout == any(each <= now < each + lasts for each in found)
    assert span.has(now)
    assert span.end is not None
    edge = min(span.end, moment + timedelta(hours=8)) - timedelta(minutes=1)
    after = [each for each in found if now < each <= edge]
    if not span.is_blackout:
        assert not after, "nothing begins before the span's end"
    else:
        covered = [each for each in found if each <= edge < each + lasts]
        assert covered, "it lasts to the span's end"


@pytest.mark.parametrize(
    "schedule",
    [
        *("", " ", "* * * *", "* * * * * *", "@daily", "0 8 * * FOO", "60 8 * * *", "0 24 * * *"),
        *("0 0 30 2 *", "0 0 31 4 *", "* * */20 * 1L", "1-", "/ / / / /", "* * * * 1L/2"),
        *("é * * * *", "٣ * * * *", "5-1 * * * *", "*/0 * * * *", "* * * * *" + " " * 250),
        *(",,,,, * * * *", "* * * * ²L", "TZ=UTC 0 8 * * *", "\0 * * * *"),
    ],
)
def test_no_schedule(schedule: str) -> None:
    with pytest.raises(BadSchedule) as refused:
        parse(schedule, HOUR, "UTC")
    assert refused.value.field == "schedule"


@pytest.mark.parametrize(
    "zone",
    [
        *("", " ", "CET-1", "europe/berlin", "Europe", "Europe/", "../UTC", "/etc/localtime"),
        *("localtime", "UTC\0", "tzdata.zi", ".", "Europe/Berlin ", "+02:00", "ü", "a" * 64),
    ],
)
def test_no_zone(zone: str) -> None:
    with pytest.raises(BadSchedule) as refused:
        parse("0 8 * * *", HOUR, zone)
    assert refused.value.field == "timeZone"


@pytest.mark.parametrize("seconds", [-1, 0, 59, 604_801])
def test_no_duration(seconds: int) -> None:
    with pytest.raises(BadSchedule) as refused:
        parse("0 8 * * *", seconds, "UTC")
    assert refused.value.field == "durationSeconds"


@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", BERLIN, "America/Argentina/Buenos_Aires"])
@pytest.mark.parametrize("schedule", ["0 8 * * mon-fri", "*/15 8-17 1,15 JAN *", "0 0 L * 5#2"])
def test_what_can_be_read(schedule: str, zone: str) -> None:
    assert parse(schedule, HOUR, zone).span_at(at("2026-01-01T00:00")).end is not None


FIELD = st.text("0123456789*/,-L#WMON", min_size=1, max_size=8)
LIKE_CRON = st.lists(FIELD, min_size=5, max_size=5).map(" ".join)


@given(st.text(max_size=60) | LIKE_CRON, st.integers(0, 700_000), st.text(max_size=20))
@settings(max_examples=500, deadline=None)
def test_whatever_is_written_is_read_or_refused(schedule: str, seconds: int, zone: str) -> None:
    for each in ("UTC", zone):
        with contextlib.suppress(BadSchedule):
            parse(schedule, seconds, each).span_at(at("2026-01-01T00:00"))
