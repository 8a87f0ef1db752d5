"""All objects of one kind in memory, kept current by one list and one watch."""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic

import structlog

from krkn_grpc.kube import errors
from krkn_grpc.kube.store import Change, R, Store

_log = structlog.get_logger(__name__)

_PAGE = 1_000
_LONGEST_PAUSE_SECONDS = 5.0

Index = Callable[[R], str]


@dataclass(frozen=True)
class Seen(Generic[R]):
    """One change: `old` is None for a new object, `new` for one that is gone.

    `is_alone` is False for what a list brought after a gap: many changes at one revision.
    """

    old: R | None
    new: R | None
    revision: int
    is_alone: bool

    @property
    def object(self) -> R:
        """The object as it is, or as it was last."""
        either = self.new or self.old
        assert either is not None, "a change has an object before or after it"
        return either


Listener = Callable[[Seen[R]], None]


class WatchCache(Generic[R]):
    """A copy of one kind's objects by name, with indexes.

    `run` keeps it current for ever: after a lost watch it goes on from the last revision it saw,
    and lists anew when that is too old. Listeners are called for every change, in the order of
    the API server.

    What this process wrote itself is seen at once by `get`, `values` and `indexed`; listeners
    hear of it when the watch brings it, so that they never hear anything out of order.
    """

    def __init__(
        self, store: Store[R], *, labels: str = "", indexes: dict[str, Index[R]] | None = None
    ) -> None:
        """Cache what `store` has under the label selector `labels`."""
        self.store = store
        self.revision = 0
        self._labels = labels
        self._items: dict[str, R] = {}
        self._index_of = indexes or {}
        self._indexed: dict[str, dict[str, dict[str, R]]] = {name: {} for name in self._index_of}
        # Written or (None) deleted by this process, and not yet seen by the watch.
        self._ahead: dict[str, R | None] = {}
        self._listeners: list[Listener[R]] = []
        self._synced = asyncio.Event()
        self._waiting: set[tuple[int, asyncio.Future[None]]] = set()

    def listen(self, listener: Listener[R]) -> None:
        """Call `listener` at every change from now on."""
        self._listeners.append(listener)

    def get(self, name: str) -> R | None:
        """Return the object of this name as it was last seen or written."""
        return self._ahead[name] if name in self._ahead else self._items.get(name)

    def values(self) -> Iterable[R]:
        """Return all objects, in no order."""
        return (
            self._with_ahead(self._items, lambda _: True) if self._ahead else self._items.values()
        )

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

    async def synced(self) -> None:
        """Return when the first list is complete."""
        await self._synced.wait()

    async def reached(self, revision: int, seconds: float) -> bool:
        """Wait until everything up to `revision` was seen; False when it took longer."""
        if self.revision >= revision:
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (revision, future)
        self._waiting.add(entry)
        try:
            await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(entry)
        return True

    def remember(self, written: R) -> None:
        """Take up what this process has just written, before the watch brings it.

        What the watch has already passed is left alone: it may have been deleted since.
        """
        name = written.metadata.name
        known = self.get(name)
        newest = max(self.revision if name not in self._items else 0, _revision(known))
        if _revision(written) > newest:
            self._ahead[name] = written

    def forget(self, deleted: R) -> None:
        """Drop what this process has just deleted, before the watch brings it."""
        known = self.get(deleted.metadata.name)
        if known is not None and known.metadata.uid == deleted.metadata.uid:
            self._ahead[deleted.metadata.name] = None

    async def run(self) -> None:
        """Keep the cache current until cancelled."""
        failures = 0
        while True:
            try:
                if self.revision == 0:
                    await self._list()
                before = self.revision
                async for change in self.store.watch(self.revision, labels=self._labels):
                    failures = 0
                    self._take_in(change)
                if self.revision > before:
                    continue
                # A watch that ends at once, again and again, must not become a busy loop.
                failures += 1
            except errors.KubeError as error:
                failures += 1
                if isinstance(error, errors.Expired):
                    self.revision = 0
                _log.warning("watch lost", kind=self.store.kind.KIND.name, error=str(error))
            # Spread out: after an outage not every cache may come back at the same moment.
            longest = min(0.1 * 2 ** min(failures, 10), _LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(random.uniform(longest / 2, longest))

    def _take_in(self, change: Change[R]) -> None:
        # First, so that who hears of the change finds the cache at its revision.
        self._advance(change.revision)
        if change.object is not None:
            if change.type == "DELETED":
                self._remove(change.object.metadata.name, change.revision, is_alone=True)
            else:
                self._put(change.object, change.revision, is_alone=True)

    async def _list(self) -> None:
        seen: dict[str, R] = {}
        after = ""
        while True:
            page = await self.store.list(labels=self._labels, limit=_PAGE, after=after)
            seen.update((item.metadata.name, item) for item in page.items)
            if not (after := page.next):
                break
        self._advance(page.revision)
        for name in self._items.keys() - seen.keys():
            self._remove(name, page.revision, is_alone=False)
        for item in seen.values():
            if _revision(item) > _revision(self._items.get(item.metadata.name)):
                self._put(item, page.revision, is_alone=False)
        for name, written in list(self._ahead.items()):
            if _revision(written) <= page.revision:
                del self._ahead[name]
        self._synced.set()

    def _put(self, new: R, revision: int, *, is_alone: bool) -> None:
        name = new.metadata.name
        ahead = self._ahead.get(name)
        if name in self._ahead and (ahead is None or _revision(ahead) <= _revision(new)):
            is_still_deleted = ahead is None and _is_same(self._items.get(name), new)
            if not is_still_deleted:
                del self._ahead[name]
        old = self._items.get(name)
        self._items[name] = new
        for index, key_of in self._index_of.items():
            groups = self._indexed[index]
            if old is not None and key_of(old) != key_of(new):
                _take_out(groups, key_of(old), name)
            groups.setdefault(key_of(new), {})[name] = new
        self._tell(Seen(old, new, revision, is_alone))

    def _remove(self, name: str, revision: int, *, is_alone: bool) -> None:
        ahead = self._ahead.get(name)
        if name in self._ahead and _revision(ahead) <= revision:
            del self._ahead[name]
        old = self._items.pop(name, None)
        if old is None:
            return
        for index, key_of in self._index_of.items():
            _take_out(self._indexed[index], key_of(old), name)
        self._tell(Seen(old, None, revision, is_alone))

    def _tell(self, seen: Seen[R]) -> None:
        for listener in self._listeners:
            listener(seen)

    def _advance(self, revision: int) -> None:
        self.revision = max(self.revision, revision)
        for entry in [entry for entry in self._waiting if entry[0] <= self.revision]:
            self._waiting.discard(entry)
            if not entry[1].done():
                entry[1].set_result(None)

    def _with_ahead(self, items: dict[str, R], belongs: Callable[[R], bool]) -> Iterator[R]:
        yield from (item for name, item in items.items() if name not in self._ahead)
        yield from (item for item in self._ahead.values() if item is not None and belongs(item))


def _revision(item: R | None) -> int:
    return 0 if item is None else int(item.metadata.resource_version)


def _is_same(one: R | None, other: R) -> bool:
    return one is not None and one.metadata.uid == other.metadata.uid


def _take_out(groups: dict[str, dict[str, R]], key: str, name: str) -> None:
    group = groups.get(key)
    if group is not None:
        group.pop(name, None)
        if not group:
            del groups[key]
