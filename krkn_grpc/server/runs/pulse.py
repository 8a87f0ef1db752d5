"""A stream that says nothing for a while still gives its reader a turn."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def with_pulse(
    source: AsyncGenerator[T, None], seconds: float | None
) -> AsyncGenerator[T | None, None]:
    """Yield what `source` does, and None whenever it was silent for so long; None: never.

    The source is closed when the reader leaves.
    """
    async with aclosing(source):
        while True:
            upcoming = asyncio.ensure_future(anext(source))
            try:
                while not (await asyncio.wait({upcoming}, timeout=seconds))[0]:
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
