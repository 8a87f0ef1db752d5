"""Something happens at the k-th write for a halted job, or of a call that halts or lifts a halt.

Each job has a target of its own, and each target a halt of its own.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import grpc
import pytest
from aiohttp import web

from krkn_grpc.v1 import halts_pb2 as pb
from krkn_grpc.v1.halts_pb2_grpc import HaltServiceStub
from tests.faults.conftest import ALL, StartBehind
from tests.faults.fault_kinds import EVERY, killed
from tests.faults.proxy import Call, Exchange, Fault
from tests.faults.scenarios import is_over, left_of, lived_rightly, phase
from tests.faults.test_each_write import AtWrites
from tests.faults.test_server_writes import AtWrite, Doubtful
from tests.faults.test_server_writes import doubtful as doubtful  # noqa: PLC0414  # a fixture
from tests.support.custom_objects import HALTS, JOBS, Manifest, collection
from tests.support.halts import halt, label, lift
from tests.support.jobs import Jobs
from tests.support.object_watch import ObjectWatch
from tests.support.waiting import eventually

T = TypeVar("T")
SHORT = ("dropped after", "conflict", "a page")
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


async def ended_halted(watch: ObjectWatch, case: Case) -> None:
    """Wait until the job is over and nothing is left of it; it must have ended as halted."""
    await watch.until("over", lambda: is_over(watch, case.job), seconds=SECONDS)
    await watch.until("tidy", lambda: not left_of(watch, case.job), seconds=SECONDS)
    lived_rightly(watch, case.job)
    status = watch.versions_of(JOBS, case.job)[-1]["status"]
    assert (status["phase"], status["reason"]) == ("Stopped", "Halted"), (case.number, status)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", EVERY if ALL else SHORT)
async def test_a_fault_at_each_write_for_a_halted_job(
    jobs: Jobs, behind_a_proxy: StartBehind, kind: str
) -> None:
    """The halt is lifted as soon as it has had its effect: the job ends as halted all the same."""
    behind = await behind_a_proxy()
    await behind.controller.start()
    halted = await cases(jobs, range(1, 13))
    writes = AtWrites({case.job: (case.number, EVERY[kind]) for case in halted})
    behind.proxy.rule = writes.rule
    async with jobs.watch() as watch:

        async def live(case: Case) -> None:
            await jobs.job(case.target, "never-ends", jobId=case.job)
            await watch.until(
                "running", lambda: phase(watch, case.job) == "Running", seconds=SECONDS
            )
            made = await halt(jobs.cluster, jobs.namespace, targetSelector=case.selector)
            await watch.until("halted", lambda: reason(watch, case.job), seconds=SECONDS)
            await lift(jobs.cluster, made)
            await ended_halted(watch, case)

        await asyncio.gather(*map(live, halted))
    hit = {case.number for case in halted if case.job in writes.happened}
    assert {1, 2, 3, 4, 5, 6, 7, 8} <= hit, f"only at writes {hit}"


def reason(watch: ObjectWatch, job: str) -> bool:
    """Whether the job says that it is halted."""
    found = (watch.latest(JOBS, job) or {}).get("status", {})
    return bool(found.get("reason") == "Halted")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_halt_comes_at_each_write(
    jobs: Jobs, behind_a_proxy: StartBehind, after: bool
) -> None:
    """Right before or right after a write of the controller's; also while its pod is gated."""
    behind = await behind_a_proxy()
    await behind.controller.start()
    halted = await cases(jobs, range(1, 7))

    def at(case: Case) -> Fault:
        async def fault(exchange: Exchange) -> web.Response:
            answer = await exchange.forward() if after else None
            await halt(jobs.cluster, jobs.namespace, targetSelector=case.selector)
            return answer or await exchange.forward()

        return fault

    writes = AtWrites({case.job: (case.number, at(case)) for case in halted})
    behind.proxy.rule = writes.rule
    async with jobs.watch() as watch:

        async def live(case: Case) -> None:
            await jobs.job(case.target, "never-ends", jobId=case.job)
            await watch.until(
                "done",
                lambda: case.job in writes.happened or phase(watch, case.job) == "Running",
                seconds=SECONDS,
            )
            if case.job not in writes.happened:
                await halt(jobs.cluster, jobs.namespace, targetSelector=case.selector)
            await ended_halted(watch, case)

        await asyncio.gather(*map(live, halted))
    assert {1, 2, 3, 4, 5} <= {case.number for case in halted if case.job in writes.happened}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_at_each_write_for_a_halted_job(
    jobs: Jobs, behind_a_proxy: StartBehind, after: bool
) -> None:
    """The controller dies with kill -9, and the halt is lifted before it comes back."""
    behind = await behind_a_proxy()
    controller = behind.controller
    await controller.start()

    async def live(case: Case, watch: ObjectWatch) -> None:
        await jobs.job(case.target, "never-ends", jobId=case.job)
        await watch.until("running", lambda: phase(watch, case.job) == "Running", seconds=SECONDS)
        writes = AtWrites({case.job: (case.number, killed(controller.kill, after=after))})
        behind.proxy.rule = writes.rule
        made = await halt(jobs.cluster, jobs.namespace, targetSelector=case.selector)
        await watch.until(
            "killed or over",
            lambda: case.job in writes.happened or is_over(watch, case.job),
            seconds=SECONDS,
        )
        # Before the first write nothing says of the job that it was halted.
        if case.number > 1 or after:
            await lift(jobs.cluster, made)
        if case.job in writes.happened:
            await eventually(has_ended)
            behind.proxy.rule = lambda _: None
            await controller.start()
        await ended_halted(watch, case)

    async def has_ended() -> bool:
        return not controller.child.is_running

    async with jobs.watch() as watch:
        for case in await cases(jobs, range(1, 6 if ALL else 4)):
            await live(case, watch)


async def stored(doubtful: Doubtful) -> list[Manifest]:
    path = collection(HALTS, doubtful.site.namespace)
    items: list[Manifest] = (await doubtful.site.cluster.request("GET", path))["items"]
    return items


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", EVERY if ALL else SHORT)
async def test_a_fault_as_a_halt_is_made_and_lifted(doubtful: Doubtful, kind: str) -> None:
    """The caller repeats what was not answered, and then there is one halt, and then none."""
    stub = HaltServiceStub(doubtful.server.channel)
    at = AtWrite(1, EVERY[kind])
    doubtful.proxy.rule = at.rule
    request = pb.CreateHaltRequest(reason="an incident", target_selector="halted")
    made = await repeated(lambda: stub.CreateHalt(request))
    assert at.writes >= 1
    assert [each["metadata"]["name"] for each in await stored(doubtful)] == [made.name]
    doubtful.proxy.rule = AtWrite(1, EVERY[kind]).rule
    lifting = pb.DeleteHaltRequest(name=made.name)
    try:
        await repeated(lambda: stub.DeleteHalt(lifting))
    except grpc.aio.AioRpcError as error:
        # An earlier attempt has done it.
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
    assert await stored(doubtful) == []


async def repeated(call: Callable[[], Awaitable[T]]) -> T:
    """Call until there is an answer that is no excuse."""
    for _ in range(5):
        try:
            return await call()
        except grpc.aio.AioRpcError as error:
            excuses = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED)
            if error.code() not in excuses:
                raise
    raise AssertionError("it always has an excuse")


@pytest.mark.parametrize("what", ["list", "watch"])
async def test_halts_that_cannot_be_listed_let_nothing_start(
    jobs: Jobs, behind_a_proxy: StartBehind, what: str
) -> None:
    """Without lists nothing starts; without a watch a halt is found in the lists."""
    behind = await behind_a_proxy()
    await behind.controller.start()
    target = await jobs.target()
    running = await jobs.job(target, "never-ends")
    await jobs.running(running)

    def rule(call: Call) -> Fault | None:
        if not call.path.endswith(f"/{HALTS}"):
            return None
        return EVERY["internal error"] if call.is_watch == (what == "watch") else None

    behind.proxy.rule = rule
    if what == "watch":
        behind.proxy.cut_watches()
        await halt(jobs.cluster, jobs.namespace)
        status = await jobs.finished(running)
        assert (status["phase"], status["reason"]) == ("Stopped", "Halted")
    else:
        await behind.controller.logged("krknchaoshalts not listed")
        await asyncio.sleep(11)
        waiting = await jobs.job(target)
        assert "podUID" not in await jobs.waiting(waiting, "HaltsUnknown")
        assert (await jobs.status(running))["phase"] == "Running"
        behind.proxy.rule = lambda _: None
        assert (await jobs.finished(waiting))["phase"] == "Succeeded"
