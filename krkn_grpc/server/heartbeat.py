"""Yields None from a quiet stream at a fixed interval."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from krkn_grpc.server.errors import Unreachable

T = TypeVar("T")


async def with_heartbeat(
    source: AsyncGenerator[T, None],
    seconds: float | None,
    stopping: Coroutine[Any, Any, None] | None = None,
) -> AsyncGenerator[T | None, None]:
    """Yield the items of `source`, and None after each `seconds` without one (None: never).

    Raises Unreachable as soon as `stopping` has finished. The source is closed when the reader
    leaves.
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
                    # A generator cannot be closed while its next item is awaited.
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
    """Wait for an item; False when there is none after `seconds`. Raises Unreachable at a stop."""
    awaited: set[asyncio.Future[Any]] = {upcoming, *stop}
    done, _ = await asyncio.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if stop & done:
        raise Unreachable("the server is stopping; try again")
    return upcoming in done
