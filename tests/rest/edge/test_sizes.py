"""How large a request may be, and whether it is HTTP at all."""

import json
import socket
from collections.abc import Iterator

import h2.connection
import h2.events
import httpx
import pytest

from krkn_grpc.edge.limits import MAX_BODY_BYTES, MAX_HEADER_KIB, MAX_HEADERS
from krkn_grpc.v1 import scenario_runs_pb2 as runs
from tests.rest.edge.running import LOOPBACK, SECONDS, Door, is_error

TARGETS = "/api/v1/operator/targets"
JSON = {"content-type": "application/json"}
FRAME = b'{"kubeconfig":"%b"}'


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def client(door: Door, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    door.upstream.reset()
    http2 = request.param == "HTTP/2"
    with door.client(http1=not http2, http2=http2) as opened:
        yield opened


def body_of(size: int) -> bytes:
    return FRAME % (b"k" * (size - len(FRAME % b"")))


def in_chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 50_000):
        yield body[start : start + 50_000]


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length is told", "in chunks"])
def test_the_largest_body_passes(client: httpx.Client, door: Door, is_chunked: bool) -> None:
    body = body_of(MAX_BODY_BYTES)
    content = in_chunks(body) if is_chunked else body
    response = client.post(TARGETS, content=content, headers=JSON)
    assert response.status_code == 200, response.text
    (call,) = door.upstream.calls
    assert FRAME % call.request.kubeconfig.encode() == body


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length is told", "in chunks"])
@pytest.mark.parametrize("size", [MAX_BODY_BYTES + 1, 2 * MAX_BODY_BYTES])
def test_a_larger_one_does_not(door: Door, size: int, is_chunked: bool) -> None:
    door.upstream.reset()
    content = in_chunks(body_of(size)) if is_chunked else body_of(size)
    with door.client() as client:
        response = client.post(TARGETS, content=content, headers=JSON)
    assert str(MAX_BODY_BYTES) in is_error(response, 413, 3, "REQUEST_TOO_LARGE")["message"]
    assert door.upstream.calls == []


def test_a_larger_one_does_not_over_http2(door: Door) -> None:
    # Not with httpx: it takes a reply that comes before all is sent for an error.
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    headers = [
        (":method", "POST"),
        (":path", TARGETS),
        (":scheme", "http"),
        (":authority", door.address),
        ("content-type", "application/json"),
    ]
    connection.send_headers(1, headers)
    events: list[h2.events.Event] = []
    with socket.create_connection((LOOPBACK, door.settings.rest_port), SECONDS) as peer:
        while not any(isinstance(event, h2.events.StreamEnded) for event in events):
            window = connection.local_flow_control_window(1)
            if window > 0:
                size = min(window, connection.max_outbound_frame_size)
                connection.send_data(1, b" " * size)
            peer.sendall(connection.data_to_send())
            if window <= 0:
                events += connection.receive_data(peer.recv(65536))
    (response,) = (event for event in events if isinstance(event, h2.events.ResponseReceived))
    assert response.headers is not None
    assert dict(response.headers)[b":status"] == b"413"
    (data,) = (event.data for event in events if isinstance(event, h2.events.DataReceived))
    assert data is not None
    assert json.loads(data)["code"] == 3


def test_a_reply_may_be_larger(client: httpx.Client, door: Door) -> None:
    jobs = [runs.Job(job_id=str(number), message='"' * 5_000) for number in range(1000)]
    door.upstream.on("ListScenarioRuns", lambda *_: runs.ListScenarioRunsResponse(jobs=jobs))
    response = client.get("/api/v1/scenarios/run")
    assert len(response.content) > 10_000_000
    assert [job["jobId"] for job in response.json()["jobs"]] == [job.job_id for job in jobs]


def test_a_length_is_believed_before_the_body_comes(door: Door) -> None:
    reply = door.raw(
        b"POST /api/v1/operator/targets HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"content-length: 40000000\r\n\r\n   "
    )
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert json.loads(body)["code"] == 3


def test_headers_have_a_limit(client: httpx.Client, door: Door) -> None:
    def ask(size: int) -> httpx.Response:
        return client.get("/api/v1/health", headers={"authorization": "x" * size})

    assert ask((MAX_HEADER_KIB - 1) * 1024).status_code == 200
    door.upstream.reset()
    is_error(ask((MAX_HEADER_KIB + 1) * 1024), 431, 3, "HEADERS_TOO_LARGE")
    many = {f"x-{number}": "" for number in range(MAX_HEADERS)}
    is_error(client.get("/api/v1/health", headers=many), 431, 3, "HEADERS_TOO_LARGE")
    if client.get("/api/v1/health").http_version == "HTTP/1.1":
        is_error(ask((2 * MAX_HEADER_KIB + 1) * 1024), 431, 3, "HEADERS_TOO_LARGE")
    else:
        # There Envoy resets the stream.
        with pytest.raises(httpx.RemoteProtocolError):
            ask((2 * MAX_HEADER_KIB + 1) * 1024)
    assert len(door.upstream.calls) == 1


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        pytest.param(b"get /api/v1/health HTTP/1.1\r\nhost: x\r\n\r\n", 400, id="lower case"),
        pytest.param(b"GET /api/v1/health HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\na b: c\r\n\r\n", 400, id="header"),
        pytest.param(b"GET /api/v1/health%00 HTTP/1.1\r\nhost: x\r\n\r\n", 400, id="NUL"),
        pytest.param(b"GET /api/v1/health#x HTTP/1.1\r\nhost: x\r\n\r\n", 400, id="fragment"),
        pytest.param(b"GET /api/v1/h\xc3\xa4lth HTTP/1.1\r\nhost: x\r\n\r\n", 400, id="not ASCII"),
        pytest.param(b"GET ../../etc HTTP/1.1\r\nhost: x\r\n\r\n", 400, id="no path"),
        pytest.param(b"GET /api/v1/health HTTP/1.0\r\n\r\n", 426, id="HTTP/1.0"),
        pytest.param(b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n", 404, id="CONNECT"),
        pytest.param(
            b"POST /api/v1/scenarios/run HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n"
            b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            id="two lengths",
        ),
    ],
)
def test_what_is_hardly_http(door: Door, request_text: bytes, status: int) -> None:
    head, _, body = door.raw(request_text).partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == str(status).encode()
    assert b"content-type: application/json" in head
    assert list(json.loads(body)) == ["code", "message", "details"]
