"""Writes of the server whose answers get lost: the call finds out, and nothing is made twice."""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import target_requests_pb2 as pb
from krkn_grpc.v1.target_requests_pb2_grpc import TargetRequestServiceStub
from tests.conftest import StartServices
from tests.integration.runs.held import a_proxy
from tests.support.api_proxy import ApiProxy, Call, Cut
from tests.support.custom_objects import REQUESTS, collection
from tests.support.running import Running, Wanted


@pytest_asyncio.fixture
async def proxy(control_plane: ControlPlane) -> AsyncIterator[ApiProxy]:
    async with a_proxy(control_plane) as proxy:
        yield proxy


@pytest_asyncio.fixture
async def server(proxy: ApiProxy, start_services: StartServices) -> Running:
    """A server alone, behind the proxy."""
    return await start_services(Wanted(controller=False, envoy=False, kubeconfig_url=proxy.url))


async def made(server: Running) -> list[str]:
    """The requests that there are."""
    path = collection(REQUESTS, server.namespace)
    listed = await server.cluster.request("GET", path)
    return [each["metadata"]["name"] for each in listed["items"]]


def cut(proxy: ApiProxy, moment: str, what: str) -> list[str]:
    """Lose the first call of this kind, unsent or unanswered; return the calls of the kind."""
    seen: list[str] = []

    async def gate(call: Call) -> None:
        if str(call) == what:
            seen.append(call.path)
            if len(seen) == 1:
                raise Cut

    setattr(proxy, moment, gate)
    return seen


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("request_id", ["", str(uuid.uuid4())])
async def test_a_discovery_that_loses_an_answer_is_one_request(
    server: Running, proxy: ApiProxy, moment: str, request_id: str
) -> None:
    calls = cut(proxy, moment, f"POST {REQUESTS}")
    stub = TargetRequestServiceStub(server.channel)
    reply = await stub.DiscoverTargets(pb.DiscoverTargetsRequest(request_id=request_id))
    assert await made(server) == [reply.uuid]
    assert len(calls) == 2


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_deletion_that_loses_an_answer_succeeds(
    server: Running, proxy: ApiProxy, moment: str
) -> None:
    stub = TargetRequestServiceStub(server.channel)
    reply = await stub.DiscoverTargets(pb.DiscoverTargetsRequest())
    calls = cut(proxy, moment, f"DELETE {REQUESTS}")
    deleted = await stub.DeleteDiscovery(pb.DeleteDiscoveryRequest(uuid=reply.uuid))
    assert deleted.uuid == reply.uuid
    assert await made(server) == []
    assert len(calls) == 2
