"""The latest changes of a cache, for any number of readers, each at its own pace.

All readers share one buffer: a reader that falls behind its oldest change was too slow, and the
other readers are not affected.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from typing import Generic

from krkn_grpc.kube.client import R
from krkn_grpc.kube.object_cache import CacheChange, ObjectCache

# A revision that another process has seen arrives here within seconds, on a quiet cluster with the
# next bookmark. If it does not arrive, it no longer exists: etcd was restored from a backup.
LONGEST_BEHIND_SECONDS = 120.0
LOOK_SECONDS = 10.0


class TooOld(Exception):
    """Changes that the reader has not seen are not kept, or were never reported one by one."""


class TooSlow(TooOld):
    """The reader started in time, but has fallen behind the oldest kept change."""


class ChangeLog(Generic[R]):
    """Keeps the last changes in their order."""

    def __init__(self, contents: ObjectCache[R], size: int) -> None:
        """Keep the last `size` changes of `contents`, starting at its current revision."""
        self._contents = contents
        self._changes: deque[CacheChange[R]] = deque(maxlen=size)
        self._count = 0
        self._floor = contents.revision
        self._more = asyncio.Event()
        self._closed = asyncio.Event()
        contents.listen(self._add, after_gap=self._more.set)

    def close(self) -> None:
        """End every reader."""
        self._closed.set()
        self._more.set()

    async def closed(self) -> None:
        """Wait until the log is closed."""
        await self._closed.wait()

    def since(
        self, revision: int, *, heartbeat_seconds: float | None = None
    ) -> AsyncGenerator[CacheChange[R] | None, None]:
        """Yield every change after `revision`, and wait for more, until the log is closed.

        The revision may be newer than the cache, because another process may be ahead. Yields None
        after `heartbeat_seconds` without a change. Raises TooOld when some of the changes are gone
        (at once if that is known), or when a newer revision does not arrive; TooSlow when the
        reader was slow.
        """
        position = self._position(revision)
        is_behind = revision > self._contents.revision
        return self._from(position, revision, is_behind, heartbeat_seconds)

    async def _from(
        self, position: int, revision: int, is_behind: bool, heartbeat_seconds: float | None
    ) -> AsyncGenerator[CacheChange[R] | None, None]:
        given_up_at = time.monotonic() + LONGEST_BEHIND_SECONDS
        while not self._closed.is_set():
            first = self._count - len(self._changes)
            if position < first:
                raise TooSlow
            if is_behind and self._contents.revision >= revision:
                is_behind = False
                # Computed again: a relist may have merged changes before and after this revision.
                position = self._position(revision)
                continue
            if is_behind and time.monotonic() > given_up_at:
                raise TooOld
            if is_behind or position == self._count:
                self._more.clear()
                # A reader whose revision has not arrived must also check its time limit.
                longest = (
                    LOOK_SECONDS if is_behind and heartbeat_seconds is None else heartbeat_seconds
                )
                try:
                    await asyncio.wait_for(self._more.wait(), longest)
                except TimeoutError:
                    if heartbeat_seconds is not None:
                        yield None
                continue
            change = self._changes[position - first]
            position += 1
            yield change

    def _position(self, revision: int) -> int:
        if revision < self._floor or not self._contents.has_followed(revision):
            raise TooOld
        # Readers ask for a recent revision, so the search starts at the end.
        for back, change in enumerate(reversed(self._changes)):
            if change.revision <= revision:
                return self._count - back
        return self._count - len(self._changes)

    def _add(self, seen: CacheChange[R]) -> None:
        if len(self._changes) == self._changes.maxlen:
            self._floor = self._changes[0].revision
        self._changes.append(seen)
        self._count += 1
        self._more.set()
