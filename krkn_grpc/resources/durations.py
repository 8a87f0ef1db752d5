"""Durations as kubectl writes ages. Pure."""

_MINUTE, _HOUR = 60, 3_600


def short(seconds: int) -> str:
    """Return a duration in few characters: `119s`, `9m59s`, `179m`, `7h59m`, `25h`."""
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    minutes, hours = seconds // _MINUTE, seconds // _HOUR
    if minutes < 10:
        return _both(minutes, "m", seconds % _MINUTE, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _both(hours, "h", minutes % 60, "m")
    return f"{hours}h"


def _both(whole: int, unit: str, rest: int, part: str) -> str:
    return f"{whole}{unit}{rest}{part}" if rest else f"{whole}{unit}"
