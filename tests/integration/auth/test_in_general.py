"""What every gRPC client relies on: reflection under both names, and grpc.health.v1."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from krkn_grpc.server import limits, reflection
from krkn_grpc.server.auth.gate import OpenGate
from krkn_grpc.server.auth.interceptor import GateInterceptor
from krkn_grpc.server.boundary import Boundary
from krkn_grpc.server.carry import Carrier
from krkn_grpc.server.standing import Standing
from tests.integration.auth.conftest import Guarded

VERSIONS = ["grpc.reflection.v1", "grpc.reflection.v1alpha"]
OURS = {"krkn.v1.TargetService", "krkn.v1.ScenarioRunService", "krkn.v1.HealthService"}
OTHERS = {"grpc.health.v1.Health", *(f"{version}.ServerReflection" for version in VERSIONS)}
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def reflect(
    channel: grpc.aio.Channel, version: str, **question: str
) -> reflection_pb2.ServerReflectionResponse:
    """Ask reflection one question; both versions have the same messages."""
    method: Any = channel.stream_stream(
        f"/{version}.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    request: Any = reflection_pb2.ServerReflectionRequest
    call = method(iter([request(**question)]), timeout=20)
    answer: reflection_pb2.ServerReflectionResponse = await anext(aiter(call))
    return answer


@pytest.mark.parametrize("version", VERSIONS)
async def test_all_services_are_listed_and_described(guarded: Guarded, version: str) -> None:
    channel = guarded.running.channel
    listed = await reflect(channel, version, list_services="")
    names = {service.name for service in listed.list_services_response.service}
    assert names == OURS | OTHERS
    for name in names:
        described = await reflect(channel, version, file_containing_symbol=name)
        assert described.file_descriptor_response.file_descriptor_proto, described


@contextlib.asynccontextmanager
async def serving(*, with_reflection: bool = True) -> AsyncIterator[tuple[Any, Standing]]:
    """A server that has nothing but health and reflection."""
    gate = GateInterceptor(OpenGate(), Carrier(), reflection=with_reflection)
    server = grpc.aio.server(interceptors=[Boundary(), gate], options=limits.options())
    standing = Standing(["krkn.v1.TargetService"])
    health_pb2_grpc.add_HealthServicer_to_server(standing, server)
    reflection.enable(["grpc.health.v1.Health"], server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel, standing
    finally:
        await server.stop(None)


@pytest.mark.parametrize("version", VERSIONS)
async def test_reflection_can_be_switched_off(version: str) -> None:
    async with serving(with_reflection=False) as (channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await reflect(channel, version, list_services="")
        assert refused.value.code() is StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("service", ["", "krkn.v1.TargetService"])
async def test_the_health_is_told_and_watched(service: str) -> None:
    async with serving() as (channel, standing):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=service)
        watch = aiter(stub.Watch(request, timeout=20))
        for is_serving, status in ((True, SERVING), (False, NOT_SERVING), (True, SERVING)):
            standing.tell(is_serving)
            assert (await anext(watch)).status == status
            assert (await stub.Check(request)).status == status
        newer_than_its_types: Any = health_pb2
        listed = await stub.List(newer_than_its_types.HealthListRequest())
        assert {*listed.statuses} == {"", "krkn.v1.TargetService"}
        standing.close()
        assert (await anext(watch)).status == NOT_SERVING
        standing.tell(True)
        assert (await stub.Check(request)).status == NOT_SERVING


async def test_the_health_of_another_service_is_not_known() -> None:
    async with serving() as (channel, _):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service="another")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Check(request)
        assert refused.value.code() is StatusCode.NOT_FOUND
        first = await anext(aiter(stub.Watch(request, timeout=20)))
        assert first.status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


async def test_a_watcher_that_is_not_read_keeps_no_other_waiting() -> None:
    async with serving() as (channel, standing):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        silent = [stub.Watch(health_pb2.HealthCheckRequest(), timeout=20) for _ in range(50)]
        await asyncio.gather(*(stream.initial_metadata() for stream in silent))
        watch = aiter(stub.Watch(health_pb2.HealthCheckRequest(), timeout=20))
        assert (await anext(watch)).status == SERVING
        for is_serving in (False, True) * 50:
            standing.tell(is_serving)
            assert (await anext(watch)).status == (SERVING if is_serving else NOT_SERVING)
