"""Ages and durations, as tables show them."""

from datetime import UTC, datetime, timedelta

import pytest

from krkn_grpc.cli import times

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0s"),
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3_599, "59m"),
        (7_200, "2h"),
        (864_000, "10d"),
    ],
)
def test_an_age_is_short(seconds: int, shown: str) -> None:
    moment = (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    assert times.age(moment, NOW) == shown


def test_what_has_no_time_has_no_age() -> None:
    assert times.age("", NOW) == ""


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0s"),
        (59.9, "59s"),
        (62, "1m02s"),
        (3_600, "1h00m"),
        (7_500, "2h05m"),
        (90_000, "1d01h"),
    ],
)
def test_a_span_has_two_units(seconds: float, shown: str) -> None:
    assert times.span(seconds) == shown


def test_a_duration_goes_on_until_its_end() -> None:
    start, end = "2026-01-02T03:03:05Z", "2026-01-02T03:03:15Z"
    assert times.duration(start, end, NOW) == "10s"
    assert times.duration(start, "", NOW) == "1m00s"
    assert times.duration("", "", NOW) == ""
