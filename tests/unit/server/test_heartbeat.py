"""A stream with a pulse: its items, a turn in every silence, and an end when the server stops."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from krkn_grpc.server.errors import Unreachable
from krkn_grpc.server.heartbeat import with_heartbeat


class Source:
    """Gives what is put into it, and knows when nobody wants it any more."""

    def __init__(self) -> None:
        self.items: asyncio.Queue[str | None] = asyncio.Queue()
        self.is_closed = False

    async def stream(self) -> AsyncGenerator[str, None]:
        try:
            while (item := await self.items.get()) is not None:
                yield item
        finally:
            self.is_closed = True


async def test_items_pass_and_the_end_does() -> None:
    source = Source()
    for item in ("a", "b", None):
        source.items.put_nowait(item)
    assert [item async for item in with_heartbeat(source.stream(), None)] == ["a", "b"]
    assert source.is_closed


async def test_silence_gives_a_turn_and_loses_nothing() -> None:
    source = Source()
    async with aclosing(with_heartbeat(source.stream(), 0.001)) as stream:
        assert await anext(stream) is None
        assert await anext(stream) is None
        source.items.put_nowait("a")
        assert "a" in [await anext(stream) for _ in range(2)]
    assert source.is_closed


async def test_a_reader_that_is_cancelled_closes_the_source() -> None:
    source = Source()
    stream = with_heartbeat(source.stream(), None)
    reading = asyncio.create_task(anext(stream, None))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert source.is_closed


async def test_the_end_of_the_server_cuts_it() -> None:
    source, stop = Source(), asyncio.Event()

    async def stopping() -> None:
        await stop.wait()

    stream = with_heartbeat(source.stream(), None, stopping())
    source.items.put_nowait("a")
    assert await anext(stream) == "a"
    reading = asyncio.create_task(anext(stream, None))
    await asyncio.sleep(0)
    stop.set()
    with pytest.raises(Unreachable):
        await reading
    assert source.is_closed
