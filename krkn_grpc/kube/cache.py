"""All objects of one kind in memory, kept current by one list and one watch."""

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import Generic

import structlog

from krkn_grpc.kube import errors
from krkn_grpc.kube.store import Change, R, Store

_log = structlog.get_logger(__name__)

_PAGE = 1_000
_LONGEST_PAUSE_SECONDS = 5.0

Listener = Callable[[R | None, R | None], None]
Index = Callable[[R], str]


class WatchCache(Generic[R]):
    """A copy of one kind's objects by name, with indexes.

    `run` keeps it current for ever: after a lost watch it goes on from the last revision it saw,
    and lists anew when that is too old. Listeners are called as (old, new) for every change;
    `old` is None for a new object, `new` for one that is gone.
    """

    def __init__(
        self,
        store: Store[R],
        *,
        labels: str = "",
        indexes: dict[str, Index[R]] | None = None,
    ) -> None:
        """Cache what `store` has under the label selector `labels`."""
        self.store = store
        self.revision = 0
        self._labels = labels
        self._items: dict[str, R] = {}
        self._index_of = indexes or {}
        self._indexed: dict[str, dict[str, dict[str, R]]] = {name: {} for name in self._index_of}
        self._listeners: list[Listener[R]] = []
        self._synced = asyncio.Event()
        self._waiting: set[tuple[int, asyncio.Future[None]]] = set()

    def listen(self, listener: Listener[R]) -> Callable[[], None]:
        """Call `listener` at every change from now on; returns the way to end that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def get(self, name: str) -> R | None:
        """Return the object of this name as it was last seen."""
        return self._items.get(name)

    def values(self) -> Iterable[R]:
        """Return all objects, in no order."""
        return self._items.values()

    def indexed(self, index: str, key: str) -> Iterable[R]:
        """Return the objects that the index files under `key`."""
        return self._indexed[index].get(key, {}).values()

    def __len__(self) -> int:
        """Return how many objects there are."""
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
        revision = int(written.metadata.resource_version)
        known = self._items.get(written.metadata.name)
        newest = int(known.metadata.resource_version) if known is not None else self.revision
        if revision > newest:
            self._put(written)

    def forget(self, deleted: R) -> None:
        """Drop what this process has just deleted, before the watch brings it."""
        known = self._items.get(deleted.metadata.name)
        if known is not None and known.metadata.uid == deleted.metadata.uid:
            self._remove(known)

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
        if change.object is not None:
            if change.type == "DELETED":
                self._remove(change.object)
            else:
                self._put(change.object)
        self._advance(change.revision)

    async def _list(self) -> None:
        seen: dict[str, R] = {}
        after = ""
        while True:
            page = await self.store.list(labels=self._labels, limit=_PAGE, after=after)
            seen.update((item.metadata.name, item) for item in page.items)
            if not (after := page.next):
                break
        for name in self._items.keys() - seen.keys():
            known = self._items[name]
            # Written by us after this list was read: the watch will bring it.
            if int(known.metadata.resource_version) <= page.revision:
                self._remove(known)
        for item in seen.values():
            self._put(item)
        self._advance(page.revision)
        self._synced.set()

    def _put(self, new: R) -> None:
        name = new.metadata.name
        old = self._items.get(name)
        if old is not None and int(old.metadata.resource_version) >= int(
            new.metadata.resource_version
        ):
            return
        self._items[name] = new
        for index, key_of in self._index_of.items():
            groups = self._indexed[index]
            if old is not None and key_of(old) != key_of(new):
                _take_out(groups, key_of(old), name)
            groups.setdefault(key_of(new), {})[name] = new
        self._tell(old, new)

    def _remove(self, gone: R) -> None:
        name = gone.metadata.name
        old = self._items.pop(name, None)
        if old is None:
            return
        for index, key_of in self._index_of.items():
            _take_out(self._indexed[index], key_of(old), name)
        self._tell(old, None)

    def _tell(self, old: R | None, new: R | None) -> None:
        for listener in list(self._listeners):
            listener(old, new)

    def _advance(self, revision: int) -> None:
        self.revision = max(self.revision, revision)
        for entry in [entry for entry in self._waiting if entry[0] <= self.revision]:
            self._waiting.discard(entry)
            if not entry[1].done():
                entry[1].set_result(None)


def _take_out(groups: dict[str, dict[str, R]], key: str, name: str) -> None:
    group = groups.get(key)
    if group is not None:
        group.pop(name, None)
        if not group:
            del groups[key]
