"""gRPC on the port of REST: it passes as it is, and what Envoy says itself is a gRPC status."""

import base64
import struct
import threading
from collections.abc import Iterator

import grpc
import httpx
import pytest
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

from krkn_grpc.v1 import scenario_runs_pb2 as runs
from krkn_grpc.v1 import scenario_runs_pb2_grpc as runs_grpc
from krkn_grpc.v1 import targets_pb2 as targets
from krkn_grpc.v1 import targets_pb2_grpc as targets_grpc
from tests.rest.edge.running import SECONDS, SERVICES, Door, Upstream, check_health

JOB = "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"


@pytest.fixture
def channel(door: Door) -> Iterator[grpc.Channel]:
    with door.channel() as opened:
        yield opened


def test_a_call_and_its_metadata_pass(channel: grpc.Channel, upstream: Upstream) -> None:
    def reply(_: object, context: grpc.ServicerContext) -> runs.RunScenarioResponse:
        context.send_initial_metadata((("x-http-code", "500"), ("krkn-revision", "42")))
        return runs.RunScenarioResponse(total_targets=1, failed_jobs=1)

    upstream.on("RunScenario", reply)
    stub = runs_grpc.ScenarioRunServiceStub(channel)
    request = runs.RunScenarioRequest(target_uuids=[JOB], scenario_name="n" * 3_000_000)

    sent = (("authorization", "Bearer abc"), ("x-envoy-original-path", "/claimed"))
    response, call = stub.RunScenario.with_call(request, metadata=sent, timeout=SECONDS)

    assert response.failed_jobs == 1
    assert call.code() is grpc.StatusCode.OK
    metadata = {key: str(value) for key, value in call.initial_metadata()}
    assert metadata["krkn-revision"] == "42"
    assert len(metadata["x-request-id"]) == 36
    assert not {"x-http-code", "server", "x-envoy-upstream-service-time"} & set(metadata)
    (seen,) = upstream.calls
    assert seen.request == request
    assert seen.metadata["authorization"] == "Bearer abc"
    assert seen.metadata["x-request-id"] == metadata["x-request-id"]
    assert "x-envoy-original-path" not in seen.metadata


def test_an_error_passes_with_its_details(channel: grpc.Channel, upstream: Upstream) -> None:
    status = status_pb2.Status(code=code_pb2.NOT_FOUND, message="no such target: ü")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="NOT_FOUND"))
    upstream.fails("GetTarget", status)
    with pytest.raises(grpc.RpcError) as caught:
        targets_grpc.TargetServiceStub(channel).GetTarget(targets.GetTargetRequest(uuid=JOB))
    assert isinstance(caught.value, grpc.Call)
    assert rpc_status.from_call(caught.value) == status


def test_a_stream_passes_as_it_happens(channel: grpc.Channel, upstream: Upstream) -> None:
    more = threading.Event()

    def reply(_: object, context: grpc.ServicerContext) -> Iterator[runs.WatchScenarioRunsResponse]:
        yield runs.WatchScenarioRunsResponse(type="ADDED")
        assert more.wait(SECONDS)
        yield runs.WatchScenarioRunsResponse(type="SYNCED")
        context.abort(grpc.StatusCode.OUT_OF_RANGE, "too old")

    upstream.on("WatchScenarioRuns", reply)
    stub = runs_grpc.ScenarioRunServiceStub(channel)
    stream = stub.WatchScenarioRuns(runs.WatchScenarioRunsRequest())
    assert next(stream).type == "ADDED"
    more.set()
    assert next(stream).type == "SYNCED"
    # Unlike REST's, its error after the first message arrives.
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.OUT_OF_RANGE,
        "too old",
    )


def test_a_stream_that_is_left_ends_at_the_server(
    channel: grpc.Channel, upstream: Upstream
) -> None:
    left = threading.Event()

    def reply(_: object, context: grpc.ServicerContext) -> Iterator[runs.WatchScenarioRunsResponse]:
        context.add_callback(left.set)
        yield runs.WatchScenarioRunsResponse(type="ADDED")
        left.wait(SECONDS)

    upstream.on("WatchScenarioRuns", reply)
    stub = runs_grpc.ScenarioRunServiceStub(channel)
    stream = stub.WatchScenarioRuns(runs.WatchScenarioRunsRequest())
    next(stream)
    stream.cancel()
    assert left.wait(SECONDS)


def test_deadline_reaches_the_server(channel: grpc.Channel, upstream: Upstream) -> None:
    remaining: list[float] = []

    def reply(_: object, context: grpc.ServicerContext) -> targets.ListTargetsResponse:
        remaining.append(context.time_remaining())
        return targets.ListTargetsResponse()

    upstream.on("ListTargets", reply)
    targets_grpc.TargetServiceStub(channel).ListTargets(
        targets.ListTargetsRequest(), timeout=SECONDS
    )
    assert SECONDS / 2 < remaining[0] < SECONDS + 1


def test_health(channel: grpc.Channel) -> None:
    assert check_health(channel) == health_pb2.HealthCheckResponse.SERVING


def test_reflection(channel: grpc.Channel) -> None:
    database = ProtoReflectionDescriptorDatabase(channel)
    assert {service.full_name for service in SERVICES} <= set(database.get_services())
    assert database.FindFileContainingSymbol("krkn.v1.RunScenarioRequest").package == "krkn.v1"


def test_an_unknown_method_is_unimplemented(channel: grpc.Channel) -> None:
    for path in ("/krkn.v1.TargetService/Nothing", "/nothing.Nothing/Nothing", "/api/v1/health"):
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(path, bytes, bytes)(b"")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("encoding", ["binary", "text"])
def test_grpc_from_a_browser(door: Door, upstream: Upstream, encoding: str) -> None:
    upstream.on("GetTarget", lambda request, _: targets.Target(uuid=request.uuid))
    message = targets.GetTargetRequest(uuid=JOB).SerializeToString()
    frame = struct.pack(">BI", 0, len(message)) + message
    is_text = encoding == "text"
    kind = "application/grpc-web-text" if is_text else "application/grpc-web+proto"
    with door.client() as client:
        response = client.post(
            "/krkn.v1.TargetService/GetTarget",
            content=base64.b64encode(frame) if is_text else frame,
            headers={"content-type": kind, "accept": kind},
        )
    assert response.status_code == 200, response.text
    content = _decoded(response) if is_text else response.content
    size = struct.unpack(">I", content[1:5])[0]
    assert targets.Target.FromString(content[5 : 5 + size]).uuid == JOB
    assert b"grpc-status:0" in content[5 + size :]


def _decoded(response: httpx.Response) -> bytes:
    # Each part is encoded by itself, with its own padding.
    whole = response.content.replace(b"=", b" ").split()
    return b"".join(base64.b64decode(part + b"=" * (-len(part) % 4)) for part in whole)
