"""The ids of jobs are claimed in their run's status: few writes for many, one job for each id."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from controller.jobs.claims import Claims
from controller.jobs.create_errors import StartRefused
from controller.work_queue import Requeue
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.session import Session
from krkn_grpc.resources import ids
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun, ChaosRunSpec, ClaimedRun, RunTarget
from krkn_grpc.resources.meta import ObjectMeta
from tests.faults.fault_kinds import dropped_after, dropped_before, held, refused
from tests.faults.proxy import Call, Exchange, Fault, FaultProxy
from tests.support.controllers import ACCOUNT
from tests.support.jobs import Jobs
from tests.unit.controller.jobs.builders import a_job

JOBS = 200


@pytest_asyncio.fixture
async def proxy(control_plane: ControlPlane) -> AsyncIterator[FaultProxy]:
    proxy = FaultProxy(control_plane.url, control_plane.ca_pem)
    async with proxy.serving():
        yield proxy


@pytest_asyncio.fixture
async def session(jobs: Jobs, proxy: FaultProxy, tmp_path: Path) -> AsyncIterator[Session]:
    """Calls of the controller's account, through the proxy."""
    kubeconfig = tmp_path / "kubeconfig"
    cluster = jobs.cluster
    await cluster.write_account_kubeconfig(kubeconfig, jobs.namespace, ACCOUNT, url=proxy.url)
    async with Session(await ClusterAccess.load(kubeconfig)) as started:
        yield started


@pytest.fixture
def runs(session: Session, jobs: Jobs) -> ResourceClient[ClaimedRun]:
    """The claims of runs, by that session."""
    return ResourceClient(session, ClaimedRun, jobs.namespace)


@pytest_asyncio.fixture
async def as_admin(
    jobs: Jobs, control_plane: ControlPlane
) -> AsyncIterator[ResourceClient[ChaosRun]]:
    """The runs, for who makes and deletes them."""
    async with Session(await ClusterAccess.load(control_plane.admin_kubeconfig)) as session:
        yield ResourceClient(session, ChaosRun, jobs.namespace)


@pytest_asyncio.fixture
async def run(as_admin: ResourceClient[ChaosRun]) -> ChaosRun:
    return await a_run(as_admin)


async def a_run(runs: ResourceClient[ChaosRun]) -> ChaosRun:
    asked = RunTarget(target_uuid=str(uuid.uuid4()), job_id=ids.new_id())
    spec = ChaosRunSpec(
        targets=[asked], fingerprint="a call", scenario_name="pod", scenario_image="quay.io/a/b"
    )
    metadata = ObjectMeta(name=str(uuid.uuid4()), namespace=runs.namespace)
    return await runs.create(ChaosRun(metadata=metadata, spec=spec))


def of(run: ChaosRun, count: int = JOBS) -> list[ChaosJob]:
    """Return jobs of this run."""
    spec = msgspec.structs.replace(a_job().spec, run_id=run.metadata.name, run_uid=run.metadata.uid)
    return [
        ChaosJob(
            metadata=ObjectMeta(
                name=ids.new_id(), namespace=run.metadata.namespace, uid=str(uuid.uuid4())
            ),
            spec=spec,
        )
        for _ in range(count)
    ]


def anew(job: ChaosJob) -> ChaosJob:
    """Return the job as it is created again after it was deleted."""
    metadata = msgspec.structs.replace(job.metadata, uid=str(uuid.uuid4()))
    return msgspec.structs.replace(job, metadata=metadata)


async def claimed(runs: ResourceClient[ClaimedRun], run: ChaosRun) -> dict[str, str]:
    """Return the claims in a run: uids by job id."""
    return (await runs.get(run.metadata.name)).status.claims


def all_of(jobs: Iterable[ChaosJob]) -> dict[str, str]:
    return {job.metadata.name: job.metadata.uid for job in jobs}


def writes(proxy: FaultProxy) -> int:
    return sum(call.method == "PATCH" for call in proxy.calls)


async def test_many_at_once_take_few_writes(
    runs: ResourceClient[ClaimedRun],
    run: ChaosRun,
    as_admin: ResourceClient[ChaosRun],
    proxy: FaultProxy,
) -> None:
    other = await a_run(as_admin)
    jobs, others = of(run), of(other)
    claims = Claims(runs)
    await asyncio.gather(*map(claims.claim, jobs + others))
    assert await claimed(runs, run) == all_of(jobs)
    assert await claimed(runs, other) == all_of(others)
    assert all(map(claims.has, jobs + others))
    assert writes(proxy) == 4, "the first of each, and then all that came meanwhile"
    stored = await as_admin.get(run.metadata.name)
    assert stored.spec == run.spec
    assert stored.status == run.status, "nothing but claims"


async def test_a_claim_that_is_there_is_not_written_again(
    runs: ResourceClient[ClaimedRun], run: ChaosRun, proxy: FaultProxy
) -> None:
    [job] = of(run, 1)
    for _ in range(2):
        await Claims(runs).claim(job)
    assert writes(proxy) == 1


async def test_a_job_that_was_created_again_is_refused(
    runs: ResourceClient[ClaimedRun], run: ChaosRun
) -> None:
    [job] = of(run, 1)
    await Claims(runs).claim(job)
    for claims in (Claims(runs), Claims(runs)):
        with pytest.raises(StartRefused) as refused:
            await claims.claim(anew(job))
        assert refused.value.refusal.reason == "AlreadyRan"
    assert await claimed(runs, run) == all_of([job])


async def test_of_two_leaders_one_has_the_id(
    runs: ResourceClient[ClaimedRun], run: ChaosRun
) -> None:
    """Each knows another job of the same id, and both write at the same moment."""
    firsts = of(run, 20)
    seconds = list(map(anew, firsts))
    one, other = Claims(runs), Claims(runs)
    told = await asyncio.gather(
        *map(one.claim, firsts), *map(other.claim, seconds), return_exceptions=True
    )
    for first, second in zip(told[:20], told[20:], strict=True):
        assert [first, second].count(None) == 1, "one of them, and one only"
    winners = [job for job, result in zip(firsts + seconds, told, strict=True) if result is None]
    assert await claimed(runs, run) == all_of(winners)


@pytest.mark.parametrize("is_replaced", [False, True], ids=["gone", "another in its place"])
async def test_without_its_run_no_job_starts(
    runs: ResourceClient[ClaimedRun],
    run: ChaosRun,
    as_admin: ResourceClient[ChaosRun],
    is_replaced: bool,
) -> None:
    [job] = of(run, 1)
    await as_admin.delete(run.metadata.name)
    if is_replaced:
        await as_admin.create(
            msgspec.structs.replace(run, metadata=ObjectMeta(name=run.metadata.name))
        )
    with pytest.raises(StartRefused) as refused:
        await Claims(runs).claim(job)
    assert refused.value.refusal.reason == "RunDeleted"


def test_a_job_that_has_no_run_needs_no_claim(runs: ResourceClient[ClaimedRun]) -> None:
    assert Claims(runs).has(a_job())


@pytest.mark.parametrize("fault", [dropped_before, dropped_after])
async def test_a_failed_write_is_told_to_all_that_it_was_for(
    runs: ResourceClient[ClaimedRun], run: ChaosRun, proxy: FaultProxy, fault: Fault
) -> None:
    jobs, claims = of(run), Claims(runs)

    def second_fails(call: Call) -> Fault | None:
        return fault if call.method == "PATCH" and writes(proxy) == 2 else None

    proxy.rule = second_fails
    told = await asyncio.gather(*map(claims.claim, jobs), return_exceptions=True)
    assert told[0] is None
    assert isinstance(told[1], Exception)
    assert all(isinstance(error, Requeue) for error in told[2:]), "its write was theirs too"
    assert [claims.has(job) for job in jobs] == [True] + [False] * (JOBS - 1)
    await asyncio.gather(*map(claims.claim, jobs[1:]))
    assert await claimed(runs, run) == all_of(jobs)


async def test_a_conflict_is_looked_into_at_once(
    runs: ResourceClient[ClaimedRun], run: ChaosRun, proxy: FaultProxy
) -> None:
    [job] = of(run, 1)
    proxy.rule = lambda call: (
        refused(409, "Conflict") if call.method == "PATCH" and writes(proxy) == 1 else None
    )
    await Claims(runs).claim(job)
    assert await claimed(runs, run) == all_of([job])


async def test_who_writes_for_all_may_be_cancelled(
    runs: ResourceClient[ClaimedRun], run: ChaosRun, proxy: FaultProxy
) -> None:
    jobs, claims = of(run, 3), Claims(runs)
    arrived = asyncio.Event()

    async def hangs(exchange: Exchange) -> web.StreamResponse:
        arrived.set()
        return await held(asyncio.Event())(exchange)

    def second_hangs(call: Call) -> Fault | None:
        return hangs if call.method == "PATCH" and writes(proxy) == 2 else None

    proxy.rule = second_hangs
    tasks = [asyncio.ensure_future(claims.claim(job)) for job in jobs]
    await arrived.wait()
    tasks[1].cancel()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert told[0] is None
    assert isinstance(told[1], asyncio.CancelledError)
    assert isinstance(told[2], Requeue)
    await claims.claim(jobs[2])
    assert claims.has(jobs[2])
