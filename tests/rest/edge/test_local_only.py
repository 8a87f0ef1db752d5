"""Without authentication: nothing that a web page could make a browser send gets through."""

from collections.abc import Iterator

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2

from tests.rest.edge.running import Door, check_health, is_error, open_door

OWN = ["localhost", "127.0.0.1", "[::1]", "LocalHost", "localhost:1234", "127.0.0.1:80", "[::1]:80"]
FOREIGN = [
    "example.com",
    "localhost.example.com",
    "localhost.",
    "127.0.0.2",
    "127.0.0.1.nip.io:8080",
    "127.1",
    "0.0.0.0",
    "[::]",
    "::1",
    "localhost,evil",
    "localhost:evil",
]
ORIGINS = ["http://example.com", "http://localhost:8080", "null", ""]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with open_door(tmp_path_factory.mktemp("door"), auth="none") as opened:
        yield opened


@pytest.mark.parametrize("host", OWN)
def test_own_names_are_served(client: httpx.Client, host: str) -> None:
    assert client.get("/api/v1/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_not(client: httpx.Client, door: Door, host: str) -> None:
    door.upstream.reset()
    response = client.get("/api/v1/health", headers={"host": host})
    assert "localhost" in is_error(response, 403, 7, "FOREIGN_HOST")["message"]
    assert door.upstream.calls == []


@pytest.mark.parametrize("origin", ORIGINS)
def test_web_pages_are_not(client: httpx.Client, door: Door, origin: str) -> None:
    door.upstream.reset()
    headers = {"origin": origin}
    is_error(client.post("/api/v1/scenarios/run", json={}, headers=headers), 403, 7)
    is_error(client.options("/api/v1/scenarios/run", headers=headers), 403, 7)
    assert door.upstream.calls == []


def test_nor_are_theirs_over_grpc(door: Door) -> None:
    with door.channel() as channel:
        assert check_health(channel) == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            check_health(channel, metadata=(("origin", "http://example.com"),))
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert caught.value.details() == (
        "requests of web pages are refused while there is no authentication"
    )


@pytest.mark.parametrize("kind", ["application/grpc-web+proto", "application/grpc-web-text"])
@pytest.mark.parametrize("header", [{"origin": "http://example.com"}, {"host": "example.com"}])
def test_nor_are_theirs_over_grpc_web(door: Door, kind: str, header: dict[str, str]) -> None:
    door.upstream.reset()
    path, empty = "/krkn.v1.TargetService/ListTargets", "AAAAAAA=" if "text" in kind else "\0" * 5
    with door.client() as client:
        allowed = client.post(path, content=empty, headers={"content-type": kind})
        assert allowed.status_code == 200, allowed.text
        assert [call.method for call in door.upstream.calls] == ["ListTargets"]
        refused = client.post(path, content=empty, headers={"content-type": kind} | header)
    assert refused.headers["grpc-status"] == str(grpc.StatusCode.PERMISSION_DENIED.value[0])
    assert "access-control-allow-origin" not in refused.headers
    assert len(door.upstream.calls) == 1


def test_a_grpc_caller_is_held_to_the_names_too(door: Door) -> None:
    options = [("grpc.default_authority", "example.com")]
    with (
        grpc.insecure_channel(door.address, options) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        check_health(channel)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_with_authentication_neither_rule_holds(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("authenticated")
    with open_door(folder, auth="kubernetes") as door, door.client() as client:
        headers = {"host": "example.com", "origin": "http://example.com"}
        assert client.get("/api/v1/health", headers=headers).status_code == 200
