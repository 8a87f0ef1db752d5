"""How often, how many and how long: what one client may take, and that others do not feel it."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import grpc
import httpx
import pytest

from krkn_grpc.v1 import scenario_runs_pb2 as runs
from tests.rest.edge.running import (
    LOOPBACK,
    SECONDS,
    Door,
    check_health,
    eventually,
    is_error,
    open_door,
)

RATE = 5
MANY = 12 * RATE
"""Calls, one after the other: more than pass in the seconds that they take."""
CONNECTIONS = 8


@pytest.fixture
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    with open_door(folder, rate_limit=RATE, max_connections=CONNECTIONS) as opened:
        yield opened


def test_a_flood_is_turned_away_and_others_are_served(door: Door) -> None:
    other = httpx.HTTPTransport(local_address="127.0.0.2")
    with door.client() as client, door.client(transport=other) as neighbour:
        replies = [client.get("/api/v1/health") for _ in range(MANY)]
        refused = [reply for reply in replies if reply.status_code != 200]
        assert len(refused) > RATE
        for reply in refused:
            assert "too many calls" in is_error(reply, 429, 8, "TOO_MANY_CALLS")["message"]
            assert reply.headers["retry-after"] == "1"
        assert neighbour.get("/api/v1/health").status_code == 200
        eventually(lambda: client.get("/api/v1/health").status_code == 200)


def test_a_flood_of_grpc_is_resource_exhausted(door: Door) -> None:
    codes = set()
    with door.channel() as channel:
        for _ in range(MANY):
            try:
                check_health(channel)
            except grpc.RpcError as error:
                codes.add((error.code(), error.details()))
    assert codes == {
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls at once; try again in a second")
    }


def test_connections_are_counted(door: Door) -> None:
    def connect() -> socket.socket:
        return socket.create_connection((LOOPBACK, door.settings.rest_port), SECONDS)

    with contextlib.ExitStack() as stack:
        for _ in range(2 * CONNECTIONS):
            stack.enter_context(connect())
        with connect() as one_more, contextlib.suppress(ConnectionError):
            one_more.sendall(b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\n\r\n")
            assert one_more.recv(1) == b""
    with door.client() as client:
        eventually(lambda: _answers(client))


def _answers(client: httpx.Client) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return client.get("/api/v1/health").status_code == 200
    return False


def test_a_thousand_calls_a_second_pass(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("default")
    with open_door(folder) as door, door.client() as client:
        statuses = {client.get("/api/v1/health").status_code for _ in range(1000)}
    assert statuses == {200}


def test_a_reader_who_does_not_read_is_held_back(door: Door) -> None:
    size = 100_000
    sent = 0
    left = threading.Event()

    def reply(_: object, context: grpc.ServicerContext) -> Iterator[runs.WatchScenarioRunsResponse]:
        nonlocal sent
        context.add_callback(left.set)
        while not left.is_set():
            yield runs.WatchScenarioRunsResponse(type="ADDED", resume_token="x" * size)
            sent += 1

    def no_more_is_taken() -> bool:
        before = sent
        left.wait(0.2)
        return 0 < before == sent

    door.upstream.on("WatchScenarioRuns", reply)
    with door.client() as client, client.stream("GET", "/api/v1/scenarios/run:watch"):
        eventually(no_more_is_taken)
        assert sent * size < 20_000_000  # all that buffers from the server to here may hold
    assert left.wait(SECONDS)
