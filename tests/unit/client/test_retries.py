"""How long an outage is waited for: it begins with the cut, and not with the last message."""

import asyncio

import pytest

from krkn_grpc.client.errors import Unavailable
from krkn_grpc.client.retries import Patience, Resumption

SECONDS = 0.3


async def attempts(resumption: Resumption) -> int:
    """Cut the stream until it is given up, and return how often it was opened again."""
    for count in range(1_000):
        try:
            await resumption.wait(Unavailable("cut"))
        except Unavailable:
            return count
    raise AssertionError("it has no end")


async def test_a_stream_that_was_quiet_for_long_is_opened_again() -> None:
    resumption = Resumption(Patience(SECONDS))
    resumption.progressed()
    await asyncio.sleep(2 * SECONDS)
    assert await attempts(resumption) >= 1


async def test_each_cut_of_a_quiet_stream_is_an_outage_of_its_own() -> None:
    resumption = Resumption(Patience(SECONDS))
    for _ in range(3):
        stood = Unavailable("cut")
        stood.stood_seconds = 3_600.0
        await resumption.wait(stood)
        await asyncio.sleep(2 * SECONDS)
    with pytest.raises(Unavailable):
        await resumption.wait(Unavailable("it was not open again"))
