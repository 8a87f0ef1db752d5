"""In-memory cache of one kind, fed by lists, watch events and our own writes. No I/O."""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic

from krkn_grpc.kube.client import Change, R
from krkn_grpc.kube.index import Position, SortedIndex, position_of
from krkn_grpc.kube.interning import Interner
from krkn_grpc.resources.well_known import bounded

IndexFunc = Callable[[R], Iterable[str]]

# Each is a period whose changes the API server no longer had; gaps are hours apart.
_MOST_GAPS = 64


@dataclass(frozen=True, slots=True)
class CacheChange(Generic[R]):
    """One change: `old` is None for a new object, `new` for a deleted one.

    `is_whole` is True if everything up to `revision` has now been reported; it is False for all but
    the last change that a list brought after a gap.
    """

    old: R | None
    new: R | None
    revision: int
    is_whole: bool

    @property
    def object(self) -> R:
        """The current object, or the last known version of a deleted one."""
        either = self.new or self.old
        assert either is not None, "a change has an object before or after it"
        return either


Listener = Callable[[CacheChange[R]], None]


@dataclass(frozen=True)
class _Deleted:
    """Tombstone of an object that this process has deleted, at or after `revision`."""

    uid: str
    revision: int


class ObjectCache(Generic[R]):
    """The objects by name, with an index by group.

    Listeners are called for every change, in the order of the API server. `get`, `values`, `newest`
    and `oldest` return this process's own writes at once; listeners are called for those when the
    watch reports them, so that they never get changes out of order.
    """

    def __init__(self, index_func: IndexFunc[R] | None = None) -> None:
        """Start empty, at revision 0."""
        self.revision = 0
        self.whole_since = 0
        """The last list's revision; each change after it was or will be reported by itself."""
        self._items: dict[str, R] = {}
        self._index_func: IndexFunc[R] = index_func or (lambda _: ())
        self._index = SortedIndex()
        self._interner = Interner()
        # Written or deleted by this process, and not yet reported by the watch.
        self._ahead: dict[str, R | _Deleted] = {}
        self._listeners: list[Listener[R]] = []
        self._after_gap: list[Callable[[], None]] = []
        self._gaps: deque[tuple[int, int]] = deque(maxlen=_MOST_GAPS)

    def listen(self, listener: Listener[R], *, after_gap: Callable[[], None] | None = None) -> None:
        """Call `listener` for every change from now on, and `after_gap` when some were missed."""
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

    def ahead(self) -> Iterator[tuple[R | None, R | None]]:
        """Yield what the watch reported and what we wrote since, None for none or a deletion."""
        for name, written in self._ahead.items():
            yield self._items.get(name), None if isinstance(written, _Deleted) else written

    def newest(self, group: str, before: Position | None = None) -> Iterable[R]:
        """Return a group's objects older than `before`, newest first; iterate over it at once."""
        return self._in_order(group, self._index.newest(group, before), before, reverse=True)

    def oldest(self, group: str) -> Iterable[R]:
        """Return a group's objects, oldest first; iterate over it at once."""
        return self._in_order(group, self._index.oldest(group), None, reverse=False)

    def _in_order(
        self, group: str, names: Iterator[str], before: Position | None, *, reverse: bool
    ) -> Iterable[R]:
        """Return the objects of these names and those written ahead, in the index's order."""
        if not self._ahead:
            return map(self._items.__getitem__, names)
        items = (self._items[name] for name in names if name not in self._ahead)
        ahead = [item for item in self._written_ahead() if group in self._index_func(item)]
        if before is not None:
            ahead = [item for item in ahead if position_of(item) < before]
        ahead.sort(key=position_of, reverse=reverse)
        return heapq.merge(items, ahead, key=position_of, reverse=reverse)

    def groups(self) -> list[str]:
        """Return the groups of the objects that the watch has reported."""
        return list(self._index.groups())

    def count(self, group: str) -> int:
        """Return the number of objects of a group that the watch has reported."""
        return self._index.count(group)

    def seen(self, group: str) -> tuple[list[R], int]:
        """Return a group's objects as the watch has reported them, and the watch's revision."""
        return [self._items[name] for name in self._index.newest(group, None)], self.revision

    def __len__(self) -> int:
        """Return the number of objects that the watch has reported."""
        return len(self._items)

    def has_followed(self, revision: int) -> bool:
        """Whether every change after this revision was or will be reported.

        False for a revision within a gap: a reader there has seen a part of the gap's changes.
        """
        return not any(before < revision < after for before, after in self._gaps)

    def remember(self, written: R) -> None:
        """Add an object that this process has just written, before the watch reports it.

        A version that the watch has already passed is ignored: it may have been deleted since.
        """
        name = written.metadata.name
        ahead, item = self._ahead.get(name), self._items.get(name)
        if isinstance(ahead, _Deleted) and ahead.uid == written.metadata.uid:
            return
        newest = self.revision if item is None else revision_of(item)
        if ahead is not None and not isinstance(ahead, _Deleted):
            newest = max(newest, revision_of(ahead))
        if revision_of(written) > newest:
            self._ahead[name] = bounded(written)

    def forget(self, deleted: R) -> None:
        """Drop an object that this process has just deleted, before the watch reports it."""
        known = self.get(deleted.metadata.name)
        if known is not None and known.metadata.uid == deleted.metadata.uid:
            marker = _Deleted(known.metadata.uid, revision_of(known))
            self._ahead[deleted.metadata.name] = marker

    def apply(self, change: Change[R]) -> None:
        """Apply one watch event."""
        # First, so that listeners find the cache at the revision of the change.
        self._advance(change.revision)
        item = change.object
        if not (name := change.gone if item is None else item.metadata.name):
            return
        new = None if item is None or change.type == "DELETED" else self.shared(item)
        self._settle(name, change.revision, new)
        self._change(name, new, is_whole=True)

    def shared(self, item: R) -> R:
        """Return the object with its texts interned; call it per page while a list arrives."""
        return self._interner.share(item)

    def replace(self, listed: Iterable[R], revision: int) -> None:
        """Replace the contents by a whole list; listeners are called for each difference."""
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
            seen = CacheChange(old, new, self.revision, is_whole)
            for listener in self._listeners:
                listener(seen)

    def _regroup(self, old: R | None, new: R | None) -> None:
        was = set() if old is None else set(self._index_func(old))
        now = set() if new is None else set(self._index_func(new))
        if old is not None and new is not None and position_of(old) == position_of(new):
            was, now = was - now, now - was
        for group in was:
            assert old is not None, "only what was there is in a group"
            self._index.remove(group, position_of(old))
        for group in now:
            assert new is not None, "only what is there comes into a group"
            self._index.add(group, position_of(new))

    def _settle(self, name: str, revision: int, new: R | None) -> None:
        """Drop our own write of this name, unless it is ahead of `new` (or None) at `revision`."""
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
