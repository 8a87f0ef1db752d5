"""What is open to everyone: health by gRPC and REST, and reflection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from deploy.local.cluster import manifests
from deploy.local.services import ROLES
from tests.conftest import StartServices
from tests.support.custom_objects import MERGE
from tests.support.rest import Rest
from tests.support.running import Running, Wanted
from tests.support.waiting import eventually

SERVICES = [
    "krkn.v1.TargetService",
    "krkn.v1.ScenarioService",
    "krkn.v1.AccessService",
    "krkn.v1.ScenarioRunService",
    "krkn.v1.HealthService",
]


async def ask(
    services: Running, request: reflection_pb2.ServerReflectionRequest
) -> reflection_pb2.ServerReflectionResponse:
    """Ask the server what it has."""

    async def one() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
        yield request

    channel: Any = services.channel
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    [answer] = [answer async for answer in stub.ServerReflectionInfo(one())]
    found: reflection_pb2.ServerReflectionResponse = answer
    return found


@pytest.mark.parametrize("service", ["", *SERVICES])
async def test_each_service_is_healthy(shared_services: Running, service: str) -> None:
    stub: Any = health_pb2_grpc.HealthStub(shared_services.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_the_health_of_a_service_that_is_not_there(shared_services: Running) -> None:
    stub: Any = health_pb2_grpc.HealthStub(shared_services.channel)
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await stub.Check(health_pb2.HealthCheckRequest(service="krkn.v1.Nothing"))
    assert failed.value.code() is grpc.StatusCode.NOT_FOUND


async def test_health_by_rest(shared_services: Running) -> None:
    reply = await Rest(shared_services.rest).get("/api/v1/health")
    assert (reply.status, reply.body) == (200, {"status": "healthy"})


async def test_reflection_lists_the_services(shared_services: Running) -> None:
    answer = await ask(shared_services, reflection_pb2.ServerReflectionRequest(list_services="*"))
    listed = {service.name for service in answer.list_services_response.service}
    assert listed >= {*SERVICES, "grpc.health.v1.Health"}


@pytest.mark.parametrize("service", SERVICES)
async def test_reflection_describes_a_service(shared_services: Running, service: str) -> None:
    answer = await ask(
        shared_services, reflection_pb2.ServerReflectionRequest(file_containing_symbol=service)
    )
    assert answer.file_descriptor_response.file_descriptor_proto


async def test_reflection_has_the_json_names(shared_services: Running) -> None:
    answer = await ask(
        shared_services,
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="krkn.v1.RunTarget"),
    )
    files = [
        FileDescriptorProto.FromString(file)
        for file in answer.file_descriptor_response.file_descriptor_proto
    ]
    [message] = [each for file in files for each in file.message_type if each.name == "RunTarget"]
    assert [field.json_name for field in message.field] == ["targetUUID", "jobId"]
    nested = [each for file in files for each in file.message_type]
    for each in nested:
        nested += each.nested_type
        assert all(field.json_name for field in each.field), each.name


def state(services: Running) -> Callable[[], Awaitable[tuple[int, str, int]]]:
    """What a probe by REST and one by gRPC are told."""
    stub: Any = health_pb2_grpc.HealthStub(services.channel)

    async def look() -> tuple[int, str, int]:
        reply = await Rest(services.rest).get("/api/v1/health")
        answer = await stub.Check(health_pb2.HealthCheckRequest())
        return reply.status, reply.body.get("message", ""), answer.status

    return look


HEALTHY = (200, "", health_pb2.HealthCheckResponse.SERVING)


def unhealthy(sentence: str) -> tuple[int, str, int]:
    return 503, sentence, health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.parametrize("auth", ["none", "kubernetes"])
@pytest.mark.parametrize("kind", ["Role", "RoleBinding", "ClusterRoleBinding"])
async def test_without_our_own_roles_it_is_not_healthy(
    start_services: StartServices, namespace: str, auth: str, kind: str
) -> None:
    """Of the reviews, which the ClusterRole allows, none is asked with KRKN_AUTH=none."""
    wanted = Wanted(controller=False, environment={"KRKN_AUTH": auth})
    services = await start_services(wanted)
    ours = manifests.of_kind(manifests.in_namespace(manifests.load(*ROLES), namespace), kind)
    roles = [
        each
        for each in ours
        if each["metadata"]["name"].startswith(("krkn-grpc-server", "krkn-grpc-reviews"))
    ]
    assert roles
    look = state(services)
    await eventually(look, lambda found: found == HEALTHY)
    for role in roles:
        await services.cluster.delete(role)
    if (auth, kind) == ("none", "ClusterRoleBinding"):
        await asyncio.sleep(6)  # longer than it takes to look again
        await eventually(look, lambda found: found == HEALTHY)
    else:
        sentence = "the service's own account lacks rights that it needs"
        await eventually(look, lambda found: found == unhealthy(sentence))
    await services.cluster.apply(roles)
    await eventually(look, lambda found: found == HEALTHY)


async def test_in_a_namespace_that_is_being_deleted_it_is_not_healthy(
    start_services: StartServices, namespace: str
) -> None:
    services = await start_services(Wanted(controller=False))
    cluster, path = services.cluster, f"/api/v1/namespaces/{namespace}"
    role = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    kept = [f"{role}/{kind}/krkn-grpc-server" for kind in ("roles", "rolebindings")]
    for each in kept:
        keeps = {"metadata": {"finalizers": ["test.example/keeps"]}}
        await cluster.request("PATCH", each, keeps, MERGE)
    await cluster.request("DELETE", path)
    try:
        sentence = "the namespace of the service is being deleted"
        await eventually(state(services), lambda found: found == unhealthy(sentence))
    finally:
        for each in kept:
            await cluster.request("PATCH", each, {"metadata": {"finalizers": None}}, MERGE)
