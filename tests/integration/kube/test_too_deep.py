"""An object that is nested deeper than can be read hides no other, and ends no process.

The API server stores 10,000 levels where a definition keeps unknown fields, as that of the clusters
in a target request does.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.services import CONTROLLER, SERVER
from krkn_grpc.kube import paths
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.session import MERGE_PATCH, Session
from krkn_grpc.resources import ids
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.target_request import (
    TargetRequest,
    TargetRequestSpec,
    TargetRequestSummary,
)
from tests.support.rest import Rest
from tests.support.running import Running
from tests.support.waiting import eventually

# More than Python reads; of some thousands the API server itself takes seconds to store one.
_LEVELS = 1_500
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


@pytest_asyncio.fixture
async def session(control_plane: ControlPlane) -> AsyncIterator[Session]:
    async with Session(await ClusterAccess.load(control_plane.admin_kubeconfig)) as session:
        yield session


async def a_request(session: Session, namespace: str) -> str:
    """Make a target request; return its name."""
    name = ids.random_id()
    metadata = ObjectMeta(name=name, namespace=namespace)
    await ResourceClient(session, TargetRequest, namespace).create(
        TargetRequest(metadata=metadata, spec=TargetRequestSpec(uuid=name))
    )
    return name


async def deepen(session: Session, namespace: str, name: str) -> None:
    """Write a field of many levels into the request's status."""
    deep = b"[" * _LEVELS + b"]" * _LEVELS
    cluster = b'{"cluster-name": "a", "cluster-api-url": "", "deep": %s}' % deep
    await session.call(
        "PATCH",
        paths.single(paths.collection(TargetRequest.KIND, namespace), name, "status"),
        body=b'{"status": {"targetData": {"other": [%s]}}}' % cluster,
        content_type=MERGE_PATCH,
        accept=_METADATA,
    )


async def test_a_cache_goes_on_without_it(session: Session, namespace: str) -> None:
    deep, plain = [await a_request(session, namespace) for _ in range(2)]
    await deepen(session, namespace, deep)
    cache = Informer(ResourceClient(session, TargetRequestSummary, namespace))

    async def names() -> set[str]:
        return {each.metadata.name for each in cache.values()}

    running = asyncio.create_task(cache.run())
    try:
        await eventually(names, lambda seen: seen == {plain})
        other = await a_request(session, namespace)
        await eventually(names, lambda seen: seen == {plain, other})
        # Now by the watch, which would bring the change again and again.
        await deepen(session, namespace, other)
        await eventually(names, lambda seen: seen == {plain})
        last = await a_request(session, namespace)
        await eventually(names, lambda seen: seen == {plain, last})
        assert not running.done()
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_the_services_go_on_without_it(
    session: Session, namespace: str, services: Running
) -> None:
    pids = [services.processes.child(name).pid for name in (SERVER, CONTROLLER)]
    await deepen(session, namespace, await a_request(session, namespace))
    rest = Rest(services.rest)
    for _ in range(2):
        async with services.rest.post("/api/v1/targets") as reply:
            assert reply.status == 202
            uuid = (await reply.json())["uuid"]

        async def state(uuid: str = uuid) -> int:
            return (await rest.get(f"/api/v1/targets/{uuid}")).status

        await eventually(state, lambda status: status == 200)
    assert pids == [services.processes.child(name).pid for name in (SERVER, CONTROLLER)]
