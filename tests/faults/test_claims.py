"""The ids of jobs are claimed in their call's record: few writes for many, one job for each id."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from controller.jobs.claims import Claims
from controller.jobs.create_errors import StartRefused
from controller.jobs.sweep import JobSweep
from controller.work_queue import Requeue
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.resources import ids, names, well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Lease, LeaseSpec, Secret
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
def leases(session: Session, jobs: Jobs) -> ResourceClient[Lease]:
    """The Leases, by that session."""
    return ResourceClient(session, Lease, jobs.namespace)


async def a_record(leases: ResourceClient[Lease]) -> Lease:
    name = names.request_record(str(uuid.uuid4()))
    metadata = ObjectMeta(name=name, namespace=leases.namespace)
    return await leases.create(Lease(metadata=metadata, spec=LeaseSpec(holder_identity="a call")))


def of(record: Lease, count: int = JOBS) -> list[ChaosJob]:
    """Return jobs of a call that have this record."""
    run_id = record.metadata.name.removeprefix(names.REQUEST_RECORD)
    spec = msgspec.structs.replace(a_job().spec, run_id=run_id, run_uid=record.metadata.uid)
    return [
        ChaosJob(
            metadata=ObjectMeta(
                name=ids.new_id(), namespace=record.metadata.namespace, uid=str(uuid.uuid4())
            ),
            spec=spec,
        )
        for _ in range(count)
    ]


def anew(job: ChaosJob) -> ChaosJob:
    """Return the job as it is created again after it was deleted."""
    metadata = msgspec.structs.replace(job.metadata, uid=str(uuid.uuid4()))
    return msgspec.structs.replace(job, metadata=metadata)


async def claimed(leases: ResourceClient[Lease], record: Lease) -> dict[str, str]:
    """Return the claims in a record: uids by annotation."""
    annotations = (await leases.get(record.metadata.name)).metadata.annotations
    return {key: uid for key, uid in annotations.items() if key.startswith(well_known.claimed(""))}


def all_of(jobs: Iterable[ChaosJob]) -> dict[str, str]:
    return {well_known.claimed(job.metadata.name): job.metadata.uid for job in jobs}


def writes(proxy: FaultProxy) -> int:
    return sum(call.method == "PATCH" for call in proxy.calls)


async def test_many_at_once_take_few_writes(
    leases: ResourceClient[Lease], proxy: FaultProxy
) -> None:
    record, other = await a_record(leases), await a_record(leases)
    jobs, others = of(record), of(other)
    claims = Claims(leases)
    await asyncio.gather(*map(claims.claim, jobs + others))
    assert await claimed(leases, record) == all_of(jobs)
    assert await claimed(leases, other) == all_of(others)
    assert all(map(claims.has, jobs + others))
    assert writes(proxy) == 4, "the first of each, and then all that came meanwhile"
    assert (await leases.get(record.metadata.name)).spec.holder_identity == "a call"


async def test_a_claim_that_is_there_is_not_written_again(
    leases: ResourceClient[Lease], proxy: FaultProxy
) -> None:
    record = await a_record(leases)
    [job] = of(record, 1)
    for _ in range(2):
        await Claims(leases).claim(job)
    assert writes(proxy) == 1


async def test_a_job_that_was_created_again_is_refused(leases: ResourceClient[Lease]) -> None:
    record = await a_record(leases)
    [job] = of(record, 1)
    await Claims(leases).claim(job)
    for claims in (Claims(leases), Claims(leases)):
        with pytest.raises(StartRefused) as refused:
            await claims.claim(anew(job))
        assert refused.value.refusal.reason == "AlreadyRan"
    assert await claimed(leases, record) == all_of([job])


async def test_of_two_leaders_one_has_the_id(leases: ResourceClient[Lease]) -> None:
    """Each knows another job of the same id, and both write at the same moment."""
    record = await a_record(leases)
    firsts = of(record, 20)
    seconds = list(map(anew, firsts))
    one, other = Claims(leases), Claims(leases)
    told = await asyncio.gather(
        *map(one.claim, firsts), *map(other.claim, seconds), return_exceptions=True
    )
    for first, second in zip(told[:20], told[20:], strict=True):
        assert [first, second].count(None) == 1, "one of them, and one only"
    winners = [job for job, result in zip(firsts + seconds, told, strict=True) if result is None]
    assert await claimed(leases, record) == all_of(winners)


@pytest.mark.parametrize("is_replaced", [False, True], ids=["gone", "another in its place"])
async def test_without_its_record_no_job_starts(
    leases: ResourceClient[Lease], is_replaced: bool
) -> None:
    record = await a_record(leases)
    [job] = of(record, 1)
    await leases.delete(record.metadata.name)
    if is_replaced:
        await leases.create(Lease(metadata=ObjectMeta(name=record.metadata.name)))
    with pytest.raises(StartRefused) as refused:
        await Claims(leases).claim(job)
    assert refused.value.refusal.reason == "RunDeleted"


def test_a_job_that_has_no_record_needs_no_claim(leases: ResourceClient[Lease]) -> None:
    assert Claims(leases).has(a_job())


@pytest.mark.parametrize("fault", [dropped_before, dropped_after])
async def test_a_failed_write_is_told_to_all_that_it_was_for(
    leases: ResourceClient[Lease], proxy: FaultProxy, fault: Fault
) -> None:
    record = await a_record(leases)
    jobs, claims = of(record), Claims(leases)

    def second_fails(call: Call) -> Fault | None:
        return fault if call.method == "PATCH" and writes(proxy) == 2 else None

    proxy.rule = second_fails
    told = await asyncio.gather(*map(claims.claim, jobs), return_exceptions=True)
    assert told[0] is None
    assert isinstance(told[1], Exception)
    assert all(isinstance(error, Requeue) for error in told[2:]), "its write was theirs too"
    assert [claims.has(job) for job in jobs] == [True] + [False] * (JOBS - 1)
    await asyncio.gather(*map(claims.claim, jobs[1:]))
    assert await claimed(leases, record) == all_of(jobs)


async def test_a_conflict_is_looked_into_at_once(
    leases: ResourceClient[Lease], proxy: FaultProxy
) -> None:
    record = await a_record(leases)
    [job] = of(record, 1)
    proxy.rule = lambda call: (
        refused(409, "Conflict") if call.method == "PATCH" and writes(proxy) == 1 else None
    )
    await Claims(leases).claim(job)
    assert await claimed(leases, record) == all_of([job])


async def test_who_writes_for_all_may_be_cancelled(
    leases: ResourceClient[Lease], proxy: FaultProxy
) -> None:
    record = await a_record(leases)
    jobs, claims = of(record, 3), Claims(leases)
    arrived = asyncio.Event()

    async def hangs(exchange: Exchange) -> web.Response:
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


async def test_a_record_is_kept_while_a_job_waits_for_its_turn(
    leases: ResourceClient[Lease], session: Session
) -> None:
    """For longer than any record is kept: another leader claims the job's id anew."""
    needed, done, unused = [await a_record(leases) for _ in range(3)]
    jobs = Informer(ResourceClient(session, ChaosJob, leases.namespace))
    for record, phase in ((needed, "Pending"), (done, "Succeeded")):
        [job] = of(record, 1)
        metadata = msgspec.structs.replace(job.metadata, resource_version="1")
        status = msgspec.structs.replace(job.status, phase=phase)
        jobs.remember(msgspec.structs.replace(job, metadata=metadata, status=status))
    sweep = JobSweep(
        jobs=jobs,
        secrets=ResourceClient(session, Secret, leases.namespace),
        leases=leases,
        look_again=lambda _: None,
        every_seconds=60,
        unclaimed_seconds=600,
        start_deadline_seconds=300,
        clock=lambda: datetime.now(UTC) + timedelta(days=2),
    )
    await sweep.once()
    left = {record.metadata.name for record in (await leases.list()).items}
    assert needed.metadata.name in left
    assert not {done.metadata.name, unused.metadata.name} & left
