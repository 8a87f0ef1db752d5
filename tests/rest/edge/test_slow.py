"""Who is slow on purpose is not waited for, and the others do not feel it."""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import h2.connection
import pytest

from tests.rest.edge.running import LOOPBACK, SECONDS, Door, eventually, open_door
from tests.support.others import Others, others_calling

PATIENCE = 1
SLOW = 100
TARGETS = "/api/v1/operator/targets"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    with open_door(
        folder, header_timeout_seconds=PATIENCE, body_timeout_seconds=PATIENCE
    ) as opened:
        yield opened


@pytest.fixture
def others(door: Door) -> Iterator[Others]:
    asks = [
        lambda client: client.get("/api/v1/health"),
        lambda client: client.post(TARGETS, json={"clusterName": "a"}),
    ]
    with others_calling(door.url, asks) as calling:
        yield calling


class Slow:
    """A connection that says a little, then a byte now and then, and listens."""

    def __init__(self, door: Door, said: bytes, byte: bytes = b"") -> None:
        self._connection = socket.create_connection((LOOPBACK, door.settings.rest_port), SECONDS)
        self._connection.sendall(said)
        self._connection.setblocking(False)
        self._byte = byte
        self.heard = b""
        self.is_over = False

    def go_on(self) -> bool:
        """Say the next byte; return whether the other side has hung up."""
        try:
            if self._byte:
                self._connection.sendall(self._byte)
            while part := self._connection.recv(65536):
                self.heard += part
            self.is_over = True
        except BlockingIOError:
            pass
        except ConnectionError:
            self.is_over = True
        return self.is_over

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def until_all_are_cut_off(
    door: Door, said: bytes, byte: bytes = b"", many: int = SLOW
) -> set[bytes]:
    """Be slow on many connections until Envoy has had enough of each; return what it said."""
    with contextlib.ExitStack() as stack:
        slow = [Slow(door, said, byte) for _ in range(many)]
        for each in slow:
            stack.callback(each.close)

        def are_over() -> bool:
            over = [each.go_on() for each in slow]
            return all(over)

        eventually(are_over)
    return {each.heard for each in slow}


@pytest.mark.parametrize(
    ("said", "byte", "statuses"),
    [
        pytest.param(b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\na: ", b"a", {408}, id="headers"),
        pytest.param(b"G", b"", {408}, id="a verb"),
        pytest.param(
            b"POST /api/v1/operator/targets HTTP/1.1\r\nhost: x\r\n"
            b"content-type: application/json\r\ncontent-length: 1000\r\n\r\n",
            b" ",
            {408},
            id="a body",
        ),
        pytest.param(
            b"POST /api/v1/operator/targets HTTP/1.1\r\nhost: x\r\n"
            b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
            b"1\r\n \r\n",
            {408, 429},  # Of any length they may be, so there is no room for all of them.
            id="a body in chunks",
        ),
    ],
)
def test_slowly_over_http1(
    door: Door, others: Others, said: bytes, byte: bytes, statuses: set[int]
) -> None:
    replies = until_all_are_cut_off(door, said, byte)
    assert {int(reply.split(b" ")[1]) for reply in replies} == statuses
    for reply in replies:
        body = json.loads(reply.partition(b"\r\n\r\n")[2])
        assert list(body) == ["code", "message", "details"]
    assert set(others.go_on().statuses) == set(others.statuses) == {200}


def test_headers_without_an_end_over_http2(door: Door, others: Others) -> None:
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    # HEADERS of stream 1 without END_HEADERS: a CONTINUATION would have to follow.
    frame = b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82"
    said = connection.data_to_send() + frame
    with contextlib.ExitStack() as stack:
        slow = [Slow(door, said) for _ in range(SLOW)]
        for each in slow:
            stack.callback(each.close)

        def are_told() -> bool:
            for each in slow:
                each.go_on()
            return all(b"did not come as a whole in time" in each.heard for each in slow)

        eventually(are_told)
    assert set(others.go_on().statuses) == set(others.statuses) == {200}


def test_connections_that_ask_for_nothing_make_room(tmp_path: Path) -> None:
    most = 40
    with open_door(tmp_path, max_connections=most) as door, contextlib.ExitStack() as stack:
        silent = [Slow(door, b"") for _ in range(most)]
        for each in silent:
            stack.callback(each.close)
        # Nine in ten of the connections are taken, so those without a call have a second.
        eventually(lambda: sum(each.go_on() for each in silent) > most // 2)
        asks = [lambda client: client.get("/api/v1/health")]
        with others_calling(door.url, asks) as others:
            assert set(others.go_on().statuses) == {200}
