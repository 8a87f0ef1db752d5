"""The kubelet's own listener: it answers whatever callers do, and says nothing else."""

import contextlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest
from google.rpc import code_pb2, status_pb2

from deploy.local.processes.ports import free_port
from tests.rest.edge.running import LOOPBACK, SECONDS, Door, eventually, open_door

CONNECTIONS = 8


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder, port = tmp_path_factory.mktemp("door"), free_port()
    ports = {"probe_port": port, "logs_health_port": free_port()}
    with open_door(folder, **ports, max_connections=CONNECTIONS) as opened:
        yield opened


@pytest.fixture
def kubelet(door: Door) -> Iterator[httpx.Client]:
    """As the kubelet asks: by HTTP/1.1, with a new connection each time."""
    door.upstream.reset()
    url = f"http://{LOOPBACK}:{door.settings.probe_port}"
    with httpx.Client(base_url=url, timeout=SECONDS, headers={"connection": "close"}) as client:
        yield client


def test_alive_and_ready(door: Door, kubelet: httpx.Client) -> None:
    alive = kubelet.get("/livez")
    assert (alive.status_code, alive.text) == (200, "ok\n")
    assert door.upstream.calls == []
    eventually(lambda: kubelet.get("/readyz").status_code == 200)
    eventually(lambda: kubelet.get("/readyz") and door.upstream.calls)
    assert {call.method for call in door.upstream.calls} == {"GetHealth"}


def test_a_flood_asks_the_server_once_a_second(door: Door, kubelet: httpx.Client) -> None:
    eventually(lambda: kubelet.get("/readyz").status_code == 200)
    door.upstream.reset()
    began = time.monotonic()
    for _ in range(200):
        assert kubelet.get("/readyz").status_code == 200
    assert len(door.upstream.calls) <= 2 + (time.monotonic() - began)


def test_not_ready(door: Door, kubelet: httpx.Client) -> None:
    door.upstream.fails("GetHealth", status_pb2.Status(code=code_pb2.UNAVAILABLE, message="away"))
    eventually(lambda: kubelet.get("/readyz").status_code == 503)
    assert kubelet.get("/livez").status_code == 200
    door.upstream.reset()
    eventually(lambda: kubelet.get("/readyz").status_code == 200)


def test_the_processes_behind_it_are_alive(kubelet: httpx.Client, door: Door) -> None:
    eventually(lambda: kubelet.get("/livez/server").status_code == 200)
    eventually(lambda: door.upstream.calls)
    # By this the server knows that any answer will do.
    assert all(call.metadata["krkn-probe"] == "live" for call in door.upstream.calls)
    # Nothing listens there.
    eventually(lambda: kubelet.get("/livez/logs").status_code == 503)
    door.upstream.reset()
    assert kubelet.get("/readyz", headers={"krkn-probe": "live"}).status_code == 200
    assert all("krkn-probe" not in call.metadata for call in door.upstream.calls)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/livez/",
        "/livez/other",
        "/api/v1/health",
        "/api/v1/operator/targets",
        "/krkn.v1.TargetService/ListTargets",
    ],
)
def test_nothing_else_is_there(door: Door, kubelet: httpx.Client, path: str) -> None:
    assert kubelet.get(path).status_code == 404
    assert kubelet.post(path, json={}).status_code in {404, 405}
    assert kubelet.post("/readyz", content=b"x").status_code == 405
    assert door.upstream.calls == []


def test_what_a_stranger_sends_there_spoils_no_probe(door: Door, kubelet: httpx.Client) -> None:
    for header in ("grpc-timeout: 10s", "grpc-encoding: x", "x-bin: !", "a|b: 1", "te: \xff"):
        name, value = header.encode("latin-1").split(b": ")
        for _ in range(20):
            kubelet.get("/readyz", headers=[(name, value)])
        time.sleep(1.1)  # until the server is asked again
    assert [kubelet.get("/readyz").status_code for _ in range(50)] == [200] * 50
    assert len(door.upstream.calls) > 3
    assert all("grpc-encoding" not in call.metadata for call in door.upstream.calls)


def test_it_answers_when_all_connections_are_taken(door: Door, kubelet: httpx.Client) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(2 * CONNECTIONS):
            address = (LOOPBACK, door.settings.rest_port)
            stack.enter_context(socket.create_connection(address, SECONDS))

        def is_full() -> bool:
            with contextlib.suppress(httpx.HTTPError), door.client() as client:
                client.get("/api/v1/health")
                return False
            return True

        eventually(is_full)
        for _ in range(20):
            assert kubelet.get("/livez").status_code == 200
            assert kubelet.get("/readyz").status_code == 200


def test_nobody_holds_a_connection_of_it(door: Door) -> None:
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        for said in (
            b"",
            b"GET /readyz HTTP/1.1\r\nhost: x",
            b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n",
        ):
            address = (LOOPBACK, door.settings.probe_port or 0)
            connection = stack.enter_context(socket.create_connection(address, SECONDS))
            connection.sendall(said)
            while connection.recv(65536):
                pass
    assert time.monotonic() - began < SECONDS
