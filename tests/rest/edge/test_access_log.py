"""What Envoy writes down of each call: its gRPC status, who called, and no credential."""

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest
from google.api import httpbody_pb2
from google.rpc import code_pb2, status_pb2

from krkn_grpc.v1 import targets_pb2
from tests.rest.edge.running import SECONDS, Door, Upstream

JOB = "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"
LOGS = f"/api/v1/scenarios/run/{JOB}/logs"
USER = "system:serviceaccount:team-a:ci"
NAMED = (("krkn-user", USER),)


def of_rest(door: Door, client: httpx.Client, path: str) -> dict[str, Any]:
    """The line of a REST call."""
    return door.access_log_of(client.get(path).headers["x-request-id"])


def of_grpc(door: Door, method: str, service: str = "TargetService") -> dict[str, Any]:
    """The line of a gRPC call."""
    identity = str(uuid.uuid4())
    with door.channel() as channel:
        call: Any = channel.unary_unary(f"/krkn.v1.{service}/{method}")
        with contextlib.suppress(grpc.RpcError):
            call(b"", metadata=(("x-request-id", identity),), timeout=SECONDS)
    return door.access_log_of(identity)


def test_the_grpc_status_is_that_of_the_call(
    door: Door, client: httpx.Client, upstream: Upstream
) -> None:
    upstream.fails("GetTarget", status_pb2.Status(code=code_pb2.NOT_FOUND, message="none"))
    upstream.fails("ListScenarioRuns", status_pb2.Status(code=code_pb2.ABORTED, message="x"))
    for path, status, grpc_status in (
        ("/api/v1/operator/targets", 200, 0),
        ("/api/v1/operator/targets/x", 404, 5),
        ("/api/v1/scenarios/run", 409, 10),
        ("/api/v1/scenarios/run:watch", 200, 0),
    ):
        line = of_rest(door, client, path)
        assert (line["status"], line.get("grpc_status")) == (status, grpc_status), path
    for method, grpc_status in (("ListTargets", 0), ("GetTarget", 5), ("Nothing", 12)):
        assert of_grpc(door, method)["grpc_status"] == grpc_status, method


def test_a_reply_that_has_begun_may_still_fail(door: Door, upstream: Upstream) -> None:
    def fails(_: object, context: grpc.ServicerContext) -> Iterator[httpbody_pb2.HttpBody]:
        yield httpbody_pb2.HttpBody(content_type="text/plain", data=b"one")
        context.abort(grpc.StatusCode.DATA_LOSS, "gone")

    upstream.on("StreamLogs", fails)
    identity = str(uuid.uuid4())
    with (
        door.client() as client,
        pytest.raises(httpx.RemoteProtocolError),
        client.stream("GET", LOGS, headers={"x-request-id": identity}) as response,
    ):
        response.read()
    line = door.access_log_of(identity)
    assert (line["status"], line["grpc_status"]) == (200, 15)


def test_a_call_that_the_server_did_not_answer_has_no_grpc_status(
    door: Door, client: httpx.Client, upstream: Upstream
) -> None:
    del upstream
    for path, status in (("/api/v1/nothing", 404), ("/api/v1/docs", 200)):
        line = of_rest(door, client, path)
        assert line["status"] == status
        assert not {"grpc_status", "user"} & line.keys(), path


def test_a_caller_who_leaves_a_stream_has_no_grpc_status(door: Door, upstream: Upstream) -> None:
    left = []

    def goes_on(_: object, context: grpc.ServicerContext) -> Iterator[httpbody_pb2.HttpBody]:
        context.send_initial_metadata(NAMED)
        context.add_callback(lambda: left.append(1))
        while context.is_active():
            yield httpbody_pb2.HttpBody(content_type="text/plain", data=b"one" * 9999)

    upstream.on("StreamLogs", goes_on)
    identity = str(uuid.uuid4())
    headers = {"x-request-id": identity}
    with door.client() as client, client.stream("GET", LOGS, headers=headers) as response:
        assert "krkn-user" not in response.headers
        next(response.iter_bytes())
    line = door.access_log_of(identity)
    assert "grpc_status" not in line
    # The headers said it, and no trailers came.
    assert line["user"] == USER


@pytest.mark.parametrize("how", ["success", "failure"])
def test_the_user_is_in_the_log_and_not_in_the_reply(
    door: Door, client: httpx.Client, upstream: Upstream, how: str
) -> None:
    def reply(_: object, context: grpc.ServicerContext) -> targets_pb2.ListTargetsResponse:
        context.set_trailing_metadata(NAMED)
        if how == "failure":
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "you may not")
        return targets_pb2.ListTargetsResponse()

    upstream.on("ListTargets", reply)
    given = client.get("/api/v1/operator/targets")
    assert "krkn-user" not in given.headers
    assert USER not in given.text
    assert door.access_log_of(given.headers["x-request-id"])["user"] == USER

    identity = str(uuid.uuid4())
    with door.channel() as channel:
        call: Any = channel.unary_unary("/krkn.v1.TargetService/ListTargets")
        told: Any
        try:
            _, told = call.with_call(b"", metadata=(("x-request-id", identity),), timeout=SECONDS)
        except grpc.RpcError as error:
            told = error
    assert USER not in str((told.initial_metadata(), told.trailing_metadata()))
    line = door.access_log_of(identity)
    assert (line["user"], line["grpc_status"]) == (USER, 7 if how == "failure" else 0)


def test_a_caller_cannot_name_itself(door: Door, client: httpx.Client, upstream: Upstream) -> None:
    del upstream
    claimed = {"krkn-user": "admin"}
    response = client.get("/api/v1/operator/targets", headers=claimed)
    assert "user" not in door.access_log_of(response.headers["x-request-id"])


def test_it_has_no_credentials(door: Door, upstream: Upstream) -> None:
    del upstream
    with door.client() as client:
        response = client.get(
            "/api/v1/scenarios/run?labelSelector=s3cr3t",
            headers={"authorization": "Bearer s3cr3t", "cookie": "s3cr3t"},
        )
    line = door.access_log_of(response.headers["x-request-id"])
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/scenarios/run", 200)
    assert "s3cr3t" not in door.access_log.read_text()
