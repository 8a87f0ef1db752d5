"""An event loop in a thread of its own, which plain programs call into.

All plain clients of a process share one: it starts with the first and ends with the process.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")

# How long an interruption waits for what it has cancelled.
_CLEANUP_SECONDS = 5.0


class LoopThread:
    """The loop, and its thread."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="krkn-grpc", daemon=True
        )
        self._thread.start()

    def result(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, and raise what it raises.

        An interruption here (Ctrl-C) cancels it, and waits until it has cleaned up; a second one
        does not wait. Raises RuntimeError where it would wait for ever: in the loop's own thread (a
        token's function, say), in a process that was forked, while the interpreter ends.
        """
        if (why := self._unusable()) is not None:
            work.close()
            raise RuntimeError(why)
        has_begun, ended = False, threading.Event()

        async def told() -> T:
            nonlocal has_begun
            has_begun = True
            try:
                return await work
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(told(), self._loop)
        try:
            return future.result()
        except BaseException:
            if not ended.is_set():
                future.cancel()
                self._settle()
                if has_begun:
                    ended.wait(_CLEANUP_SECONDS)
                else:
                    work.close()
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
            # What cannot be closed any more must not hide why it is left: an interruption, say.
            with suppress(CancelledError, RuntimeError):
                self.result(_close(items))

    def _unusable(self) -> str | None:
        """Return why nothing can be waited for here, None if it can."""
        if os.getpid() != self._process:
            return (
                "a process that was forked cannot use the client, which has threads: start "
                'processes by "spawn" (multiprocessing.set_start_method)'
            )
        if threading.current_thread() is self._thread:
            return "the plain client cannot be called by what the client itself calls"
        return "the interpreter ends" if sys.is_finalizing() else None

    def _settle(self) -> None:
        """Let the loop handle what was cancelled just now."""
        with suppress(Exception):
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
