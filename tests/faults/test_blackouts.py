"""Blackouts, while something happens at the k-th write for a job."""

import asyncio
import contextlib
import uuid
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from krkn_grpc.resources import names
from tests.faults.conftest import ALL, StartBehind
from tests.faults.fault_kinds import EVERY, killed
from tests.faults.proxy import Call, Exchange, Fault
from tests.faults.scenarios import is_held, is_over, left_of, lived_rightly, version
from tests.faults.test_each_write import AtWrites
from tests.support.blackouts import blackout, lift
from tests.support.custom_objects import JOBS, Manifest
from tests.support.halts import label
from tests.support.jobs import Jobs
from tests.support.object_watch import ObjectWatch
from tests.support.waiting import eventually

SHORT = ("dropped after", "conflict")
SECONDS = 60.0


@dataclass(frozen=True)
class Case:
    """A job on a target of its own, and at which of its writes something happens."""

    number: int
    target: Manifest
    job: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def selector(self) -> str:
        """Selects its target alone."""
        return f"case=at-{self.number}"


async def cases(jobs: Jobs, numbers: range) -> list[Case]:
    """Make the targets."""
    made = [Case(number, await jobs.target()) for number in numbers]
    for case in made:
        await label(jobs, case.target, {"case": f"at-{case.number}"})
    return made


def reason(watch: ObjectWatch, job: str) -> str:
    found = (watch.latest(JOBS, job) or {}).get("status", {}).get("reason", "")
    return str(found)


async def ended(watch: ObjectWatch, case: Case) -> None:
    """Wait until the job has succeeded and nothing is left of it; it must have started once."""
    await watch.until("over", lambda: is_over(watch, case.job), seconds=SECONDS)
    await watch.until("tidy", lambda: not left_of(watch, case.job), seconds=SECONDS)
    lived_rightly(watch, case.job)
    status = watch.versions_of(JOBS, case.job)[-1]["status"]
    assert status["phase"] == "Succeeded", (case.number, status)


def nothing_started_while_it_waited(watch: ObjectWatch, case: Case) -> None:
    """No gate went between the first word that it waits and the last one."""
    waiting = [
        version(each)
        for each in watch.versions_of(JOBS, case.job)
        if each.get("status", {}).get("reason") == "Blackout"
    ]
    pods = watch.versions_of("pods", names.pod_for(case.job))
    free = [version(pod) for pod in pods if not is_held(pod)]
    assert not any(waiting[0] < each < waiting[-1] for each in free)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_blackout_comes_at_each_write(
    jobs: Jobs, behind_a_proxy: StartBehind, after: bool
) -> None:
    """Right before or right after a write of the controller's; also while its pod is gated."""
    behind = await behind_a_proxy()
    await behind.controller.start()
    dark = await cases(jobs, range(1, 7))
    made: dict[str, Manifest] = {}

    def at(case: Case) -> Fault:
        async def fault(exchange: Exchange) -> web.Response:
            answer = await exchange.forward() if after else None
            made[case.job] = await blackout(
                jobs.cluster, jobs.namespace, targetSelector=case.selector
            )
            return answer or await exchange.forward()

        return fault

    writes = AtWrites({case.job: (case.number, at(case)) for case in dark})
    behind.proxy.rule = writes.rule
    waited: set[int] = set()
    async with jobs.watch() as watch:

        async def live(case: Case) -> None:
            await jobs.job(case.target, jobId=case.job)
            await watch.until(
                "waiting or over",
                lambda: reason(watch, case.job) == "Blackout" or is_over(watch, case.job),
                seconds=SECONDS,
            )
            if reason(watch, case.job) == "Blackout":
                waited.add(case.number)
            if case.job in made:
                await lift(jobs.cluster, made[case.job])
            await ended(watch, case)
            if case.number in waited:
                nothing_started_while_it_waited(watch, case)

        await asyncio.gather(*map(live, dark))
    assert {1, 2} <= waited, f"it came too late for all but {waited}"


async def test_a_spare_pod_is_not_named_after_it_was_deleted(
    jobs: Jobs, behind_a_proxy: StartBehind
) -> None:
    """The blackout is lifted before the watch of pods tells of the deletion."""
    behind = await behind_a_proxy()
    await behind.controller.start()
    (case,) = await cases(jobs, range(1, 2))
    made: list[Manifest] = []
    deleted = asyncio.Event()

    async def darkened(exchange: Exchange) -> web.Response:
        behind.proxy.rule = lambda call: gone if is_pod(call, "DELETE") else None
        made.append(await blackout(jobs.cluster, jobs.namespace, targetSelector=case.selector))
        return await exchange.forward()

    async def gone(exchange: Exchange) -> web.Response:
        late.enter_context(behind.proxy.late("pods"))
        answer = await exchange.forward()
        deleted.set()
        return answer

    def is_pod(call: Call, method: str) -> bool:
        return call.method == method and "/pods" in call.path

    behind.proxy.rule = lambda call: darkened if is_pod(call, "POST") else None
    async with jobs.watch() as watch:
        with contextlib.ExitStack() as late:
            await jobs.job(case.target, jobId=case.job)
            await asyncio.wait_for(deleted.wait(), SECONDS)
            await lift(jobs.cluster, made[0])
            await jobs.when(case.job, lambda seen: "podUID" in seen)
        await ended(watch, case)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", EVERY if ALL else SHORT)
async def test_a_fault_at_each_write_for_a_job_that_waits(
    jobs: Jobs, behind_a_proxy: StartBehind, kind: str
) -> None:
    behind = await behind_a_proxy()
    await behind.controller.start()
    dark = await cases(jobs, range(1, 11))
    writes = AtWrites({case.job: (case.number, EVERY[kind]) for case in dark})
    behind.proxy.rule = writes.rule
    async with jobs.watch() as watch:

        async def live(case: Case) -> None:
            made = await blackout(jobs.cluster, jobs.namespace, targetSelector=case.selector)
            await jobs.job(case.target, jobId=case.job)
            await watch.until(
                "waiting", lambda: reason(watch, case.job) == "Blackout", seconds=SECONDS
            )
            await lift(jobs.cluster, made)
            await ended(watch, case)
            nothing_started_while_it_waited(watch, case)

        await asyncio.gather(*map(live, dark))
    hit = {case.number for case in dark if case.job in writes.happened}
    assert {1, 2, 3, 4, 5, 6} <= hit, f"only at writes {hit}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_at_each_write_for_a_job_that_waits(
    jobs: Jobs, behind_a_proxy: StartBehind, after: bool
) -> None:
    """The controller dies with kill -9; if the job waits then, it waits for the next one, too."""
    behind = await behind_a_proxy()
    controller = behind.controller
    await controller.start()

    async def has_ended() -> bool:
        return not controller.child.is_running

    async def again() -> None:
        await eventually(has_ended)
        behind.proxy.rule = lambda _: None
        await controller.start()

    async def live(case: Case, watch: ObjectWatch) -> None:
        writes = AtWrites({case.job: (case.number, killed(controller.kill, after=after))})
        behind.proxy.rule = writes.rule
        made = await blackout(jobs.cluster, jobs.namespace, targetSelector=case.selector)
        await jobs.job(case.target, jobId=case.job)
        await watch.until(
            "waiting or killed",
            lambda: reason(watch, case.job) == "Blackout" or case.job in writes.happened,
            seconds=SECONDS,
        )
        if case.job in writes.happened:
            await again()
            await watch.until(
                "waiting", lambda: reason(watch, case.job) == "Blackout", seconds=SECONDS
            )
        was_killed = case.job in writes.happened
        await lift(jobs.cluster, made)
        await watch.until(
            "over or killed",
            lambda: is_over(watch, case.job) or (not was_killed and case.job in writes.happened),
            seconds=SECONDS,
        )
        if not was_killed and case.job in writes.happened:
            await again()
        await ended(watch, case)

    async with jobs.watch() as watch:
        for case in await cases(jobs, range(1, 10 if ALL else 6)):
            await live(case, watch)
