"""What ten times as much costs: made of figures that were measured at several sizes."""

from collections.abc import Iterable

from tests.bench.row import Goal, Row

GROUP = "growth"
_TIMES = 10
# Where there is a bare loop the API server's own growth is in both.
_LIKE_THE_BARE_LOOP = Goal(0.9, "at least")
_LINEAR = Goal(_TIMES, "at most")


def of(rows: Iterable[Row]) -> list[Row]:
    """Return how many times as much each figure is where there is ten times as much to do."""
    known = {(row.group, row.series, row.count): row for row in rows if row.series and row.count}
    return [
        _row(smaller, larger)
        for (group, series, count), smaller in known.items()
        if (larger := known.get((group, series, _TIMES * count))) is not None
    ]


def _row(smaller: Row, larger: Row) -> Row:
    value = _growth(smaller.value, larger.value, larger.unit)
    bare = None
    if smaller.bare is not None and larger.bare is not None:
        bare = _growth(smaller.bare, larger.bare, larger.unit)
    return Row(
        group=GROUP,
        name=f"{smaller.group}, {smaller.series}: {smaller.count:,} to {larger.count:,}",
        value=value,
        unit="times",
        bare=bare,
        ratio=None if bare is None else bare / value,
        goal=_LINEAR if bare is None else _LIKE_THE_BARE_LOOP,
    )


def _growth(smaller: float, larger: float, unit: str) -> float:
    """Of a rate, what one costs: half as many a second is twice as much."""
    return smaller / larger if unit == "/s" else larger / smaller
