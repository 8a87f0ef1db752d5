"""The latest changes of a cache, for any number of readers that each go at their own pace.

There is one buffer for all of them, not one each: a reader that falls out of it has been too
slow, and nobody else notices.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic

from krkn_grpc.kube.cache import Seen, WatchCache
from krkn_grpc.kube.store import R

DEFAULT_SIZE = 10_000


class TooOld(Exception):
    """Changes that the reader has not seen are no longer kept."""


class History(Generic[R]):
    """Keeps the last changes in their order."""

    def __init__(self, cache: WatchCache[R], size: int = DEFAULT_SIZE) -> None:
        """Keep `size` changes of `cache`, from the revision that it has reached by now."""
        self._changes: deque[Seen[R]] = deque(maxlen=size)
        self._count = 0
        self._floor = cache.revision
        self._more = asyncio.Event()
        self._is_closed = False
        cache.listen(self._add)

    def close(self) -> None:
        """End every reader."""
        self._is_closed = True
        self._more.set()

    async def since(
        self, revision: int, *, pulse_seconds: float | None = None
    ) -> AsyncIterator[Seen[R] | None]:
        """Yield every change after `revision`, and wait for more, until the history is closed.

        Yields None when nothing has come for `pulse_seconds`. Raises TooOld when some of the
        changes are gone, at the start or because the reader was slow.
        """
        position = self._position(revision)
        while not self._is_closed:
            first = self._count - len(self._changes)
            if position < first:
                raise TooOld
            if position == self._count:
                self._more.clear()
                try:
                    await asyncio.wait_for(self._more.wait(), pulse_seconds)
                except TimeoutError:
                    yield None
                continue
            change = self._changes[position - first]
            position += 1
            yield change

    def _position(self, revision: int) -> int:
        if revision < self._floor:
            raise TooOld
        first = self._count - len(self._changes)
        # Readers come with a recent revision: look from the end.
        for back, change in enumerate(reversed(self._changes)):
            if change.revision <= revision:
                return self._count - back
        return first

    def _add(self, seen: Seen[R]) -> None:
        if len(self._changes) == self._changes.maxlen:
            self._floor = self._changes[0].revision
        self._changes.append(seen)
        self._count += 1
        self._more.set()
