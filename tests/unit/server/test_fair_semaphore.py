"""Places go round by caller, and none is lost."""

import asyncio

import pytest

from krkn_grpc.server.fair_semaphore import FairSemaphore

LATE = TimeoutError("late")


async def settled() -> None:
    """Let everything that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


class Doors:
    """Who has got a place, in this order, and keeps it until `close`."""

    def __init__(self, places: int) -> None:
        self.turns = FairSemaphore(places)
        self.entered: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._may_leave: dict[str, asyncio.Event] = {}

    def come(self, *names: str) -> None:
        """Let them come in this order; the caller is the first letter."""
        for name in names:
            self._may_leave[name] = asyncio.Event()
            self._tasks.append(asyncio.create_task(self._stay(name)))

    async def leave(self, *names: str) -> None:
        for name in names:
            self._may_leave[name].set()
            await settled()

    async def give_up(self, name: str) -> None:
        task = self._tasks[list(self._may_leave).index(name)]
        task.cancel()
        await asyncio.wait([task])

    async def _stay(self, name: str) -> None:
        async with self.turns.turn(name[0]):
            self.entered.append(name)
            await self._may_leave[name].wait()


async def test_who_asks_for_much_waits_alone() -> None:
    doors = Doors(1)
    doors.come("a1", "a2", "a3", "b1", "a4", "c1", "b2")
    await settled()
    await doors.leave("a1", "a2", "b1", "c1", "a3", "b2", "a4")
    assert doors.entered == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


async def test_as_many_are_in_as_there_are_places() -> None:
    doors = Doors(2)
    doors.come("a1", "a2", "a3", "b1")
    await settled()
    assert doors.entered == ["a1", "a2"]
    await doors.leave("a2")
    assert doors.entered == ["a1", "a2", "a3"]
    await doors.leave("a1", "a3", "b1")
    doors.come("c1", "c2", "c3")
    await settled()
    assert doors.entered[4:] == ["c1", "c2"]


async def test_who_gives_up_takes_no_turn() -> None:
    doors = Doors(1)
    doors.come("a1", "b1", "c1")
    await settled()
    await doors.give_up("b1")
    await doors.leave("a1")
    assert doors.entered == ["a1", "c1"]


async def test_who_gives_up_as_the_place_comes_passes_it_on() -> None:
    doors = Doors(1)
    doors.come("a1", "b1", "c1")
    await settled()
    doors.turns.give_back()  # for a1
    await doors.give_up("b1")
    await settled()
    assert doors.entered == ["a1", "c1"]


async def test_each_item_has_a_place_and_its_result() -> None:
    at_once, most = 0, 0

    async def work(item: str) -> str:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.001)
        at_once -= 1
        return item * 2

    items = [str(number) for number in range(50)]
    done = await FairSemaphore(7).each("a", items, work, seconds=20, late=LATE)
    assert done == {item: item * 2 for item in items}
    assert list(done) == items
    assert most == 7


async def test_what_has_no_place_in_time_is_late_and_was_never_begun() -> None:
    turns, begun = FairSemaphore(1), []

    async def work(item: str) -> str:
        begun.append(item)
        await asyncio.sleep(0.2)
        return item

    done = await turns.each("a", ["1", "2", "3"], work, seconds=0.05, late=LATE)
    assert done == {"1": "1", "2": LATE, "3": LATE}
    assert begun == ["1"]
    async with asyncio.timeout(1), turns.turn("b"):
        pass


async def test_who_leaves_takes_the_work_with_them() -> None:
    turns = FairSemaphore(1)

    async def work(item: str) -> None:
        await asyncio.sleep(60)

    task = asyncio.create_task(turns.each("a", ["1", "2"], work, seconds=60, late=LATE))
    await settled()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(1), turns.turn("b"):
        pass
