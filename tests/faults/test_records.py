"""The ids of deleted jobs reach their request's record: few writes for many, and none is lost."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web

from controller.jobs.records import Records
from controller.queue import NotYet
from deploy.local.control_plane import ControlPlane
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.session import Session
from krkn_grpc.kube.store import Store
from krkn_grpc.resources import ids, labels, names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Lease, LeaseSpec
from krkn_grpc.resources.meta import ObjectMeta
from tests.faults.kinds import dropped_after, dropped_before, held, refused
from tests.faults.proxy import Call, Exchange, Fault, FaultProxy
from tests.support.controllers import ACCOUNT
from tests.support.jobs import Jobs
from tests.unit.controller.builders import a_job

JOBS = 200


@pytest_asyncio.fixture
async def proxy(control_plane: ControlPlane) -> AsyncIterator[FaultProxy]:
    proxy = FaultProxy(control_plane.url, control_plane.ca_pem)
    async with proxy.serving():
        yield proxy


@pytest_asyncio.fixture
async def leases(jobs: Jobs, proxy: FaultProxy, tmp_path: Path) -> AsyncIterator[Store[Lease]]:
    """The Leases as the controller's account reaches them, through the proxy."""
    kubeconfig = tmp_path / "kubeconfig"
    cluster = jobs.cluster
    await cluster.write_account_kubeconfig(kubeconfig, jobs.namespace, ACCOUNT, url=proxy.url)
    async with Session(await ClusterAccess.load(kubeconfig)) as session:
        yield Store(session, Lease, jobs.namespace)


def of_one_request(leases: Store[Lease], count: int = JOBS) -> list[ChaosJob]:
    spec = msgspec.structs.replace(a_job().spec, request_id=ids.new_id())
    return [
        ChaosJob(metadata=ObjectMeta(name=ids.new_id(), namespace=leases.namespace), spec=spec)
        for _ in range(count)
    ]


async def make_record(leases: Store[Lease], job: ChaosJob) -> None:
    metadata = ObjectMeta(name=names.record_of(job), namespace=job.metadata.namespace)
    await leases.create(Lease(metadata=metadata, spec=LeaseSpec(holder_identity="a request")))


async def missing(leases: Store[Lease], jobs: Iterable[ChaosJob]) -> list[str]:
    """Return the annotations that should be in the record and are not."""
    wanted = [(names.record_of(job), labels.gone(job.metadata.name)) for job in jobs]
    found = {record: await leases.get(record) for record in {record for record, _ in wanted}}
    return [gone for record, gone in wanted if gone not in found[record].metadata.annotations]


def writes(proxy: FaultProxy) -> int:
    return sum(call.method == "PATCH" for call in proxy.calls)


async def test_many_that_go_at_once_take_few_writes(
    leases: Store[Lease], proxy: FaultProxy
) -> None:
    jobs, others = of_one_request(leases), of_one_request(leases)
    for job in (jobs[0], others[0]):
        await make_record(leases, job)
    records = Records(leases)
    await asyncio.gather(*map(records.leave, jobs + others))
    assert await missing(leases, jobs + others) == []
    assert writes(proxy) == 4, "the first of each, and then all that came meanwhile"
    assert (await leases.get(names.record_of(jobs[0]))).spec.holder_identity == "a request"


async def test_one_after_the_other(leases: Store[Lease], proxy: FaultProxy) -> None:
    jobs, records = of_one_request(leases, 3), Records(leases)
    await make_record(leases, jobs[0])
    for job in jobs:
        await records.leave(job)
        assert await missing(leases, [job]) == []
    assert writes(proxy) == len(jobs)


@pytest.mark.parametrize("fault", [dropped_before, dropped_after, refused(409, "Conflict")])
async def test_who_was_not_noted_is_told(
    leases: Store[Lease], proxy: FaultProxy, fault: Fault
) -> None:
    jobs, records = of_one_request(leases), Records(leases)
    await make_record(leases, jobs[0])

    def second_fails(call: Call) -> Fault | None:
        return fault if call.method == "PATCH" and writes(proxy) == 2 else None

    proxy.rule = second_fails
    told = await asyncio.gather(*map(records.leave, jobs), return_exceptions=True)
    assert told[0] is None
    assert isinstance(told[1], Exception)
    assert all(isinstance(error, NotYet) for error in told[2:]), "its write was theirs too"
    await asyncio.gather(*map(records.leave, jobs[1:]))
    assert await missing(leases, jobs) == []


async def test_who_writes_for_all_may_be_cancelled(leases: Store[Lease], proxy: FaultProxy) -> None:
    jobs, records = of_one_request(leases, 3), Records(leases)
    await make_record(leases, jobs[0])
    arrived = asyncio.Event()

    async def hangs(exchange: Exchange) -> web.Response:
        arrived.set()
        return await held(asyncio.Event())(exchange)

    def second_hangs(call: Call) -> Fault | None:
        return hangs if call.method == "PATCH" and writes(proxy) == 2 else None

    proxy.rule = second_hangs
    tasks = [asyncio.ensure_future(records.leave(job)) for job in jobs]
    await arrived.wait()
    tasks[1].cancel()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert told[0] is None
    assert isinstance(told[1], asyncio.CancelledError)
    assert isinstance(told[2], NotYet)
    await records.leave(jobs[2])
    assert await missing(leases, [jobs[2]]) == []


async def test_a_record_whose_time_is_over_is_not_missed(leases: Store[Lease]) -> None:
    jobs = of_one_request(leases)
    await asyncio.gather(*map(Records(leases).leave, jobs))


async def test_a_job_without_a_request_has_a_record_of_its_own(leases: Store[Lease]) -> None:
    job = ChaosJob(
        metadata=ObjectMeta(name=ids.new_id(), namespace=leases.namespace), spec=a_job().spec
    )
    for _ in range(2):
        await Records(leases).leave(job)
        assert await missing(leases, [job]) == []
