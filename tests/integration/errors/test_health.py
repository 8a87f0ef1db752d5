"""What is open to everyone: health by gRPC and REST, and reflection."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.support.rest import Rest
from tests.support.running import Running

SERVICES = ["krkn.v1.TargetService", "krkn.v1.ScenarioRunService", "krkn.v1.HealthService"]


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
