"""Something happens at the k-th write for a job: every k, every fault, every way of a job.

One controller works on all these jobs at the same time, each with its own fault.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from tests.faults.conftest import ALL, StartBehind
from tests.faults.fault_kinds import EVERY
from tests.faults.proxy import Call, Exchange, Fault
from tests.faults.scenarios import PLAYS, Play
from tests.support.custom_objects import Manifest
from tests.support.jobs import Jobs
from tests.support.object_watch import ObjectWatch

# A job has fewer writes, unless they are repeated.
MOST_WRITES = 12
SHORT = ("dropped after", "conflict")


@dataclass
class AtWrites:
    """Does something at the k-th write for a job, once."""

    faults: dict[str, tuple[int, Fault]] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)
    happened: set[str] = field(default_factory=set)

    def rule(self, call: Call) -> Fault | None:
        """Return what happens to this call."""
        if not call.is_write or call.is_event or call.job not in self.faults:
            return None
        self.writes[call.job] += 1
        at, fault = self.faults[call.job]
        if self.writes[call.job] != at:
            return None
        self.happened.add(call.job)
        return fault


@dataclass(frozen=True)
class Case:
    """A job with its play, and at which of its writes something happens."""

    play: Play
    number: int
    job: str = field(default_factory=lambda: str(uuid.uuid4()))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", EVERY if ALL else SHORT)
async def test_a_fault_at_each_write(jobs: Jobs, behind_a_proxy: StartBehind, kind: str) -> None:
    behind = await behind_a_proxy()
    await behind.controller.start()
    target = await jobs.target()
    cases = [Case(play, number) for play in PLAYS for number in range(1, MOST_WRITES + 1)]
    writes = AtWrites({case.job: (case.number, EVERY[kind]) for case in cases})
    behind.proxy.rule = writes.rule
    async with jobs.watch() as watch:
        await all_right(
            watch, {case: case.play.act(jobs, watch, target, case.job) for case in cases}
        )
    for play in PLAYS:
        hit = {case.number for case in cases if case.play is play and case.job in writes.happened}
        needed = {1} if play.deed == "stop at once" else {1, 2, 3, 4, 5}
        assert needed <= hit, f"{play.name}: only at writes {hit}"


DEEDS = ("stop", "delete the pod", "delete the job")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("deed", DEEDS)
async def test_someone_acts_at_each_write(
    jobs: Jobs, behind_a_proxy: StartBehind, deed: str
) -> None:
    """A stop or a deletion comes right before or right after any write of the controller's.

    A job that was deleted or stopped too late, or whose pod was not yet there, is stopped at the
    end: what it has seen by then does no harm.
    """
    behind = await behind_a_proxy()
    await behind.controller.start()
    target = await jobs.target()
    plays = {
        after: Play(f"{deed} {after}", "never-ends", "nothing", ()) for after in ("before", "after")
    }
    cases = [Case(play, number) for play in plays.values() for number in range(1, 8)]

    def at(case: Case) -> Fault:
        is_after = case.play is plays["after"]

        async def fault(exchange: Exchange) -> web.Response:
            answer = await exchange.forward() if is_after else None
            await act(jobs, deed, case.job)
            return answer or await exchange.forward()

        return fault

    writes = AtWrites({case.job: (case.number, at(case)) for case in cases})
    behind.proxy.rule = writes.rule
    async with jobs.watch() as watch:

        async def live(case: Case) -> None:
            await jobs.job(target, "never-ends", jobId=case.job)
            await watch.until(
                "done", lambda: case.job in writes.happened or runs(watch, case.job), seconds=60
            )
            if case.job not in writes.happened or deed == "delete the pod":
                await jobs.stop(case.job)
            await case.play.over(watch, case.job)

        await all_right(watch, {case: live(case) for case in cases})
    assert {case.number for case in cases if case.job in writes.happened} >= {1, 2, 3, 4, 5}


def runs(watch: ObjectWatch, job: str) -> bool:
    found: Manifest = watch.latest("krknchaosjobs", job) or {}
    return bool(found.get("status", {}).get("phase") == "Running")


async def act(jobs: Jobs, deed: str, job: str) -> None:
    """Do it; that there is nothing to do it to yet is no fault."""
    acts: dict[str, Callable[[str], Awaitable[None]]] = {
        "stop": jobs.stop,
        "delete the job": jobs.delete,
        "delete the pod": jobs.delete_pod_if_there,
    }
    await acts[deed](job)


async def all_right(watch: ObjectWatch, lives: dict[Case, Awaitable[None]]) -> None:
    """Let all live at the same time, and assert of each what must be true of every job."""
    ended = await asyncio.gather(*lives.values(), return_exceptions=True)
    wrong = []
    for case, result in zip(lives, ended, strict=True):
        try:
            if isinstance(result, BaseException):
                raise result
            case.play.check(watch, case.job)
        except AssertionError as error:
            wrong.append(f"{case.play.name}, write {case.number}, job {case.job}: {error}")
    assert not wrong, "\n".join(wrong)
