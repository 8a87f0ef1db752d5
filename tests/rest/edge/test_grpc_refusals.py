"""What Envoy refuses by itself has the same details by gRPC as by REST, also for streams."""

import base64
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import grpc
import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from grpc_status import rpc_status

from krkn_grpc.client.errors import LimitReached, Unavailable, from_call
from krkn_grpc.edge.limits import MAX_OPEN_BYTES
from tests.rest.edge.broken import Hangs
from tests.rest.edge.refused import (
    CREATE,
    EMPTY,
    STREAM,
    UNARY,
    Told,
    ask,
    refusal,
    sent,
    status,
    status_of,
)
from tests.rest.edge.running import (
    LOOPBACK,
    SECONDS,
    Door,
    at_once,
    eventually,
    is_error,
    open_door,
)

RATE = 5
MANY = 6 * RATE


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with open_door(tmp_path, rate_limit=RATE) as opened:
        yield opened


@pytest.mark.parametrize("method", [UNARY, STREAM])
def test_too_many_calls(door: Door, method: str) -> None:
    with door.channel() as channel:
        error = refusal(lambda: ask(channel, method), attempts=2 * MANY)
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
def test_the_connection_breaks_off(tmp_path: Path, method: str, expected: Told) -> None:
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


@pytest.mark.parametrize(
    "metadata",
    [[("authorization", "x" * 17 * 1024)], [(f"x-{number}", "") for number in range(100)]],
    ids=["too long", "too many"],
)
def test_headers_that_are_too_large(door: Door, metadata: list[tuple[str, str]]) -> None:
    with door.channel() as channel:
        error = refusal(lambda: ask(channel, UNARY, b"", *metadata))
    assert status(error) == (3, "HEADERS_TOO_LARGE", None)


def test_a_page_without_authentication(tmp_path: Path) -> None:
    with open_door(tmp_path, auth="none") as door, door.channel() as channel:
        error = refusal(lambda: ask(channel, UNARY, b"", ("origin", "https://evil.example")))
    assert status(error) == (7, "FOREIGN_ORIGIN", None)


@pytest.mark.parametrize("method", [UNARY, STREAM])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("max_heap_size_bytes: ", "max_heap_size_bytes: 1 # "), id="memory"),
        pytest.param(("max_requests: 8192", "max_requests: 0"), id="calls at the server"),
        pytest.param(("max_pending_requests: 8192", "max_pending_requests: 0"), id="waiting calls"),
    ],
)
def test_more_in_hand_than_there_is_room_for(
    tmp_path: Path, change: tuple[str, str], method: str
) -> None:
    with open_door(tmp_path, "", change) as door, door.channel() as channel:
        # Memory is looked at four times a second.
        error = refusal(lambda: ask(channel, method), attempts=1000)
        assert status(error) == (14, "OVERLOADED", 1)
        with door.client() as client:
            is_error(client.get("/api/v1/operator/targets"), 503, 14, "OVERLOADED")


@pytest.mark.parametrize("method", [UNARY, STREAM])
def test_a_check_that_fails_itself(tmp_path: Path, method: str) -> None:
    change = ("mesh.name_caller(handle, given, settings.mesh)", "error()")
    with open_door(tmp_path, "", change) as door, door.channel() as channel:
        assert status(refusal(lambda: ask(channel, method))) == (13, "INTERNAL", None)
        with door.client() as client:
            is_error(client.get("/api/v1/operator/targets"), 500, 13, "INTERNAL")
        assert door.upstream.calls == []


@pytest.fixture
def http2(door: Door) -> Iterator[httpx.Client]:
    with door.client(http1=False, http2=True) as client:
        yield client


def test_the_caller_s_own_deadline(tmp_path: Path) -> None:
    # The server keeps the deadline, too: one that never says anything leaves it to Envoy.
    with (
        socket.create_server((LOOPBACK, 0)) as silent,
        open_door(tmp_path, grpc_port=silent.getsockname()[1]) as door,
        door.client(http1=False, http2=True) as client,
    ):
        # A library would not wait for the reply.
        reply = sent(client, UNARY, {"grpc-timeout": "100m"})
    assert status_of(reply) == (4, "SERVICE_TOO_SLOW", None)


@pytest.mark.parametrize("method", [UNARY, CREATE, "HealthService/GetHealth"])
def test_a_request_that_does_not_arrive(tmp_path: Path, method: str) -> None:
    refused = threading.Event()

    def half_of_one() -> Iterator[bytes]:
        yield EMPTY[:-1] + b"\x10ab"
        refused.wait(3)

    with (
        open_door(tmp_path, body_timeout_seconds=1) as door,
        door.client(http1=False, http2=True) as client,
    ):
        reply = sent(client, method, {}, half_of_one())
    assert status_of(reply) == (4, "REQUEST_TOO_SLOW", None)


@pytest.mark.parametrize(
    ("changed", "code", "reason"),
    [
        ({"grpc-timeout": "soon"}, 3, "INVALID_REQUEST"),
        ({"grpc-encoding": "br"}, 12, "UNSUPPORTED_ENCODING"),
        ({"authorization": "Bearer \xfc"}, 16, "UNAUTHENTICATED"),
        ({"krkn-revision": "\xfc"}, 3, "INVALID_REQUEST"),
        ({":path": "%00"}, 3, "INVALID_REQUEST"),
        ({":method": "PUT"}, 12, "METHOD_NOT_ALLOWED"),
    ],
    ids=str,
)
def test_what_no_grpc_library_sends(
    http2: httpx.Client, changed: dict[str, str], code: int, reason: str
) -> None:
    method, verb = changed.pop(":path", "ListTargets"), changed.pop(":method", "POST")
    reply = sent(http2, f"TargetService/{method}", changed, verb=verb)
    assert status_of(reply) == (code, reason, None)


@pytest.fixture(params=["application/grpc-web+proto", "application/grpc-web-text"])
def kind(request: pytest.FixtureRequest) -> str:
    """How a browser says gRPC."""
    return str(request.param)


def test_a_browser_is_told_the_same(door: Door, kind: str) -> None:
    def call(method: str) -> httpx.Response:
        content = base64.b64encode(EMPTY) if "text" in kind else EMPTY
        with door.client(http1=False, http2=True) as client:
            return sent(client, method, {"content-type": kind}, content)

    told = set(map(status_of, at_once([partial(call, "Nothing/Nothing")] * MANY)))
    assert told == {(12, "NO_SUCH_METHOD", None), (8, "TOO_MANY_CALLS", 1)}
    door.server.stop(grace=None).wait(SECONDS)
    unreachable = (14, "SERVICE_UNREACHABLE", 1)
    eventually(lambda: status_of(call(UNARY)) == unreachable)


def test_a_browser_s_text_that_is_none(http2: httpx.Client) -> None:
    reply = sent(http2, UNARY, {"content-type": "application/grpc-web-text"}, EMPTY)
    assert status_of(reply) == (3, "INVALID_REQUEST", None)
