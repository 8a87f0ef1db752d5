"""Which objects belong together, oldest first: a list is read from here, not picked out of all."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from datetime import datetime

from krkn_grpc.resources.meta import Resource

Position = tuple[float, str]

ALL = ""


def everything(item: Resource) -> Iterable[str]:
    """Put every object into one group, ALL."""
    del item
    return (ALL,)


def position_of(item: Resource) -> Position:
    """Return what objects are sorted by: when they were created, and within a second the name."""
    created = item.metadata.creation_timestamp
    return (
        created.timestamp() if isinstance(created, datetime) else 0.0,
        item.metadata.name,
    )


class Groups:
    """The positions of objects by group. A group without any takes no room."""

    def __init__(self) -> None:
        """Start with none."""
        self._positions: dict[str, list[Position]] = {}

    def add(self, group: str, position: Position) -> None:
        """Put an object into a group; nearly always it is the newest."""
        insort(self._positions.setdefault(group, []), position)

    def remove(self, group: str, position: Position) -> None:
        """Take an object out of a group that it was put into."""
        positions = self._positions[group]
        del positions[bisect_left(positions, position)]
        if not positions:
            del self._positions[group]

    def count(self, group: str) -> int:
        """Return how many there are in a group."""
        return len(self._positions.get(group, ()))

    def newest(self, group: str, before: Position | None) -> Iterator[str]:
        """Yield the names in a group, newest first, from `before` on; not while it changes."""
        positions = self._positions.get(group, [])
        end = len(positions) if before is None else bisect_left(positions, before)
        for index in range(end - 1, -1, -1):
            yield positions[index][1]
