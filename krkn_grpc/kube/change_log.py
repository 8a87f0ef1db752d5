"""The latest changes of a cache, for any number of readers that each go at their own pace.

There is one buffer for all of them, not one each: a reader that falls out of it has been too
slow, and nobody else notices.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Generic

from krkn_grpc.kube.contents import Contents, Seen
from krkn_grpc.kube.store import R


class TooOld(Exception):
    """Changes that the reader has not seen are no longer kept, or were never told one by one."""


class TooSlow(TooOld):
    """The reader was here in time, and has fallen behind what is kept."""


class History(Generic[R]):
    """Keeps the last changes in their order."""

    def __init__(self, contents: Contents[R], size: int) -> None:
        """Keep `size` changes of `contents`, from the revision that they have reached by now."""
        self._contents = contents
        self._changes: deque[Seen[R]] = deque(maxlen=size)
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
        """Return when the history was closed."""
        await self._closed.wait()

    def since(
        self, revision: int, *, pulse_seconds: float | None = None
    ) -> AsyncGenerator[Seen[R] | None, None]:
        """Yield every change after `revision`, and wait for more, until the history is closed.

        The revision may be one that is yet to come here, because another process is further.
        Yields None when nothing has come for `pulse_seconds`. Raises TooOld when some of the
        changes are gone, at once where that is known; TooSlow when the reader was slow.
        """
        position = self._position(revision)
        is_behind = revision > self._contents.revision
        return self._from(position, revision, is_behind, pulse_seconds)

    async def _from(
        self, position: int, revision: int, is_behind: bool, pulse_seconds: float | None
    ) -> AsyncGenerator[Seen[R] | None, None]:
        while not self._closed.is_set():
            first = self._count - len(self._changes)
            if position < first:
                raise TooSlow
            if is_behind and self._contents.revision >= revision:
                is_behind = False
                # Anew, because what the reader knows may have been summed up with what it does not.
                position = self._position(revision)
                continue
            if is_behind or position == self._count:
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
        if revision < self._floor or not self._contents.has_followed(revision):
            raise TooOld
        # Readers come with a recent revision: look from the end.
        for back, change in enumerate(reversed(self._changes)):
            if change.revision <= revision:
                return self._count - back
        return self._count - len(self._changes)

    def _add(self, seen: Seen[R]) -> None:
        if len(self._changes) == self._changes.maxlen:
            self._floor = self._changes[0].revision
        self._changes.append(seen)
        self._count += 1
        self._more.set()
