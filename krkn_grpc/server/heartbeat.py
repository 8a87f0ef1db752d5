"""A stream that says nothing for a while still gives its reader a turn."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from krkn_grpc.server.errors import Unreachable

T = TypeVar("T")


async def with_pulse(
    source: AsyncGenerator[T, None],
    seconds: float | None,
    stopping: Coroutine[Any, Any, None] | None = None,
) -> AsyncGenerator[T | None, None]:
    """Yield what `source` does, and None whenever it was silent for so long; None: never.

    Raises Unreachable as soon as `stopping` has come to its end. The source is closed when the
    reader leaves.
    """
    stop = set() if stopping is None else {asyncio.ensure_future(stopping)}
    async with aclosing(source):
        try:
            while True:
                upcoming = asyncio.ensure_future(anext(source))
                try:
                    while not (await _first(upcoming, stop, seconds)):
                        yield None
                finally:
                    # A generator cannot be closed while somebody waits for its next item.
                    if not upcoming.done():
                        upcoming.cancel()
                        await asyncio.wait({upcoming})
                try:
                    item = upcoming.result()
                except StopAsyncIteration:
                    return
                yield item
        finally:
            for waiting in stop:
                waiting.cancel()


async def _first(
    upcoming: "asyncio.Future[T]", stop: "set[asyncio.Task[None]]", seconds: float | None
) -> bool:
    """Wait until there is an item; False when there is none after so many seconds."""
    awaited: set[asyncio.Future[Any]] = {upcoming, *stop}
    done, _ = await asyncio.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if stop & done:
        raise Unreachable("the server is stopping: ask again")
    return upcoming in done
