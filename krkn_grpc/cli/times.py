"""Writes ages and durations as short words: `5s`, `1m02s`, `3h`."""

import re
from datetime import datetime

import typer

from krkn_grpc.cli import sources

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))


def age(moment: str, now: datetime) -> str:
    """Return how long ago an RFC 3339 time was, in its largest unit: `5s`, `3m`, `2h`, `9d`."""
    if not moment:
        return ""
    seconds = _seconds_between(moment, now)
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def duration(start: str, end: str, now: datetime) -> str:
    """Return the time from `start` to `end`, to `now` without an end; "" without a start."""
    if not start:
        return ""
    until = datetime.fromisoformat(end) if end else now
    return span(_seconds_between(start, until))


def span(seconds: float) -> str:
    """Return seconds in their two largest units: `5s`, `1m02s`, `2h05m`, `9d04h`."""
    whole = max(0, int(seconds))
    smaller = [*_UNITS[1:], (1, "s")]
    for (size, unit), (part, part_unit) in zip(_UNITS, smaller, strict=True):
        if whole >= size:
            return f"{whole // size}{unit}{whole % size // part:02}{part_unit}"
    return f"{whole}s"


def seconds(text: str) -> int:
    """Return the seconds of a duration: `90`, `90s`, `10m`, `1h30m`, `7d`; raises ValueError."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not text.strip():
        raise ValueError(f"{text!r} is not a duration: 90, 90s, 10m, 1h30m, 7d")
    sizes = (86_400, 3_600, 60, 1)
    return sum(int(part or 0) * size for part, size in zip(found.groups(), sizes, strict=True))


def option(text: str | int) -> int:
    """Return the seconds that an option of the command says."""
    try:
        found = seconds(str(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if found > sources.LARGEST:
        raise typer.BadParameter(f"{text} is too long: at most {sources.LARGEST} seconds")
    return found


def _seconds_between(start: str, end: datetime) -> int:
    # Never negative: the clock of this machine may be behind.
    return max(0, int((end - datetime.fromisoformat(start)).total_seconds()))
