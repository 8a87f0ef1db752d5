"""All objects of one kind in memory, as lists, changes and own writes make them. No I/O."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic

from krkn_grpc.kube.store import Change, R

Index = Callable[[R], str]

# Each is a time for which the API server had forgotten the changes: hours lie between two.
_MOST_GAPS = 64


@dataclass(frozen=True)
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
    """The objects by name, with indexes.

    Listeners are called for every change, in the order of the API server. What this process wrote
    itself is seen at once by `get`, `values` and `indexed`; listeners hear of it when the watch
    brings it, so that they never hear anything out of order.
    """

    def __init__(self, indexes: Mapping[str, Index[R]] | None = None) -> None:
        """Start with nothing, at revision 0."""
        self.revision = 0
        self._items: dict[str, R] = {}
        self._index_of = indexes or {}
        self._indexed: dict[str, dict[str, dict[str, R]]] = {name: {} for name in self._index_of}
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
        if not self._ahead:
            return self._items.values()
        return self._with_ahead(self._items, lambda _: True)

    def indexed(self, index: str, key: str) -> Iterable[R]:
        """Return the objects that the index files under `key`."""
        group = self._indexed[index].get(key, {})
        if not self._ahead:
            return group.values()
        key_of = self._index_of[index]
        return self._with_ahead(group, lambda item: key_of(item) == key)

    def seen(self) -> tuple[list[R], int]:
        """Return all objects as the watch has brought them, and the revision it has reached."""
        return list(self._items.values()), self.revision

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
        new = None if change.type == "DELETED" else change.object
        self._settle(name, change.revision, new)
        self._change(name, new, is_whole=True)

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
        for index, key_of in self._index_of.items():
            groups = self._indexed[index]
            if old is not None and (new is None or key_of(old) != key_of(new)):
                _take_out(groups, key_of(old), name)
            if new is not None:
                groups.setdefault(key_of(new), {})[name] = new
        if old is not None or new is not None:
            seen = Seen(old, new, self.revision, is_whole)
            for listener in self._listeners:
                listener(seen)

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

    def _with_ahead(self, items: dict[str, R], belongs: Callable[[R], bool]) -> Iterator[R]:
        yield from (item for name, item in items.items() if name not in self._ahead)
        for item in self._ahead.values():
            if not isinstance(item, _Deleted) and belongs(item):
                yield item


def revision_of(item: R) -> int:
    """Return the revision at which the object was written."""
    return int(item.metadata.resource_version)


def _take_out(groups: dict[str, dict[str, R]], key: str, name: str) -> None:
    group = groups.get(key)
    if group is not None:
        group.pop(name, None)
        if not group:
            del groups[key]
