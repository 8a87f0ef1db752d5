"""Two controllers that both believe to lead, and writes that take effect long after they were sent.

A Lease fences nobody off. What keeps these from doing harm is in each write itself.
"""

import asyncio
import uuid
from collections import Counter

import pytest

from tests.faults.conftest import ALL, Behind, StartBehind
from tests.faults.fault_kinds import dropped_before, held
from tests.faults.forged_lease import Lie
from tests.faults.proxy import Call, Fault
from tests.faults.scenarios import PLAYS
from tests.faults.test_each_write import Case, all_right
from tests.support.controllers import Controller
from tests.support.jobs import Jobs
from tests.support.waiting import eventually

MOST_WRITES = 8


async def until_leading(controller: Controller) -> None:
    async def look() -> bool:
        return controller.is_leading

    await eventually(look)


@pytest.mark.timeout(300)
async def test_a_write_that_arrives_when_another_one_leads(
    jobs: Jobs, behind_a_proxy: StartBehind
) -> None:
    """The k-th write of each job is held on its way until another leader has ended the job."""
    first, second = await behind_a_proxy(), await behind_a_proxy()
    await first.controller.start()
    await first.controller.logged("leading")
    await second.controller.start()
    target = await jobs.target()
    cases = [Case(play, number) for play in PLAYS for number in range(1, MOST_WRITES + 1)]
    at = {case.job: case.number for case in cases}
    arrive = {case.job: asyncio.Event() for case in cases}
    writes: Counter[str] = Counter()
    all_held = asyncio.Event()
    is_cut_off = False

    def rule(call: Call) -> Fault | None:
        if call.is_election:
            return dropped_before if is_cut_off else None
        if not call.is_write or call.is_event or call.job not in at:
            return None
        writes[call.job] += 1
        return held(arrive[call.job]) if writes[call.job] == at[call.job] else None

    first.proxy.rule = rule

    async def live(case: Case) -> None:
        playing = asyncio.create_task(case.play.act(jobs, watch, target, case.job))
        await all_held.wait()
        await second.controller.logged("leading")
        await playing
        # Now the write of the former leader takes effect, or does not.
        arrive[case.job].set()
        await asyncio.sleep(1)  # long enough for it to be sent
        await case.play.over(watch, case.job)

    async def has_come_far() -> bool:
        return {at[job] for job in at if writes[job] >= at[job]} >= {1, 2, 3, 4, 5}

    async def cut_off() -> None:
        nonlocal is_cut_off
        await asyncio.sleep(3)  # most jobs have come to their write by then, on a machine at rest
        await eventually(has_come_far, seconds=60)
        is_cut_off = True
        all_held.set()

    async with jobs.watch() as watch:
        await asyncio.gather(cut_off(), all_right(watch, {case: live(case) for case in cases}))
    assert first.controller.child.is_running
    assert not first.controller.is_leading


@pytest.mark.timeout(300)
async def test_both_lead(jobs: Jobs, behind_a_proxy: StartBehind) -> None:
    """Each is told that its Lease is renewed: both act on every job, all the time."""
    first, second = [await behind_a_proxy(log_level="debug") for _ in range(2)]
    leases = {id(first.proxy): Lie(), id(second.proxy): Lie()}
    for behind in (first, second):
        behind.proxy.rule = leases[id(behind.proxy)].rule
        await behind.controller.start()
        await behind.controller.logged("leading")
    target = await jobs.target()
    cases = [Case(play, number, str(uuid.uuid4())) for play in PLAYS for number in range(8)]
    async with jobs.watch() as watch:
        await all_right(
            watch, {case: case.play.act(jobs, watch, target, case.job) for case in cases}
        )
    for behind in (first, second):
        assert behind.controller.is_leading
        assert any(line["event"] == "acted" for line in behind.controller.events())


async def _freeze(leader: Behind) -> None:
    leader.controller.child.pause()


async def _thaw(leader: Behind) -> None:
    leader.controller.child.resume()


async def _kill(leader: Behind) -> None:
    await leader.controller.kill()


async def _start(leader: Behind) -> None:
    leader.controller.start_soon()


async def _cut_off(leader: Behind) -> None:
    leader.proxy.rule = lambda _: dropped_before
    leader.proxy.cut_watches()


async def _join(leader: Behind) -> None:
    await leader.controller.logged("not leading any more")
    leader.proxy.rule = lambda _: None


HARM = {"frozen": (_freeze, _thaw), "killed": (_kill, _start), "cut off": (_cut_off, _join)}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", HARM)
async def test_the_leader_goes_past_its_lease_and_comes_back(
    jobs: Jobs, behind_a_proxy: StartBehind, how: str
) -> None:
    """Jobs are under way as it goes; each time another one takes over, and then the first again."""
    both = [await behind_a_proxy(), await behind_a_proxy()]
    for behind in both:
        await behind.controller.start()
    await both[0].controller.logged("leading")
    target = await jobs.target()
    harm, heal = HARM[how]

    async def go_and_come() -> None:
        for leader, standby in (both, both[::-1]):
            await asyncio.sleep(0.7)  # in the middle of the work
            await harm(leader)
            await until_leading(standby.controller)
            await heal(leader)

    cases = [Case(play, number) for play in PLAYS for number in range(6 if ALL else 3)]
    async with jobs.watch() as watch:
        going = asyncio.create_task(go_and_come())
        await all_right(
            watch, {case: case.play.act(jobs, watch, target, case.job) for case in cases}
        )
        await going
