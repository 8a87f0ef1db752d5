"""One caller's headers fail no call of another, though all share the connections to the server."""

import gzip
import os
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random, SystemRandom

import grpc
import h2.connection
import h2.events
import httpx
import pytest

from krkn_grpc.resources.trace_context import CALLER_HEADER
from krkn_grpc.v1 import targets_pb2 as targets
from krkn_grpc.v1 import targets_pb2_grpc as targets_grpc
from tests.rest.edge.honest import honest_calling
from tests.rest.edge.hostile import Hostile
from tests.rest.edge.nonsense import MESSAGE, Asked, with_each_nonsense, with_random_nonsense
from tests.rest.edge.running import (
    LOOPBACK,
    SECONDS,
    Door,
    Upstream,
    eventually,
    is_error,
    open_door,
)

LIST = "/krkn.v1.TargetService/ListTargets"
TARGETS = "/api/v1/operator/targets"
HOSTILE = 16
# As for the calls of the OpenAPI document: `make fuzz` asks for more.
EXAMPLES = int(os.environ.get("KRKN_FUZZ_EXAMPLES", "10"))


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with open_door(tmp_path_factory.mktemp("door"), rate_limit=100_000) as opened:
        yield opened


@pytest.mark.timeout(300)
def test_nobody_else_feels_them(door: Door) -> None:
    callers = asked_beside_honest_callers(door, list(with_each_nonsense()))
    assert sum(each.refused + each.cut + each.passed for each in callers) > 2000
    assert sum(each.refused for each in callers) > 100
    assert sum(each.passed for each in callers) > 100


@pytest.mark.timeout(60 + EXAMPLES)
def test_nor_those_that_nobody_has_listed(door: Door) -> None:
    """`make fuzz` asks for more of them; the seed is in the report of a failure."""
    seed = SystemRandom().randrange(2**32)
    count = EXAMPLES * 30
    everything = list(with_random_nonsense(Random(seed), count))
    callers = asked_beside_honest_callers(door, everything, f"seed {seed}")
    assert sum(each.refused + each.cut + each.passed for each in callers) == count


def asked_beside_honest_callers(
    door: Door, everything: Sequence[Asked], said_of_a_failure: str = ""
) -> list[Hostile]:
    """Ask everything while others call; not one call of theirs may fail."""
    door.upstream.reset()

    def ask(number: int) -> Hostile:
        with Hostile(door.settings.rest_port) as hostile:
            for asked in everything[number::HOSTILE]:
                hostile.ask(asked)
        return hostile

    # Envoy waits a second before it closes a connection whose HTTP is wrong: so many at once.
    with honest_calling(door.address) as honest, ThreadPoolExecutor(HOSTILE) as pool:
        callers = list(pool.map(ask, range(HOSTILE)))
        eventually(lambda: min(honest.answered.values()) > 100)
    assert honest.failures == [], said_of_a_failure
    assert len(honest.answered) == 6
    return callers


@pytest.mark.parametrize(
    ("metadata", "code", "words"),
    [
        (("grpc-timeout", "10s"), grpc.StatusCode.INVALID_ARGUMENT, "grpc-timeout: must be"),
        (("grpc-encoding", "zstd"), grpc.StatusCode.UNIMPLEMENTED, "grpc-encoding: must be one"),
        (("krkn-revision", "\xff"), grpc.StatusCode.INVALID_ARGUMENT, "krkn-revision: must be"),
        (("authorization", "Bearer \xff"), grpc.StatusCode.UNAUTHENTICATED, "authorization: has"),
    ],
)
@pytest.mark.parametrize("kind", ["application/grpc", "application/grpc-web+proto"])
def test_the_caller_is_told(
    door: Door, metadata: tuple[str, str], code: grpc.StatusCode, words: str, kind: str
) -> None:
    door.upstream.reset()
    headers = [(b"content-type", kind.encode()), (b"te", b"trailers")]
    headers.append((metadata[0].encode(), metadata[1].encode("latin-1")))
    with door.client(http1=False, http2=True) as client:
        reply = client.post(LIST, content=MESSAGE, headers=headers)
    assert reply.headers["content-type"].startswith(kind.removesuffix("+proto"))
    assert reply.status_code == 200
    assert reply.headers["grpc-status"] == str(code.value[0])
    assert reply.headers["grpc-message"].startswith(words)
    if metadata[0] == "grpc-encoding" and "web" not in kind:
        assert reply.headers["grpc-accept-encoding"] == "identity,deflate,gzip"
    assert door.upstream.calls == []


@pytest.mark.parametrize(
    ("name", "status", "code"), [("krkn-revision", 400, 3), ("authorization", 401, 16)]
)
def test_a_caller_by_rest_is_told(client: httpx.Client, name: str, status: int, code: int) -> None:
    reply = client.get(TARGETS, headers=[(name.encode(), b"Bearer \xff")])
    assert is_error(reply, status, code)["message"].startswith(f"{name}: ")
    assert ("www-authenticate" in reply.headers) == (status == 401)


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "HEAD"])
def test_grpc_is_called_with_post(client: httpx.Client, upstream: Upstream, verb: str) -> None:
    reply = client.request(verb, LIST, headers={"content-type": "application/grpc"})
    assert reply.headers["grpc-status"] == "12"
    # A reply to HEAD has no body, which is where Envoy takes the message from.
    if verb != "HEAD":
        assert f"and this is {verb}" in reply.headers["grpc-message"]
    assert upstream.calls == []


@pytest.mark.parametrize("timeout", ["99999999H", "0S", "1n", "100m", "999999999999S", "1M", "5u"])
def test_a_deadline_of_any_size_passes(door: Door, timeout: str) -> None:
    headers = {"content-type": "application/grpc", "te": "trailers", "grpc-timeout": timeout}
    with door.client(http1=False, http2=True) as client:
        reply = client.post(LIST, content=MESSAGE, headers=headers)
    # Those that are over before they begin are answered so.
    assert reply.headers.get("grpc-status", "0") in {"0", "4"}


def test_what_real_clients_send_passes(door: Door, upstream: Upstream) -> None:
    sent = {
        "authorization": "Bearer abc",
        "krkn-revision": "krknchaosjobs.7",
        "krkn-other": "x",
        "b3": "0",
    }
    traced = {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "a=b",
    }
    with door.channel() as channel:
        targets_grpc.TargetServiceStub(channel).ListTargets(
            targets.ListTargetsRequest(),
            metadata=tuple((sent | traced).items()),
            timeout=SECONDS,
            compression=grpc.Compression.Gzip,
        )
    (call,) = upstream.calls
    assert sent.items() <= call.metadata.items()
    assert call.metadata[CALLER_HEADER] == traced["traceparent"]
    assert "grpc-python" in call.metadata["user-agent"]
    assert len(call.metadata["x-request-id"]) == 36


def test_a_compressed_message_is_read(door: Door, upstream: Upstream) -> None:
    packed = gzip.compress(targets.GetTargetRequest(uuid="a" * 1000).SerializeToString())
    headers = {"content-type": "application/grpc", "te": "trailers", "grpc-encoding": "gzip"}
    with door.client(http1=False, http2=True) as client:
        frame = struct.pack(">BI", 1, len(packed)) + packed
        client.post("/krkn.v1.TargetService/GetTarget", content=frame, headers=headers)
    (call,) = upstream.calls
    assert call.request.uuid == "a" * 1000


def test_trailers_of_a_request_are_dropped_and_it_passes(door: Door, upstream: Upstream) -> None:
    with Hostile(door.settings.rest_port) as caller:
        asked = next(each for each in with_each_nonsense() if each.trailers)
        assert caller.ask(asked)[b"grpc-status"] == b"0"
    (call,) = upstream.calls
    assert call.method == "ListTargets"


class Listens:
    """A server that keeps what Envoy sends to it, and answers no call."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self.connection = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding=None)
        )
        self.asked: list[dict[bytes, bytes]] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        peer, _ = self._listener.accept()
        self.connection.initiate_connection()
        peer.sendall(self.connection.data_to_send())
        while data := peer.recv(65536):
            for event in self.connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self.asked.append(dict(event.headers or ()))
            peer.sendall(self.connection.data_to_send())


def test_envoy_remembers_no_header_on_a_connection(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    listens = Listens()
    try:
        folder = tmp_path_factory.mktemp("listens")
        with (
            open_door(folder, grpc_port=listens.port, call_timeout_seconds=1) as door,
            door.client() as client,
        ):
            for _ in range(2):
                client.get(TARGETS, headers={"authorization": "Bearer abc"})
        assert [headers[b"authorization"] for headers in listens.asked] == [b"Bearer abc"] * 2
        # What the one who reads has to keep so that the next header may refer to it.
        assert len(listens.connection.decoder.header_table.dynamic_entries) == 0
    finally:
        listens.close()


@pytest.mark.parametrize(
    "name", ["krkn_revision", "krkn-revision_", "x_request_id", "authorization_"]
)
def test_headers_with_underscores_are_dropped(
    client: httpx.Client, upstream: Upstream, name: str
) -> None:
    assert client.get(TARGETS, headers={name: "7"}).status_code == 200
    [call] = upstream.calls
    assert not [key for key in call.metadata if "_" in key or key == "krkn-revision"]
