"""Requests on their way have room, and no caller takes all of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from krkn_grpc.server.auth.concurrency import MemoryShare, RequestMemory
from krkn_grpc.server.errors import TooMany, TooSlow
from krkn_grpc.server.limits import LARGEST_MESSAGE

ROOM = 4
NEVER = 60.0


class Sender:
    """One call whose message comes when the test says so."""

    def __init__(self, arrivals: RequestMemory, caller: str, *, seconds: float = NEVER) -> None:
        self.arrival: MemoryShare = arrivals.of(caller)
        self.may_send = asyncio.Event()
        self.is_let_in = False
        self.result = asyncio.create_task(self.arrival.receive(self._messages(), seconds))

    async def _messages(self) -> AsyncIterator[bytes]:
        self.is_let_in = True
        await self.may_send.wait()
        yield b"message"

    async def send(self) -> None:
        """Let the message come, and the call end."""
        self.may_send.set()
        assert await self.result == b"message"
        self.arrival.keep(0)
        await settled()


async def settled() -> None:
    """Let everything that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def senders(arrivals: RequestMemory, *callers: str, seconds: float = NEVER) -> list[Sender]:
    """Let these come in this order."""
    found = [Sender(arrivals, caller, seconds=seconds) for caller in callers]
    await settled()
    return found


def let_in(found: list[Sender]) -> list[bool]:
    """Which of them are let in."""
    return [each.is_let_in for each in found]


async def test_one_caller_has_half_and_the_others_the_rest() -> None:
    found = await senders(RequestMemory(ROOM, NEVER), "a", "a", "a", "b", "b", "b", "c")
    assert let_in(found) == [True, True, False, True, True, False, False]


async def test_callers_without_a_name_may_have_all() -> None:
    found = await senders(RequestMemory(ROOM, NEVER), "", "", "", "", "")
    assert let_in(found) == [True] * ROOM + [False]


async def test_those_who_wait_come_in_turn_by_caller() -> None:
    arrivals = RequestMemory(ROOM, NEVER)
    first = await senders(arrivals, "a", "a", "b", "b")
    waiting = await senders(arrivals, "c", "c", "c", "d")
    await first[0].send()
    await first[2].send()
    assert let_in(waiting) == [True, False, False, True]
    await first[1].send()
    assert let_in(waiting) == [True, True, False, True]
    await first[3].send()
    assert let_in(waiting) == [True, True, False, True]  # c has its half
    await waiting[0].send()
    assert let_in(waiting) == [True] * 4


async def test_a_message_takes_what_it_is_said_to_take_until_its_call_ends() -> None:
    arrivals = RequestMemory(ROOM, NEVER)
    [held] = await senders(arrivals, "")
    held.may_send.set()
    with held.arrival as arrival:
        await held.result
        arrival.keep(LARGEST_MESSAGE * 100)
        assert let_in(await senders(arrivals, *[""] * ROOM)) == [True] * (ROOM - 1) + [False]


async def test_while_nobody_waits_there_is_time() -> None:
    [slow] = await senders(RequestMemory(ROOM, 0.01), "a")
    await asyncio.sleep(0.1)
    await slow.send()


async def test_while_somebody_waits_a_message_has_to_come_soon() -> None:
    arrivals = RequestMemory(ROOM, 0.05)
    slow = await senders(arrivals, "a", "a")
    [other] = await senders(arrivals, "b")
    [waiting] = await senders(arrivals, "a")
    for each in slow:
        with pytest.raises(TooSlow):
            await each.result
        each.arrival.keep(0)
    await settled()
    assert waiting.is_let_in
    await other.send()  # who has a share of their own is not hurried


async def test_who_finds_no_room_is_told_so() -> None:
    arrivals = RequestMemory(ROOM, NEVER)
    held = await senders(arrivals, "a", "a")
    [late] = await senders(arrivals, "a", seconds=0.05)
    with pytest.raises(TooMany):
        await late.result
    for each in held:
        await each.send()
    assert let_in(await senders(arrivals, "a", "a")) == [True, True]


async def test_so_many_wait_and_no_more() -> None:
    arrivals = RequestMemory(ROOM, NEVER, most_waiting=2)
    found = await senders(arrivals, *[""] * (ROOM + 3))
    with pytest.raises(TooMany):
        await found[-1].result
    assert not found[-2].result.done()


async def test_who_leaves_takes_nothing_along() -> None:
    arrivals = RequestMemory(ROOM, NEVER)
    held, waiting = await senders(arrivals, "a", "a"), await senders(arrivals, "a", "a")
    for each in (held[0], waiting[0]):
        each.result.cancel()
        await asyncio.wait([each.result])
        with each.arrival:
            pass
    await settled()
    assert waiting[1].is_let_in


async def test_who_comes_after_a_crowd_that_leaves_is_let_in() -> None:
    arrivals = RequestMemory(ROOM, NEVER)
    crowd = await senders(arrivals, *["a"] * 50)
    for each in crowd:
        each.result.cancel()
    [newcomer] = await senders(arrivals, "a")
    for each in crowd:
        each.arrival.keep(0)
    await settled()
    assert newcomer.is_let_in


async def test_a_stream_without_a_message() -> None:
    async def nothing() -> AsyncIterator[bytes]:
        return
        yield b""

    assert await RequestMemory(ROOM, NEVER).of("a").receive(nothing(), NEVER) is None
