"""Each key waits once, is worked on by one worker at a time, and comes again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from itertools import pairwise

import pytest
import structlog
from structlog.testing import capture_logs

from controller.work_queue import DueIn, Reconcile, Requeue, WorkQueue
from tests.support.waiting import SECONDS


class Work:
    """A turn that the test opens and closes, and that counts who is in it."""

    def __init__(self) -> None:
        self.turns: list[str] = []
        self.inside: list[str] = []
        self.most_inside = 0
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()

    async def turn(self, key: str) -> float | None:
        self.turns.append(key)
        self.inside.append(key)
        self.most_inside = max(self.most_inside, self.inside.count(key))
        self.entered.set()
        try:
            await self.gate.wait()
        finally:
            self.inside.remove(key)
        return None


@contextlib.asynccontextmanager
async def worked_at(
    queue: WorkQueue, workers: int = 4, begin_with: Iterable[str] = ()
) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.run(workers, lambda: begin_with))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@contextlib.asynccontextmanager
async def running(
    turn: Reconcile, workers: int = 4, due_in: DueIn = lambda _: None
) -> AsyncIterator[WorkQueue]:
    queue = WorkQueue("test", turn, due_in)
    async with worked_at(queue, workers):
        yield queue


async def settled() -> None:
    """Let everything that is ready run."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_key_that_waits_is_not_added_again() -> None:
    work = Work()
    work.gate.set()
    async with worked_at(WorkQueue("test", work.turn), begin_with="aaaaa"):
        await settled()
        assert work.turns == ["a"]


async def test_keys_come_in_their_order() -> None:
    work = Work()
    work.gate.set()
    async with worked_at(WorkQueue("test", work.turn), workers=1, begin_with="cabcab"):
        await settled()
        assert work.turns == ["c", "a", "b"]


async def test_changes_during_a_turn_make_one_more_turn_after_it() -> None:
    work = Work()
    async with running(work.turn) as queue:
        queue.add("a")
        await work.entered.wait()
        for _ in range(5):
            queue.add("a")
        await settled()
        assert work.turns == ["a"]
        work.gate.set()
        await settled()
        assert work.turns == ["a", "a"]
        assert work.most_inside == 1


async def test_one_slow_key_does_not_keep_the_others() -> None:
    slow = asyncio.Event()
    done: list[str] = []

    async def turn(key: str) -> None:
        if key == "slow":
            await slow.wait()
        done.append(key)

    async with running(turn, workers=2) as queue:
        queue.add("slow")
        for number in range(10):
            queue.add(str(number))
        await settled()
        assert len(done) == 10


async def test_a_turn_can_ask_for_the_next() -> None:
    turns: list[str] = []
    third = asyncio.Event()

    async def turn(key: str) -> float:
        turns.append(key)
        if len(turns) == 3:
            third.set()
        return 0.01

    async with running(turn) as queue, asyncio.timeout(SECONDS):
        queue.add("a")
        await third.wait()


async def test_the_earlier_of_two_times_counts() -> None:
    work = Work()
    work.gate.set()
    async with running(work.turn) as queue:
        queue.add_later("a", 0.01)
        queue.add_later("a", 3_600)
        async with asyncio.timeout(SECONDS):
            await work.entered.wait()


async def test_a_change_comes_before_a_later_time() -> None:
    work = Work()
    work.gate.set()
    async with running(work.turn) as queue:
        queue.add_later("a", 3_600)
        queue.add("a")
        await settled()
        assert work.turns == ["a"]


@pytest.mark.parametrize("error", [Requeue("stale"), RuntimeError("broken")])
async def test_a_turn_that_fails_comes_again_later_and_later(error: Exception) -> None:
    times: list[float] = []
    fourth = asyncio.Event()

    async def turn(key: str) -> None:
        times.append(asyncio.get_running_loop().time())
        if len(times) < 4:
            raise error
        fourth.set()

    async with running(turn) as queue, asyncio.timeout(SECONDS):
        queue.add("a")
        await fourth.wait()
    pauses = [later - earlier for earlier, later in pairwise(times)]
    # Each is twice as long as the one before; a busy machine makes any of them longer.
    assert all(pause >= least for pause, least in zip(pauses, (0.09, 0.19, 0.39), strict=True))


async def test_whatever_fails_a_key_has_a_turn_when_it_is_due() -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []
    late = asyncio.Event()

    async def turn(key: str) -> float | None:
        times.append(loop.time())
        if len(times) == 5:
            late.set()
            return None
        if len(times) < 4:
            raise RuntimeError("not yet")
        return 3_600

    async with (
        running(turn, due_in=lambda _: 0.3 if len(times) == 3 else 3_600) as queue,
        asyncio.timeout(SECONDS),
    ):
        queue.add("a")
        await late.wait()
    assert times[-1] - times[-2] >= 0.29


async def test_a_turn_that_lasts_until_the_key_is_due_is_followed_by_another() -> None:
    turns: list[str] = []
    second = asyncio.Event()

    async def turn(key: str) -> float:
        turns.append(key)
        if len(turns) == 2:
            second.set()
        await asyncio.sleep(0.2)
        return 3_600

    async with running(turn, due_in=lambda _: 0.1) as queue, asyncio.timeout(SECONDS):
        queue.add("a")
        await second.wait()


async def test_it_is_crowded_by_those_that_wait_and_those_that_have_their_turn() -> None:
    work = Work()
    async with running(work.turn) as queue:
        for number in range(8):
            queue.add(str(number))
        await settled()
        assert len(work.inside) == 4
        assert not queue.is_crowded
        queue.add("one more")
        assert queue.is_crowded
        work.gate.set()
        await settled()
        assert not queue.is_crowded


async def test_a_key_that_fails_does_not_slow_another() -> None:
    done: list[str] = []

    async def turn(key: str) -> None:
        if key == "bad":
            raise RuntimeError("always")
        done.append(key)

    async with running(turn, workers=1) as queue:
        queue.add("bad")
        for number in range(10):
            queue.add(str(number))
        await settled()
        assert len(done) == 10


async def test_a_queue_at_which_nobody_works_keeps_nothing() -> None:
    """A standby would collect all jobs there ever were."""
    work = Work()
    queue = WorkQueue("test", work.turn)
    queue.add("before")
    async with worked_at(queue, begin_with="a"):
        await settled()
        queue.add("b")
        queue.add("a")
        queue.add_later("c", 0.2)
    queue.add("after")
    assert not queue.is_crowded
    work.gate.set()
    async with worked_at(queue, begin_with="d"):
        await asyncio.sleep(0.3)  # when the time of "c" is over
        await settled()
    assert work.turns == ["a", "b", "d"]


async def test_turns_that_wait_for_nothing_leave_time_for_others() -> None:
    """A leader that begins looks at all jobs there are, and has a Lease to renew."""
    turns = 0

    async def turn(key: str) -> None:
        nonlocal turns
        turns += 1

    async with running(turn, workers=4) as queue:
        for number in range(1_000):
            queue.add(str(number))
        await asyncio.sleep(0)
        assert turns <= 4


async def test_each_line_of_a_turn_has_the_fields_of_its_key() -> None:
    logger = structlog.get_logger("test")

    async def turn(key: str) -> float | None:
        await asyncio.sleep(0)
        logger.info("turn")
        if key == "odd":
            raise Requeue("not yet")
        if key == "bad":
            raise RuntimeError("always")
        return None

    queue = WorkQueue("test", turn, log_fields=lambda key: {"trace": f"of {key}"})
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logged:
        async with worked_at(queue, begin_with=["good", "odd", "bad"]):
            await settled()
    told = {(line["event"], line["log_level"], line.get("key"), line["trace"]) for line in logged}
    assert told == {
        *(("turn", "info", None, f"of {key}") for key in ("good", "odd", "bad")),
        ("reconcile requeued", "debug", "odd", "of odd"),
        ("reconcile failed", "warning", "bad", "of bad"),
    }
