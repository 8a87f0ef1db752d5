"""When blackouts begin and end: a cron schedule in a time zone, and how long each one lasts. Pure.

The schedule is read by the wall clock of the zone. A wall-clock time that comes twice, because
clocks were set back, begins a blackout both times. One that is skipped, because clocks were set
forward, begins it at the moment of the change. So a change of clocks never leaves a blackout out,
and one that follows on another has no gap. How long it lasts is counted in seconds that pass.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim

LONGEST_SCHEDULE = 256
SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=7)

# Five fields; a sixth would be seconds, and move the meaning of the others.
_FIELDS = 5
# A schedule that has no time in the 50 years from here on is a mistake.
_SOME_DAY = datetime(2000, 1, 1)
# Blackouts that follow on each other are followed so far; some never end.
_MOST_IN_A_ROW = 100
# How far a wall clock may be set back; the date line was moved by a day.
_SET_BACK = timedelta(hours=25)
_SECOND = timedelta(seconds=1)

Fold = Literal[0, 1]


class BadSchedule(ValueError):
    """A part of the schedule cannot be read. `field` is its name in the spec."""

    def __init__(self, field: str, message: str) -> None:
        """Keep the name of the field, and a sentence for people."""
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Span:
    """A time from `begin` on, before `end`, in which all is blackout, or nothing is.

    It may go on before `begin`, and after `end`, so one looks again then; `end` is None: for ever.
    `is_last` says that the blackout has surely ended at `end`.
    """

    is_blackout: bool
    begin: datetime
    end: datetime | None
    is_last: bool = True

    def has(self, moment: datetime) -> bool:
        """Whether the moment is in it."""
        return self.begin <= moment and (self.end is None or moment < self.end)


@dataclass(frozen=True)
class BlackoutSchedule:
    """Blackouts of one length that begin by a cron schedule."""

    schedule: str
    duration: timedelta
    zone: ZoneInfo

    def span_at(self, now: datetime) -> Span:
        """Return the span that `now` (aware) is in."""
        last, following = self._last_begin(now), self._next_begin(now)
        if last is None or last + self.duration <= now:
            begin = now if last is None else last + self.duration
            return Span(False, begin, following)
        end = last + self.duration
        for _ in range(_MOST_IN_A_ROW):
            if following is None or following > end:
                return Span(True, last, end)
            end = following + self.duration
            following = self._next_begin(following)
        return Span(True, last, end, is_last=False)

    def _last_begin(self, now: datetime) -> datetime | None:
        """Return when the last blackout began until `now`, `now` included."""
        wall = _wall(now, self.zone)
        # Where clocks were set back since, it may have begun at a later wall-clock time.
        wall += max(_wall(now - _SET_BACK, self.zone) + _SET_BACK - wall, timedelta())
        return _best(max, lambda fold: self._first(wall, now, fold, is_back=True))

    def _next_begin(self, now: datetime) -> datetime | None:
        """Return when the next blackout begins after `now`."""
        wall = _wall(now, self.zone)
        # Where clocks are to be set back, it may begin at an earlier wall-clock time.
        wall -= max(wall - _wall(now + _SET_BACK, self.zone) + _SET_BACK, timedelta())
        return _best(min, lambda fold: self._first(wall, now, fold, is_back=False))

    def _first(
        self, wall: datetime, now: datetime, fold: Fold, *, is_back: bool
    ) -> datetime | None:
        """Return the first begin from `wall` on that is on the right side of `now`."""
        for each in self._walls(wall, is_back=is_back):
            begin = _moment(each, self.zone, fold)
            if (begin <= now) if is_back else (begin > now):
                return begin
        return None

    def _walls(self, wall: datetime, *, is_back: bool) -> Iterator[datetime]:
        """Yield the schedule's wall-clock times from `wall` on, forward or back."""
        # The library leaves the time out at which it begins.
        before = wall + _SECOND if is_back else wall - _SECOND
        try:
            yield from CronSim(self.schedule, before.replace(microsecond=0), reverse=is_back)
        except (OverflowError, ValueError):
            # The calendar has no such year.
            return


def parse(schedule: str, seconds: int, zone: str) -> BlackoutSchedule:
    """Return the blackouts of a spec; `zone` is an IANA name. Raises BadSchedule."""
    if not SHORTEST <= timedelta(seconds=seconds) <= LONGEST:
        raise BadSchedule("durationSeconds", "it is not from 60 to 604800")
    return BlackoutSchedule(_cron(schedule), timedelta(seconds=seconds), _zone(zone))


def _cron(text: str) -> str:
    if len(text) > LONGEST_SCHEDULE or not text.isascii():
        raise BadSchedule("schedule", "it is too long, or has other characters than cron has")
    if len(text.split()) != _FIELDS:
        raise BadSchedule("schedule", "it does not have the five fields of cron")
    try:
        found = list(islice(CronSim(text, _SOME_DAY), 1))
    # The library refuses some texts by an assertion or a failed conversion.
    except Exception as error:
        raise BadSchedule("schedule", "it is not a cron schedule") from error
    if not found:
        raise BadSchedule("schedule", "its time never comes")
    return text


def _zone(name: str) -> ZoneInfo:
    # A machine may have other files where its zones are, such as its own `localtime`.
    if name not in _zones():
        raise BadSchedule("timeZone", "it is not an IANA time zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadSchedule("timeZone", "it cannot be read here") from error


@cache
def _zones() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text().split())


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clock on the wall shows; it has no zone."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _moment(wall: datetime, zone: ZoneInfo, fold: Fold) -> datetime:
    """Return when the clock shows this: of two times the first or second, as `fold` says.

    For a time that is skipped it is the moment of the change.
    """
    found = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if _wall(found, zone) == wall:
        return found
    # Read by the offset after the change it is before the change, and the other way round.
    before, after = sorted(wall.replace(tzinfo=zone, fold=each).astimezone(UTC) for each in (0, 1))
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _best(
    choose: Callable[[list[datetime]], datetime], of: Callable[[Fold], datetime | None]
) -> datetime | None:
    found = [each for each in (of(0), of(1)) if each is not None]
    return choose(found) if found else None
