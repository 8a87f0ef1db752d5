"""A write is answered with metadata only: what it returns must still be what is stored."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest
import pytest_asyncio

from controller.jobs import pod as pods
from controller.jobs import statuses
from controller.scenario_pods.rules import PodRules
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import Conflict, Invalid
from krkn_grpc.kube.session import Session
from krkn_grpc.resources import ids, names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Lease, LeaseSpec, Secret
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.pod import Pod
from tests.unit.controller.jobs.builders import a_credential, a_job


@pytest_asyncio.fixture
async def session(control_plane: ControlPlane) -> AsyncIterator[Session]:
    async with Session(await ClusterAccess.load(control_plane.admin_kubeconfig)) as session:
        yield session


@pytest_asyncio.fixture
async def jobs(session: Session, namespace: str) -> ResourceClient[ChaosJob]:
    return ResourceClient(session, ChaosJob, namespace)


def new_job(namespace: str) -> ChaosJob:
    job = a_job()
    job_id = ids.new_id()
    metadata = ObjectMeta(name=job_id, namespace=namespace, labels={"a": "b"})
    spec = msgspec.structs.replace(job.spec, job_id=job_id)
    return ChaosJob(metadata=metadata, spec=spec)


async def test_a_created_job(jobs: ResourceClient[ChaosJob], namespace: str) -> None:
    created = await jobs.create(new_job(namespace))
    assert created == await jobs.get(created.metadata.name)
    assert created.metadata.uid
    assert created.metadata.generation == 1


async def test_a_status(session: Session, jobs: ResourceClient[ChaosJob], namespace: str) -> None:
    job = await jobs.create(new_job(namespace))
    pod = Pod(metadata=ObjectMeta(name=names.pod_for(job.metadata.name), uid=ids.new_id()))
    written = await jobs.replace_status(job, statuses.named(job, pod, datetime.now(UTC)))
    assert written == await jobs.get(job.metadata.name)
    assert written.status.pod_uid == pod.metadata.uid
    with pytest.raises(Conflict):
        await jobs.replace_status(job, job.status)


async def test_a_patched_job(jobs: ResourceClient[ChaosJob], namespace: str) -> None:
    job = await jobs.create(new_job(namespace))
    stop = [{"op": "add", "path": "/spec/stop", "value": True}]
    metadata = await jobs.patch(job.metadata.name, stop)
    assert metadata == (await jobs.get(job.metadata.name)).metadata
    assert metadata.generation == 2
    test = {"op": "test", "path": "/spec/stop", "value": False}
    with pytest.raises(Invalid):
        await jobs.patch(job.metadata.name, [test])


async def test_a_merged_job(jobs: ResourceClient[ChaosJob], namespace: str) -> None:
    job = await jobs.create(new_job(namespace))
    part = {"metadata": {"annotations": {"a": "b"}}}
    metadata = await jobs.merge(job.metadata.name, part)
    assert metadata == (await jobs.get(job.metadata.name)).metadata
    assert metadata.annotations == {"a": "b"}


async def test_a_replaced_lease(session: Session, namespace: str) -> None:
    leases: ResourceClient[Lease] = ResourceClient(session, Lease, namespace)
    now = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    spec = LeaseSpec(holder_identity="a", renew_time=now, lease_transitions=1)
    created = await leases.create(Lease(metadata=ObjectMeta(name="a"), spec=spec))
    assert created == await leases.get("a")
    renewed = msgspec.structs.replace(spec, holder_identity="b", lease_transitions=2)
    replaced = await leases.replace(msgspec.structs.replace(created, spec=renewed))
    assert replaced == await leases.get("a")
    with pytest.raises(Conflict):
        await leases.replace(msgspec.structs.replace(created, spec=renewed))


async def test_a_created_pod(
    session: Session, jobs: ResourceClient[ChaosJob], namespace: str
) -> None:
    """All that decisions need of it; the reason why it is not scheduled comes with the watch."""
    job = await jobs.create(new_job(namespace))
    client: ResourceClient[Pod] = ResourceClient(session, Pod, namespace)
    created = pods.observed(await client.create(pods.pod(job, PodRules())))
    found = await client.get(created.metadata.name)
    assert (created.metadata, created.spec) == (found.metadata, found.spec)
    assert created.status.phase == found.status.phase
    assert bool(found.spec.scheduling_gates)


async def test_a_created_secret(
    session: Session, jobs: ResourceClient[ChaosJob], namespace: str
) -> None:
    job = await jobs.create(new_job(namespace))
    client: ResourceClient[Secret] = ResourceClient(session, Secret, namespace)
    created = await client.create(pods.kubeconfig_secret(job, a_credential()))
    assert created == await client.get(created.metadata.name)
