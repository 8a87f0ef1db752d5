"""What Envoy refuses by itself has the same details by gRPC as by REST, also for streams."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from krkn_grpc.client.errors import LimitReached, Unavailable, from_call
from krkn_grpc.edge.limits import MAX_OPEN_BYTES
from tests.rest.edge.broken import Hangs
from tests.rest.edge.running import SECONDS, Door, is_error, open_door

RATE = 5
UNARY, STREAM = "TargetService/ListTargets", "ScenarioRunService/WatchScenarioRuns"
CREATE = "TargetService/CreateTarget"


def ask(channel: grpc.Channel, method: str, request: bytes = b"", *metadata: Any) -> None:
    """Call a method, as one with a stream of replies where it has one."""
    make: Any = channel.unary_stream if "Watch" in method else channel.unary_unary
    reply = make(f"/krkn.v1.{method}", bytes, bytes)(request, metadata=metadata, timeout=SECONDS)
    if "Watch" in method:
        list(reply)


def refusal(call: Callable[[], None], attempts: int = 1) -> grpc.RpcError:
    """Return what a call is refused with, by one of the attempts."""
    for _ in range(attempts):
        try:
            call()
        except grpc.RpcError as error:
            return error
    raise AssertionError("it was not refused")


def status(error: grpc.RpcError) -> tuple[int, str, float | None]:
    """Code, reason, seconds before a retry. The first detail is an ErrorInfo, as the server's."""
    assert isinstance(error, grpc.Call)
    whole = rpc_status.from_call(error)
    assert whole is not None, error
    # from_call has compared code and message of the two.
    info, *more = whole.details
    first, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert info.Unpack(first)
    assert first.domain == "krkn.krkn-chaos.dev"
    assert all(each.Unpack(retry) for each in more)
    return whole.code, first.reason, retry.retry_delay.seconds if more else None


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with open_door(tmp_path, rate_limit=RATE) as opened:
        yield opened


@pytest.mark.parametrize("method", [UNARY, STREAM])
def test_too_many_calls(door: Door, method: str) -> None:
    with door.channel() as channel:
        error = refusal(lambda: ask(channel, method), attempts=3 * RATE)
    assert status(error) == (8, "TOO_MANY_CALLS", 1)
    typed = from_call(error, "x")
    assert (type(typed), typed.retry_after) == (LimitReached, 1.0)


@pytest.mark.parametrize("method", [UNARY, STREAM])
def test_the_server_is_away(door: Door, method: str) -> None:
    door.server.stop(grace=None).wait(SECONDS)
    with door.channel() as channel:
        error = refusal(lambda: ask(channel, method))
    assert status(error) == (14, "SERVICE_UNREACHABLE", 1)
    with door.client() as client:
        by_rest = is_error(client.get("/api/v1/operator/targets"), 503, 14)
    assert isinstance(error, grpc.Call)
    same = MessageToDict(rpc_status.from_call(error))
    # By REST the transcoder's rules print an empty map, too.
    by_rest["details"][0].pop("metadata")
    assert same == by_rest


@pytest.mark.parametrize(
    ("method", "expected"),
    [(CREATE, (2, "OUTCOME_UNKNOWN", None)), (UNARY, (14, "CONNECTION_LOST", 1))],
)
def test_the_connection_breaks_off(
    tmp_path: Path, method: str, expected: tuple[int, str, float | None]
) -> None:
    broken = Hangs()
    try:
        with open_door(tmp_path, grpc_port=broken.port) as door, door.channel() as channel:
            error = refusal(lambda: ask(channel, method, b"operator" * 30))
    finally:
        broken.close()
    assert status(error) == expected
    # The command and the client know both for what they are.
    assert isinstance(from_call(error, "x"), Unavailable)


@pytest.mark.parametrize("method", ["TargetService/Nothing", "Nothing/Nothing"])
def test_a_method_that_there_is_not(door: Door, method: str) -> None:
    with door.channel() as channel:
        assert status(refusal(lambda: ask(channel, method))) == (12, "NO_SUCH_METHOD", None)


def test_a_request_that_is_too_large(door: Door) -> None:
    request = b"x" * (MAX_OPEN_BYTES + 1)
    with door.channel() as channel:
        error = refusal(lambda: ask(channel, "HealthService/GetHealth", request))
    assert status(error) == (8, "REQUEST_TOO_LARGE", None)


def test_a_page_without_authentication(tmp_path: Path) -> None:
    with open_door(tmp_path, auth="none") as door, door.channel() as channel:
        error = refusal(lambda: ask(channel, UNARY, b"", ("origin", "https://evil.example")))
    assert status(error) == (7, "FOREIGN_ORIGIN", None)


@pytest.mark.parametrize(
    ("changed", "code", "reason"),
    [
        ({"grpc-timeout": "soon"}, 3, "INVALID_REQUEST"),
        ({"grpc-encoding": "br"}, 12, "UNSUPPORTED_ENCODING"),
        ({"authorization": "Bearer \xfc"}, 16, "UNAUTHENTICATED"),
        ({":method": "PUT"}, 12, "METHOD_NOT_ALLOWED"),
        ({"content-type": "application/grpc-web"}, 12, "NO_SUCH_METHOD"),
    ],
    ids=str,
)
def test_what_no_grpc_library_sends(
    door: Door, changed: dict[str, str], code: int, reason: str
) -> None:
    method = "Nothing" if reason == "NO_SUCH_METHOD" else "ListTargets"
    headers = {"content-type": "application/grpc", "te": "trailers", **changed}
    verb = headers.pop(":method", "POST")
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    with door.client(http1=False, http2=True) as client:
        reply = client.request(
            verb,
            f"/krkn.v1.TargetService/{method}",
            headers=httpx.Headers(raw),
            content=b"\0\0\0\0\0",
        )
    assert status_of(reply) == (code, reason)


def status_of(reply: httpx.Response) -> tuple[int, str]:
    encoded = reply.headers["grpc-status-details-bin"]
    assert "=" not in encoded
    whole = status_pb2.Status.FromString(base64.b64decode(encoded + "=" * (-len(encoded) % 4)))
    info = error_details_pb2.ErrorInfo()
    assert whole.details[0].Unpack(info)
    assert str(whole.code) == reply.headers["grpc-status"]
    return whole.code, info.reason
