"""Who does too much of what costs others something waits, and nobody else."""

import asyncio
import time

import pytest

from krkn_grpc.server.auth.concurrency import RateLimiter
from krkn_grpc.server.errors import TooMany


async def test_each_has_a_pace_of_their_own() -> None:
    pace, began = RateLimiter(100, longest_seconds=10), time.monotonic()
    await asyncio.gather(*(pace.wait("a") for _ in range(21)))
    assert time.monotonic() - began >= 0.19
    others = asyncio.gather(*(pace.wait("a") for _ in range(500)))
    await pace.wait("b")
    assert not others.done()
    others.cancel()
    with pytest.raises(asyncio.CancelledError):
        await others


async def test_nobody_waits_for_ever() -> None:
    pace = RateLimiter(0.01, longest_seconds=250)
    first, *waiting = [asyncio.create_task(pace.wait()) for _ in range(6)]
    await first
    await asyncio.wait(waiting[2:])
    assert [type(each.exception()) for each in waiting[2:]] == [TooMany] * 3
    assert not any(each.done() for each in waiting[:2])
