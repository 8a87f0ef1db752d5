"""Who makes Envoy hold memory for them gets little of it; at the end of it new work is refused.

Envoy has so little memory here that a few requests would use it up.
"""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.settings
import httpx
import pytest

from krkn_grpc.edge.direct_responses import DOCUMENT_PATH
from krkn_grpc.edge.limits import MAX_BODY_BYTES
from krkn_grpc.v1 import targets_pb2
from tests.rest.edge.running import LOOPBACK, SECONDS, Door, eventually, is_error, open_door
from tests.support.connections import memory
from tests.support.others import Ask, Others, others_calling

HEAP_MIB = 64
ROOM_MIB = 230
"""What the process may have at most: twice its heap, and its code."""

TARGETS = "/api/v1/operator/targets"
TARGET = f"{TARGETS}/0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"
HOSTILE = "127.0.0.66"
BODY = b" " * MAX_BODY_BYTES
PATIENCE = 3


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    with open_door(folder, envoy_max_heap_mib=HEAP_MIB, body_timeout_seconds=PATIENCE) as opened:
        yield opened


@pytest.fixture
def patient_door(tmp_path: Path) -> Iterator[Door]:
    """One whose patience no test comes to the end of, however slow the machine is."""
    with open_door(tmp_path, envoy_max_heap_mib=HEAP_MIB, body_timeout_seconds=600) as opened:
        yield opened


ASKS: list[Ask] = [
    lambda client: client.get("/api/v1/health"),
    lambda client: client.post(TARGETS, json={"clusterName": "a" * 10_000}),
    lambda client: client.get(TARGETS),
]


@pytest.fixture
def others(door: Door) -> Iterator[Others]:
    with others_calling(door.url, ASKS) as calling:
        yield calling
    door.upstream.reset()


def connected(door: Door, source: str = HOSTILE) -> socket.socket:
    address = (LOOPBACK, door.settings.rest_port)
    return socket.create_connection(address, SECONDS, source_address=(source, 0))


def heard(connection: socket.socket) -> bytes | None:
    """What there is to read now: None while the other side waits, nothing when it has hung up."""
    connection.settimeout(0.05)
    try:
        return connection.recv(65536)
    except TimeoutError:
        return None
    except ConnectionError:
        return b""


def unfinished(door: Door, verb: str = "POST", is_labelled: bool = True) -> socket.socket:
    """All but the last byte of the largest body, as much as Envoy takes of it."""
    length = f"content-length: {MAX_BODY_BYTES}" if is_labelled else "transfer-encoding: chunked"
    head = f"{verb} {TARGETS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{length}"
    body = BODY[:-1] if is_labelled else b"%x\r\n%b" % (MAX_BODY_BYTES, BODY[:-1])
    connection = connected(door)
    connection.settimeout(2)
    with contextlib.suppress(TimeoutError, ConnectionError):
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
    return connection


@pytest.mark.parametrize("is_labelled", [True, False], ids=["length is told", "in chunks"])
def test_unfinished_bodies(patient_door: Door, is_labelled: bool) -> None:
    door = patient_door
    with contextlib.ExitStack() as stack:
        others = stack.enter_context(others_calling(door.url, ASKS))
        held = [stack.enter_context(unfinished(door, is_labelled=is_labelled)) for _ in range(40)]
        during = others.go_on()
        replies = [heard(connection) for connection in held]
        assert memory(door.process.pid) < ROOM_MIB * 2**20
    # The bodies that there is room for.
    assert replies.count(None) <= 2
    # Who goes on sending may see the end of the connection only.
    refused = [reply for reply in replies if reply]
    assert refused
    for reply in refused:
        assert reply.startswith(b"HTTP/1.1 429 ")
        head, _, body = reply.partition(b"\r\n\r\n")
        assert b"retry-after: 1" in head
        assert json.loads(body)["code"] == 8
    assert set(during.statuses) == set(others.statuses) == {200}


def http2_body(door: Door, verb: str) -> tuple[socket.socket, h2.connection.H2Connection]:
    """A request over HTTP/2 that does not say how long its body is, or whether it has one."""
    connection, peer = h2.connection.H2Connection(), connected(door)
    connection.initiate_connection()
    kind = [("content-type", "application/json")]
    fixed = [(":method", verb), (":path", TARGETS), (":scheme", "http"), (":authority", "x")]
    connection.send_headers(1, fixed + kind)
    connection.send_data(1, BODY[:16_000])
    peer.sendall(connection.data_to_send())
    return peer, connection


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_unfinished_bodies_over_http2(door: Door, others: Others, verb: str) -> None:
    with contextlib.ExitStack() as stack:
        held = [http2_body(door, verb) for _ in range(40)]
        for peer, _ in held:
            stack.enter_context(peer)
        during = others.go_on()
        statuses = []
        for peer, connection in held:
            events = connection.receive_data(heard(peer) or b"")
            statuses += [
                dict(event.headers)[b":status"]
                for event in events
                if isinstance(event, h2.events.ResponseReceived)
            ]
    assert statuses.count(b"429") > 30
    assert set(during.statuses) == set(others.statuses) == {200}


def grpc_connection(door: Door) -> tuple[socket.socket, h2.connection.H2Connection]:
    """A gRPC caller from the address that is full of ill will."""
    connection, peer = h2.connection.H2Connection(), connected(door)
    connection.initiate_connection()
    peer.sendall(connection.data_to_send())
    return peer, connection


def begin(
    peer: socket.socket, connection: h2.connection.H2Connection, path: str, body: bytes
) -> int:
    """Send the beginning of a gRPC request; return its stream."""
    stream: int = connection.get_next_available_stream_id()
    fixed = [(":method", "POST"), (":path", path), (":scheme", "http"), (":authority", "x")]
    connection.send_headers(
        stream, [*fixed, ("content-type", "application/grpc"), ("te", "trailers")]
    )
    for start in range(0, len(body), 16_000):
        connection.send_data(stream, body[start : start + 16_000])
    peer.sendall(connection.data_to_send())
    return stream


def statuses(peer: socket.socket, connection: h2.connection.H2Connection) -> dict[int, bytes]:
    """What came for each stream until nothing more did: its gRPC status."""
    told: dict[int, bytes] = {}
    while data := heard(peer):
        for event in connection.receive_data(data):
            for name, value in getattr(event, "headers", None) or ():
                if name == b"grpc-status":
                    told[event.stream_id] = value  # type: ignore[attr-defined]
    return told


def until_told(
    peer: socket.socket, connection: h2.connection.H2Connection, *streams: int
) -> dict[int, bytes]:
    """What came by the time that these streams had their gRPC status."""
    told: dict[int, bytes] = {}
    eventually(lambda: told.update(statuses(peer, connection)) or told.keys() >= {*streams})
    return told


def test_grpc_requests_on_their_way_are_their_addresss(door: Door, others: Others) -> None:
    """A share of 4 MiB for one address, of which each request takes at least 32 KiB."""
    path = "/krkn.v1.TargetService/CreateTarget"
    with contextlib.ExitStack() as stack:
        told: list[bytes] = []
        held: list[tuple[socket.socket, h2.connection.H2Connection]] = []
        for _ in range(10):
            peer, connection = grpc_connection(door)
            stack.enter_context(peer)
            held.append((peer, connection))
            for _ in range(20):
                begin(peer, connection, path, b"\0\0\x10\0\0" + b"x" * 3000)
        during = others.go_on()
        for peer, connection in held:
            told += statuses(peer, connection).values()
        assert told.count(b"8") >= 200 - 4 * 32
        # Those that were taken end when their time is over.
        assert set(told) <= {b"8", b"4"}
        assert memory(door.process.pid) < ROOM_MIB * 2**20
    assert set(during.statuses) == set(others.statuses) == {200}


def test_a_grpc_request_has_a_time(tmp_path: Path) -> None:
    with open_door(tmp_path, body_timeout_seconds=1) as door:
        peer, connection = grpc_connection(door)
        with peer:
            paths = ("/krkn.v1.TargetService/CreateTarget", "/grpc.health.v1.Health/Check")
            half = [begin(peer, connection, path, b"\0\0\0\0") for path in paths]
            assert set(until_told(peer, connection, *half).values()) == {b"4"}
            endless = begin(peer, connection, paths[1], b"\0\0\x10\0\0" + b"x" * 20_000)
            until_told(peer, connection, endless)


def test_what_is_open_to_everybody_waits_until_it_is_whole_and_is_small(
    patient_door: Door,
) -> None:
    door = patient_door
    check = "/grpc.health.v1.Health/Check"
    peer, connection = grpc_connection(door)
    with peer:
        half = begin(peer, connection, check, b"\0\0\0\0")
        large = begin(peer, connection, check, b"\0\0\0\x20\0" + b"x" * 4200)
        connection.end_stream(large)
        peer.sendall(connection.data_to_send())
        assert until_told(peer, connection, large) == {large: b"8"}
        connection.send_data(half, b"\0", end_stream=True)
        peer.sendall(connection.data_to_send())
        assert until_told(peer, connection, half) == {half: b"0"}


def test_who_hangs_up_may_come_again(door: Door) -> None:
    for connection in [unfinished(door) for _ in range(10)]:
        connection.close()
    transport = httpx.HTTPTransport(local_address=HOSTILE)
    with door.client(transport=transport) as client:

        def is_taken() -> bool:
            content = b'{"token":"%b"}' % (b"x" * (MAX_BODY_BYTES - 12))
            response = client.post(
                TARGETS, content=content, headers={"content-type": "application/json"}
            )
            assert response.status_code == 200 or is_error(response, 429, 8)
            return response.status_code == 200

        eventually(is_taken)


Headers = list[tuple[str, str]]
GET: Headers = [(":method", "GET"), (":scheme", "http"), (":authority", "x")]
WEB: Headers = [(":method", "POST"), (":scheme", "http"), (":authority", "x")]
KINDS = [
    pytest.param([*GET, (":path", DOCUMENT_PATH)], b"", id="document"),
    pytest.param([*GET, (":path", "/api/v1/health")], b"", id="JSON"),
    pytest.param([*GET, (":path", "/api/v1/nothing")], b"", id="refusal"),
    pytest.param(
        [*WEB, (":path", "/grpc.health.v1.Health/Check"), ("content-type", "application/grpc-web")],
        b"\0\0\0\0\0",
        id="gRPC-Web",
    ),
]


def unread(
    door: Door, asked: Headers, body: bytes, many: int, source: str = HOSTILE
) -> socket.socket:
    """Ask so often on one connection, and let nothing of the replies come."""
    window = {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 0}
    connection = h2.connection.H2Connection()
    connection.local_settings = h2.settings.Settings(client=True, initial_values=window)
    connection.initiate_connection()
    for stream in range(1, 2 * many, 2):
        connection.send_headers(stream, asked, end_stream=not body)
        if body:
            connection.send_data(stream, body, end_stream=True)
    peer = connected(door, source)
    peer.sendall(connection.data_to_send())
    return peer


@pytest.mark.parametrize(("asked", "body"), KINDS)
def test_replies_that_are_not_read(door: Door, others: Others, asked: Headers, body: bytes) -> None:
    """Also the smallest ones: a stream holds some 40 KiB, whatever is in its reply."""
    with contextlib.ExitStack() as stack:
        for number in range(40):
            # Of each address no more than the rate limit lets through.
            source = f"127.0.0.{70 + number // 10}"
            stack.enter_context(unread(door, asked, body, 95, source))
            others.go_on(1)
        # There is room within seconds, though they that do not read are still connected.
        eventually(lambda: set(others.go_on(60).statuses) == {200})
        assert memory(door.process.pid) < ROOM_MIB * 2**20
    others.refused_safely()
    assert door.process.poll() is None


@pytest.mark.parametrize("encoding", ["gzip", "gzip;q=0, identity", "xgzip"])
def test_documents_for_one_address(tmp_path: Path, encoding: str) -> None:
    """What an address may be given in ten seconds, counted as it is given."""
    other = httpx.HTTPTransport(local_address=HOSTILE)
    with (
        open_door(tmp_path, envoy_max_heap_mib=HEAP_MIB) as door,
        door.client(headers={"accept-encoding": encoding}) as client,
        door.client(transport=other) as stranger,
    ):
        size = int(client.get(DOCUMENT_PATH).headers["content-length"])
        share = HEAP_MIB * 2**20 // 16
        replies = [client.get(DOCUMENT_PATH) for _ in range(share // size + 2)]
        assert {reply.status_code for reply in replies[:-3]} == {200}
        assert is_error(replies[-1], 429, 8)
        assert replies[-1].headers["retry-after"] == "10"
        assert client.get("/api/v1/health").status_code == 200
        assert stranger.get(DOCUMENT_PATH).status_code == 200


def test_when_memory_is_used_up_new_work_is_refused_and_it_heals(
    door: Door, others: Others
) -> None:
    large = targets_pb2.Target(message="x" * 8_000_000)
    door.upstream.on("GetTarget", lambda *_: large)
    request = f"GET {TARGET} HTTP/1.1\r\nhost: x\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(connected(door))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(request)
        eventually(lambda: others.refused_safely() > 0)
    eventually(lambda: set(others.go_on(20).statuses) == {200})
    others.refused_safely()
    assert door.process.poll() is None
