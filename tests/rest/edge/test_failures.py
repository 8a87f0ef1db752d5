"""What a caller is told when the server is away, slow, or fails in the middle."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import grpc
import httpx
import pytest
from google.api import httpbody_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from deploy.local.processes.ports import free_port
from krkn_grpc.v1 import scenario_runs_pb2 as runs
from krkn_grpc.v1 import targets_pb2, targets_pb2_grpc
from tests.rest.edge.broken import Hangs
from tests.rest.edge.running import (
    LOOPBACK,
    SECONDS,
    Door,
    Upstream,
    eventually,
    is_error,
    open_door,
)

JOB = "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"
TARGET = f"/api/v1/operator/targets/{JOB}"
LOGS = f"/api/v1/scenarios/run/{JOB}/logs"
WATCH = "/api/v1/scenarios/run:watch"
CALL_SECONDS = 2


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    with open_door(folder, call_timeout_seconds=CALL_SECONDS) as opened:
        yield opened


def test_a_slow_call_is_told_so_and_a_quiet_stream_is_left_alone(
    client: httpx.Client, upstream: Upstream
) -> None:
    over = threading.Event()

    def slow(_: object, __: object) -> targets_pb2.Target:
        over.wait(SECONDS)
        return targets_pb2.Target()

    def quiet(_: object, __: object) -> Iterator[runs.WatchScenarioRunsResponse]:
        yield runs.WatchScenarioRunsResponse(type="ADDED")
        over.wait(SECONDS)
        yield runs.WatchScenarioRunsResponse(type="SYNCED")

    upstream.on("GetTarget", slow)
    upstream.on("WatchScenarioRuns", quiet)
    with client.stream("GET", WATCH) as response:
        lines = response.iter_lines()
        next(lines)
        message = is_error(client.get(TARGET), 504, 4, "SERVICE_TOO_SLOW")["message"]
        assert message == "the service did not answer in time; what was asked may have been done"
        over.set()
        assert list(lines) == ['{"type":"SYNCED","resumeToken":""}']


def test_the_server_is_away_and_comes_back(door: Door, client: httpx.Client) -> None:
    door.upstream.reset()
    door.server.stop(grace=None).wait(SECONDS)
    try:
        for response in (
            client.get(TARGET),
            client.get(LOGS),
            client.post("/api/v1/scenarios/run", json={}),
        ):
            message = is_error(response, 503, 14, "SERVICE_UNREACHABLE")["message"]
            assert message == (
                "the service cannot be reached now; nothing was done; try again in a second"
            )
            assert response.headers["retry-after"] == "1"
        with door.channel() as channel, pytest.raises(grpc.RpcError) as caught:
            targets_pb2_grpc.TargetServiceStub(channel).ListTargets(
                targets_pb2.ListTargetsRequest()
            )
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert caught.value.details() == message
    finally:
        door.server = door.upstream.serve(door.upstream.port)
    assert client.get(TARGET).status_code == 200


def test_a_log_is_cut_when_the_server_goes(door: Door, client: httpx.Client) -> None:
    door.upstream.reset()
    stopped = threading.Event()

    def reply(_: object, __: object) -> Iterator[httpbody_pb2.HttpBody]:
        yield httpbody_pb2.HttpBody(content_type="text/plain", data=b"first\n")
        stopped.wait(SECONDS)

    door.upstream.on("StreamLogs", reply)
    try:
        with client.stream("GET", LOGS) as response:
            parts = response.iter_bytes()
            assert next(parts) == b"first\n"
            door.server.stop(grace=None)
            with pytest.raises(httpx.RemoteProtocolError):
                next(parts)
    finally:
        stopped.set()
        door.server.stop(grace=None).wait(SECONDS)
        door.server = door.upstream.serve(door.upstream.port)


def test_more_status_details_than_trailers_carry(client: httpx.Client, upstream: Upstream) -> None:
    status = status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message="many")
    violation = error_details_pb2.BadRequest.FieldViolation(field="f" * 100, description="d" * 100)
    status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation] * 1000))
    upstream.fails("GetTarget", status)
    is_error(client.get(TARGET), 503, 14)


def test_a_connection_that_breaks_off_may_have_done_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    broken = Hangs()
    try:
        folder = tmp_path_factory.mktemp("broken")
        with open_door(folder, grpc_port=broken.port) as door, door.client() as client:
            response = client.post("/api/v1/operator/targets", json={"clusterName": "a" * 500})
        # A code that no proxy and no client repeats.
        message = is_error(response, 500, 2, "OUTCOME_UNKNOWN")["message"]
        assert (
            message == "the connection to the service was lost; what was asked may have been done"
        )
        assert "retry-after" not in response.headers
        assert broken.connections == 1  # it was not asked again
    finally:
        broken.close()


class Relay:
    """Forwards connections to a port; a connection whose event is set forwards nothing any more."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections: list[threading.Event] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                far, is_silent = socket.create_connection((LOOPBACK, self._to)), threading.Event()
                self.connections.append(is_silent)
                for ends in ((near, far), (far, near)):
                    threading.Thread(
                        target=self._pass, args=(*ends, is_silent), daemon=True
                    ).start()

    @staticmethod
    def _pass(source: socket.socket, sink: socket.socket, is_silent: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not is_silent.is_set():
                    sink.sendall(data)
            sink.close()

    def close(self) -> None:
        self._listener.close()


def test_a_connection_that_falls_silent_is_replaced(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Envoy asks whether it is alive after 15 s, for 5 s."""
    upstream = Upstream()
    server = upstream.serve()
    relay = Relay(upstream.port)
    try:
        folder = tmp_path_factory.mktemp("silent")
        with open_door(folder, grpc_port=relay.port) as door, door.client() as client:
            client.get(TARGET).raise_for_status()
            [silent] = relay.connections
            silent.set()
            eventually(lambda: client.get(TARGET, timeout=None).status_code == 200)
            assert len(relay.connections) == 2
            client.get(TARGET).raise_for_status()
    finally:
        relay.close()
        server.stop(grace=None).wait(SECONDS)


def test_a_name_for_the_server_is_looked_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("named")
    settings = {"grpc_host": "nowhere.invalid", "grpc_port": free_port(), "tls": "mesh"}
    with open_door(folder, **settings) as door, door.client() as client:
        is_error(client.get("/api/v1/health"), 503, 14)
