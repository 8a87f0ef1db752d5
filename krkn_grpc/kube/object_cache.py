"""All objects of one kind in memory, as lists, changes and own writes make them. No I/O."""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic

from krkn_grpc.kube.groups import Groups, Position, position_of
from krkn_grpc.kube.sharing import Pool
from krkn_grpc.kube.store import Change, R

GroupsOf = Callable[[R], Iterable[str]]

# Each is a time for which the API server had forgotten the changes: hours lie between two.
_MOST_GAPS = 64


@dataclass(frozen=True, slots=True)
class Seen(Generic[R]):
    """One change: `old` is None for a new object, `new` for one that is gone.

    `is_whole` says that with this change everything up to `revision` was told; it is False for
    all but the last of what a list brought after a gap.
    """

    old: R | None
    new: R | None
    revision: int
    is_whole: bool

    @property
    def object(self) -> R:
        """The object as it is, or as it was last."""
        either = self.new or self.old
        assert either is not None, "a change has an object before or after it"
        return either


Listener = Callable[[Seen[R]], None]


@dataclass(frozen=True)
class _Deleted:
    """Stands for an object that this process has deleted, at or after `revision`."""

    uid: str
    revision: int


class Contents(Generic[R]):
    """The objects by name, and sorted in the groups that each belongs to.

    Listeners are called for every change, in the order of the API server. What this process wrote
    itself is seen at once by `get`, `values` and `newest`; listeners hear of it when the watch
    brings it, so that they never hear anything out of order.
    """

    def __init__(self, groups_of: GroupsOf[R] | None = None) -> None:
        """Start with nothing, at revision 0."""
        self.revision = 0
        self.whole_since = 0
        """After this revision every change was told by itself, or will be: of the last list."""
        self._items: dict[str, R] = {}
        self._groups_of: GroupsOf[R] = groups_of or (lambda _: ())
        self._groups = Groups()
        self._pool = Pool()
        # Written or deleted by this process, and not yet brought by the watch.
        self._ahead: dict[str, R | _Deleted] = {}
        self._listeners: list[Listener[R]] = []
        self._after_gap: list[Callable[[], None]] = []
        self._gaps: deque[tuple[int, int]] = deque(maxlen=_MOST_GAPS)

    def listen(self, listener: Listener[R], *, after_gap: Callable[[], None] | None = None) -> None:
        """Call `listener` at every change from now on, and `after_gap` when some were missed."""
        self._listeners.append(listener)
        if after_gap is not None:
            self._after_gap.append(after_gap)

    def get(self, name: str) -> R | None:
        """Return the object of this name as it was last seen or written."""
        ahead = self._ahead.get(name)
        if isinstance(ahead, _Deleted):
            return None
        return ahead or self._items.get(name)

    def values(self) -> Iterable[R]:
        """Return all objects, in no order."""
        return self._with_ahead() if self._ahead else self._items.values()

    def newest(self, group: str, before: Position | None = None) -> Iterable[R]:
        """Return the objects of a group, newest first, from `before` on; to be read at once."""
        names = self._groups.newest(group, before)
        if not self._ahead:
            return map(self._items.__getitem__, names)
        items = (self._items[name] for name in names if name not in self._ahead)
        ahead = [item for item in self._written_ahead() if group in self._groups_of(item)]
        if before is not None:
            ahead = [item for item in ahead if position_of(item) < before]
        ahead.sort(key=position_of, reverse=True)
        return heapq.merge(items, ahead, key=position_of, reverse=True)

    def count(self, group: str) -> int:
        """Return how many objects of a group the watch has brought."""
        return self._groups.count(group)

    def seen(self, group: str) -> tuple[list[R], int]:
        """Return a group's objects as the watch has brought them, and the revision it reached."""
        return [self._items[name] for name in self._groups.newest(group, None)], self.revision

    def __len__(self) -> int:
        """Return how many objects the watch has brought."""
        return len(self._items)

    def has_followed(self, revision: int) -> bool:
        """Whether all that changed after this revision was told, or will be.

        Not so for one within a gap: whoever was there has been told a part of what it sums up.
        """
        return not any(before < revision < after for before, after in self._gaps)

    def remember(self, written: R) -> None:
        """Take up what this process has just written, before the watch brings it.

        What the watch has already passed is left alone: it may have been deleted since.
        """
        name = written.metadata.name
        ahead, item = self._ahead.get(name), self._items.get(name)
        if isinstance(ahead, _Deleted) and ahead.uid == written.metadata.uid:
            return
        newest = self.revision if item is None else revision_of(item)
        if ahead is not None and not isinstance(ahead, _Deleted):
            newest = max(newest, revision_of(ahead))
        if revision_of(written) > newest:
            self._ahead[name] = written

    def forget(self, deleted: R) -> None:
        """Drop what this process has just deleted, before the watch brings it."""
        known = self.get(deleted.metadata.name)
        if known is not None and known.metadata.uid == deleted.metadata.uid:
            marker = _Deleted(known.metadata.uid, revision_of(known))
            self._ahead[deleted.metadata.name] = marker

    def apply(self, change: Change[R]) -> None:
        """Take in one change that the watch brought."""
        # First, so that who hears of the change finds the contents at its revision.
        self._advance(change.revision)
        if change.object is None:
            return
        name = change.object.metadata.name
        new = None if change.type == "DELETED" else self.shared(change.object)
        self._settle(name, change.revision, new)
        self._change(name, new, is_whole=True)

    def shared(self, item: R) -> R:
        """Return the object, made to use what others say too; for a list as it comes in."""
        return self._pool.share(item)

    def replace(self, listed: Iterable[R], revision: int) -> None:
        """Take in a whole list; listeners hear what it changes."""
        new = {item.metadata.name: item for item in listed}
        before, is_first = self.revision, not self.revision
        self._advance(revision)
        for name in list(self._ahead):
            self._settle(name, revision, new.get(name))
        changes: list[tuple[str, R | None]] = [
            (name, None) for name in self._items.keys() - new.keys()
        ]
        changes += [
            (name, item)
            for name, item in new.items()
            if name not in self._items or revision_of(self._items[name]) != revision_of(item)
        ]
        self.whole_since = revision
        if not is_first:
            self._gaps.append((before, revision))
        for index, (name, item) in enumerate(changes, start=1):
            self._change(name, item, is_whole=index == len(changes))
        if not is_first:
            for tell in self._after_gap:
                tell()

    def _change(self, name: str, new: R | None, *, is_whole: bool) -> None:
        old = self._items.pop(name, None)
        if new is not None:
            self._items[name] = new
        self._regroup(old, new)
        if old is not None or new is not None:
            seen = Seen(old, new, self.revision, is_whole)
            for listener in self._listeners:
                listener(seen)

    def _regroup(self, old: R | None, new: R | None) -> None:
        was = set() if old is None else set(self._groups_of(old))
        now = set() if new is None else set(self._groups_of(new))
        if old is not None and new is not None and position_of(old) == position_of(new):
            was, now = was - now, now - was
        for group in was:
            assert old is not None, "only what was there is in a group"
            self._groups.remove(group, position_of(old))
        for group in now:
            assert new is not None, "only what is there comes into a group"
            self._groups.add(group, position_of(new))

    def _settle(self, name: str, revision: int, new: R | None) -> None:
        """Drop what was ahead, now that at `revision` there is `new` (or nothing) of this name."""
        ahead = self._ahead.get(name)
        if isinstance(ahead, _Deleted):
            is_it = new is not None and new.metadata.uid == ahead.uid
            is_still_ahead = is_it or ahead.revision > revision
        else:
            is_still_ahead = ahead is not None and revision_of(ahead) > revision
        if not is_still_ahead:
            self._ahead.pop(name, None)

    def _advance(self, revision: int) -> None:
        self.revision = max(self.revision, revision)

    def _with_ahead(self) -> Iterator[R]:
        yield from (item for name, item in self._items.items() if name not in self._ahead)
        yield from self._written_ahead()

    def _written_ahead(self) -> Iterator[R]:
        return (item for item in self._ahead.values() if not isinstance(item, _Deleted))


def revision_of(item: R) -> int:
    """Return the revision at which the object was written."""
    return int(item.metadata.resource_version)
