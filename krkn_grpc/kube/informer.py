"""All objects of one kind in memory, kept current by one list and one watch."""

import asyncio
import random
from typing import Generic

import structlog

from krkn_grpc.kube import errors
from krkn_grpc.kube.contents import Contents, GroupsOf, Seen
from krkn_grpc.kube.store import R, Store

__all__ = ["Seen", "WatchCache"]

_log = structlog.get_logger(__name__)

_PAGE = 500
# For each page, as long as the API server itself works on a call. Who gave up sooner and began anew
# would only let one that is overloaded do the same work again, and never have the whole list.
_LIST_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 5.0


class WatchCache(Contents[R], Generic[R]):
    """A copy of one kind's objects by name, sorted in groups.

    `run` keeps it current for ever: after a lost watch it goes on from the last revision it saw,
    and lists anew when that is too old.
    """

    def __init__(
        self, store: Store[R], *, labels: str = "", groups_of: GroupsOf[R] | None = None
    ) -> None:
        """Cache what `store` has under the label selector `labels`."""
        super().__init__(groups_of)
        self.store = store
        self._labels = labels
        self._must_list = True
        self._synced = asyncio.Event()
        self._waiting: set[tuple[int, asyncio.Future[None]]] = set()

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

    async def run(self) -> None:
        """Keep the cache current until cancelled."""
        failures = 0
        while True:
            try:
                if self._must_list:
                    await self._list()
                before = self.revision
                async for change in self.store.watch(self.revision, labels=self._labels):
                    failures = 0
                    self.apply(change)
                if self.revision > before:
                    continue
                # A watch that ends at once, again and again, must not become a busy loop.
                failures += 1
            except errors.KubeError as error:
                failures += 1
                # What was seen stays until the list has come: an old answer is better than none.
                self._must_list = self._must_list or isinstance(error, errors.Expired)
                _log.warning("watch lost", kind=self.store.kind.KIND.name, error=str(error))
            # Spread out: after an outage not every cache may come back at the same moment.
            longest = min(0.1 * 2 ** min(failures, 10), _LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(random.uniform(longest / 2, longest))

    async def _list(self) -> None:
        listed: list[R] = []
        after = ""
        while True:
            page = await self.store.list(
                labels=self._labels, limit=_PAGE, after=after, seconds=_LIST_SECONDS
            )
            # Page by page: what is given back only in the end leaves holes that nobody fills.
            listed += map(self.shared, page.items)
            if not (after := page.next):
                break
        if page.revision < self.revision:
            # The watch would go on from what was seen, and never tell what this list has not.
            raise errors.OutcomeUnknown("the list is older than what was seen before")
        self.replace(listed, page.revision)
        self._must_list = False
        self._synced.set()

    def _advance(self, revision: int) -> None:
        super()._advance(revision)
        for entry in [entry for entry in self._waiting if entry[0] <= self.revision]:
            self._waiting.discard(entry)
            if not entry[1].done():
                entry[1].set_result(None)
