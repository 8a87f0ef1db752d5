"""An event loop in a thread of its own, which plain programs call into.

All plain clients of a process share one: it starts with the first and ends with the process.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """The loop, and its thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="krkn-grpc", daemon=True
        )
        self._thread.start()

    def result(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, and raise what it raises.

        An interruption here (Ctrl-C) cancels it, and waits until it has cleaned up. Raises
        RuntimeError in the loop's own thread (a token's function, say), which would wait for ever.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("the plain client cannot be called by what the client itself calls")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            if not future.done():
                future.cancel()
                self._settle()
            raise

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Yield what the asynchronous iterator yields; closing this closes it."""
        try:
            while True:
                try:
                    item = self.result(_next(items))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            with suppress(CancelledError):
                self.result(_close(items))

    def _settle(self) -> None:
        """Let the loop handle what was cancelled just now."""
        with suppress(BaseException):
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop).result(1.0)


@cache
def shared() -> LoopThread:
    """Return the loop of this process."""
    return LoopThread()


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)


async def _close(items: AsyncIterator[Any]) -> None:
    close = getattr(items, "aclose", None)
    if close is not None:
        await close()
