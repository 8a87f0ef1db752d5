"""What every gRPC client relies on: reflection under both names, and grpc.health.v1."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from krkn_grpc.server import limits, reflection
from krkn_grpc.server.auth.authentication import NoAuthentication
from krkn_grpc.server.auth.policy import methods_of
from krkn_grpc.server.grpc_health import GrpcHealth
from krkn_grpc.server.interceptors import auth
from krkn_grpc.server.interceptors.auth import AuthInterceptor
from krkn_grpc.server.interceptors.errors import ErrorInterceptor
from krkn_grpc.server.shielded import ShieldedTasks
from tests.integration.auth.conftest import Guarded
from tests.support.waiting import SECONDS

VERSIONS = ["grpc.reflection.v1", "grpc.reflection.v1alpha"]
OURS = {
    "krkn.v1.TargetService",
    "krkn.v1.TargetRequestService",
    "krkn.v1.ScenarioService",
    "krkn.v1.ScenarioRunService",
    "krkn.v1.HaltService",
    "krkn.v1.AlertService",
    "krkn.v1.AccessService",
    "krkn.v1.HealthService",
}
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
    call = method(iter([request(**question)]), timeout=SECONDS)
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
async def serving(*, with_reflection: bool = True) -> AsyncIterator[tuple[Any, GrpcHealth]]:
    """A server that has nothing but health and reflection."""
    authenticator = AuthInterceptor(
        NoAuthentication(), ShieldedTasks(), methods_of("all", reflection=with_reflection)
    )
    server = grpc.aio.server(
        interceptors=[ErrorInterceptor(), authenticator], options=limits.options()
    )
    grpc_health = GrpcHealth(["krkn.v1.TargetService"])
    health_pb2_grpc.add_HealthServicer_to_server(grpc_health, server)
    reflection.enable(["grpc.health.v1.Health"], server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel, grpc_health
    finally:
        await server.stop(None)


@pytest.mark.parametrize("version", VERSIONS)
async def test_reflection_can_be_switched_off(version: str) -> None:
    async with serving(with_reflection=False) as (channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await reflect(channel, version, list_services="")
        assert refused.value.code() is StatusCode.UNIMPLEMENTED


QUESTION = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()


def ask_again_and_again(channel: Any) -> Any:
    """Begin a stream of questions."""
    return channel.stream_stream(f"/{VERSIONS[0]}.ServerReflection/ServerReflectionInfo")(
        timeout=SECONDS
    )


async def test_reflection_answers_at_a_pace() -> None:
    async with serving() as (channel, _):
        began = time.monotonic()
        streams = [ask_again_and_again(channel) for _ in range(4)]
        for _ in range(10):
            for stream in streams:
                await stream.write(QUESTION)
                assert await stream.read() is not grpc.aio.EOF
        assert time.monotonic() - began >= 0.39


@pytest.mark.parametrize(
    ("limit", "value", "answers"),
    [("_MOST_QUESTIONS", 3, 3), ("_QUESTIONS_SECONDS", 2.0, 1)],
)
async def test_a_stream_of_questions_comes_to_its_end(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: float, answers: int
) -> None:
    monkeypatch.setattr(auth, limit, value)
    async with serving() as (channel, _):
        stream = ask_again_and_again(channel)
        for _ in range(answers):
            await stream.write(QUESTION)
            assert await stream.read() is not grpc.aio.EOF
        assert await stream.read() is grpc.aio.EOF
        assert await stream.code() is StatusCode.OK


async def test_a_large_question_is_refused() -> None:
    async with serving() as (channel, _):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await reflect(channel, VERSIONS[0], file_containing_symbol="x" * 5_000)
        assert refused.value.code() is StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("service", ["", "krkn.v1.TargetService"])
async def test_the_health_is_told_and_watched(service: str) -> None:
    async with serving() as (channel, grpc_health):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=service)
        watch = aiter(stub.Watch(request, timeout=SECONDS))
        for is_serving, status in ((True, SERVING), (False, NOT_SERVING), (True, SERVING)):
            grpc_health.tell(is_serving)
            assert (await anext(watch)).status == status
            assert (await stub.Check(request)).status == status
        newer_than_its_types: Any = health_pb2
        listed = await stub.List(newer_than_its_types.HealthListRequest())
        assert {*listed.statuses} == {"", "krkn.v1.TargetService"}
        grpc_health.close()
        assert (await anext(watch)).status == NOT_SERVING
        grpc_health.tell(True)
        assert (await stub.Check(request)).status == NOT_SERVING


async def test_the_health_of_another_service_is_not_known() -> None:
    async with serving() as (channel, _):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service="another")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Check(request)
        assert refused.value.code() is StatusCode.NOT_FOUND
        first = await anext(aiter(stub.Watch(request, timeout=SECONDS)))
        assert first.status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


async def test_a_watcher_that_is_not_read_keeps_no_other_waiting() -> None:
    async with serving() as (channel, grpc_health):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        silent = [stub.Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS) for _ in range(50)]
        await asyncio.gather(*(stream.initial_metadata() for stream in silent))
        watch = aiter(stub.Watch(health_pb2.HealthCheckRequest(), timeout=SECONDS))
        assert (await anext(watch)).status == SERVING
        for is_serving in (False, True) * 50:
            grpc_health.tell(is_serving)
            assert (await anext(watch)).status == (SERVING if is_serving else NOT_SERVING)
