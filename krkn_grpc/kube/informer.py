"""In-memory cache of one kind, kept current by one list and one watch.

Not a library's: none shows a process its own writes before the watch does (docs/decisions/0003).
"""

import asyncio
import random
import time
from typing import Generic

import structlog

from krkn_grpc.kube import errors
from krkn_grpc.kube.cache_metrics import CacheMetrics
from krkn_grpc.kube.client import R, ResourceClient
from krkn_grpc.kube.object_cache import CacheChange, IndexFunc, ObjectCache
from krkn_grpc.told import told

__all__ = ["CacheChange", "Informer", "WentBack"]

_log = structlog.get_logger(__name__)

_PAGE = 500
# Per page, as long as the API server itself works on a call. Giving up sooner and relisting would
# make an overloaded API server repeat the same work, and the list would never be complete.
_LIST_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 5.0
# How often, and for how long, the API server must be behind the seen revision before WentBack. A
# sound API server never is, but a proxy before it may once repeat an old answer.
_TRIES_TO_BELIEVE = 5
_SECONDS_TO_BELIEVE = 5.0
# Why a watch must start again; every other error is `error`.
_CAUSES: dict[type[errors.KubeError], str] = {errors.Expired: "expired", errors.TooDeep: "too_deep"}


class WentBack(Exception):
    """The API server stays behind a revision that was seen before: etcd was restored.

    The cached objects are not those of the API server, and a watch from their revision would wait
    for ever. Work based on them would be wrong: the process ends and starts again with a new list.
    """


class Informer(ObjectCache[R], Generic[R]):
    """A cache of one kind's objects by name, with an index by group.

    `run` keeps it current for ever: after a lost watch it resumes from the last revision it saw,
    and relists when that is too old. It raises WentBack when that revision no longer exists.
    """

    def __init__(
        self, client: ResourceClient[R], *, labels: str = "", index_func: IndexFunc[R] | None = None
    ) -> None:
        """Cache the objects of `client` that match the label selector `labels`."""
        super().__init__(index_func)
        self.client = client
        self._labels = labels
        self._must_list = True
        self._must_compare = False
        self._older_since: float | None = None
        self._older = 0
        self._synced = asyncio.Event()
        self._waiting: set[tuple[int, asyncio.Future[None]]] = set()
        self._metrics = CacheMetrics(client.kind.KIND.name)

    async def synced(self) -> None:
        """Return when the first list is complete."""
        await self._synced.wait()

    async def reached(self, revision: int, seconds: float) -> bool:
        """Wait until everything up to `revision` was seen; return False after `seconds`."""
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
        self._metrics.count(self.__len__)
        while True:
            try:
                if self._must_list:
                    await self._list()
                elif self._must_compare:
                    await self._compare()
                before = self.revision
                async for change in self.client.watch(self.revision, labels=self._labels):
                    failures = 0
                    self.apply(change)
                    self._metrics.changed()
                self._metrics.restarts("ended")
                self._must_compare = self.revision == before
                if self.revision > before:
                    continue
                # A watch that ends at once, again and again, must not become a busy loop.
                failures += 1
            except errors.KubeError as error:
                failures += 1
                self._must_compare = True
                # The cached objects stay until the list is complete: stale is better than empty.
                # After a change that cannot be read, a watch would be given the same one again.
                is_stuck = isinstance(error, errors.Expired | errors.TooDeep)
                self._metrics.synced(False)
                self._metrics.restarts(_CAUSES.get(type(error), "error"))
                self._must_list = self._must_list or is_stuck
                _log.warning("watch lost", kind=self.client.kind.KIND.name, error=told(error))
            # With jitter: after an outage not all caches may come back at the same moment.
            longest = min(0.1 * 2 ** min(failures, 10), _LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(random.uniform(longest / 2, longest))

    async def _list(self) -> None:
        listed: list[R] = []
        after = ""
        while True:
            page = await self.client.list(
                labels=self._labels, limit=_PAGE, after=after, seconds=_LIST_SECONDS
            )
            # Interned per page: memory freed only at the end of the list stays fragmented.
            listed += map(self.shared, page.items)
            if not (after := page.next):
                break
        # The watch would resume from the seen revision and never report what an older list lacks.
        self._must_not_be_older(page.revision)
        self.replace(listed, page.revision)
        self._must_list = False
        self._metrics.synced(True)
        self._synced.set()

    async def _compare(self) -> None:
        """Check that the API server has the seen revision: a watch from a future one is silent.

        Done not before each watch, but after one that was cut or brought nothing: an API server
        does not go back while it is running.
        """
        page = await self.client.list(labels=self._labels, limit=1, seconds=_LIST_SECONDS)
        self._must_not_be_older(page.revision)
        self._metrics.synced(True)
        self._must_compare = False

    def _must_not_be_older(self, revision: int) -> None:
        now = time.monotonic()
        if revision >= self.revision:
            self._older, self._older_since = 0, None
            return
        self._older += 1
        self._older_since = self._older_since or now
        has_lasted = now - self._older_since >= _SECONDS_TO_BELIEVE
        if self._older >= _TRIES_TO_BELIEVE and has_lasted:
            _log.critical(
                "the API server has gone back",
                kind=self.client.kind.KIND.name,
                seen=self.revision,
                has=revision,
            )
            raise WentBack(f"revision {self.revision} was seen, and now it is {revision}")
        raise errors.OutcomeUnknown("the API server is behind what was seen before")

    def _advance(self, revision: int) -> None:
        super()._advance(revision)
        for entry in [entry for entry in self._waiting if entry[0] <= self.revision]:
            self._waiting.discard(entry)
            if not entry[1].done():
                entry[1].set_result(None)
