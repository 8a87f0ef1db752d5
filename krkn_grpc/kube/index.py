"""Index of objects by group, oldest first, so that listing a group does not scan all objects."""

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
    """Return an object's sort key: its creation time and, within one second, its name."""
    created = item.metadata.creation_timestamp
    return (
        created.timestamp() if isinstance(created, datetime) else 0.0,
        item.metadata.name,
    )


class SortedIndex:
    """The positions of objects by group. An empty group takes no memory."""

    def __init__(self) -> None:
        """Start empty."""
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

    def groups(self) -> Iterable[str]:
        """Return the groups that have an object."""
        return self._positions.keys()

    def count(self, group: str) -> int:
        """Return the number of objects in a group."""
        return len(self._positions.get(group, ()))

    def oldest(self, group: str) -> Iterator[str]:
        """Yield the names in a group, oldest first; it must not change then."""
        for _, name in self._positions.get(group, ()):
            yield name

    def newest(self, group: str, before: Position | None) -> Iterator[str]:
        """Yield the names in a group older than `before`, newest first; it must not change then."""
        positions = self._positions.get(group, [])
        end = len(positions) if before is None else bisect_left(positions, before)
        for index in range(end - 1, -1, -1):
            yield positions[index][1]
