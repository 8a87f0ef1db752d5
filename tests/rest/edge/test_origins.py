"""Web pages of other origins: those that are allowed may call and read, the others may not."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google.rpc import code_pb2, status_pb2
from pydantic import ValidationError

from krkn_grpc.edge.settings import EnvoySettings
from tests.rest.edge.running import Door, Upstream, is_bare_error, open_door

CONSOLE, DEV = "https://console.example", "http://localhost:3000"
RUN = "/api/v1/scenarios/run"
OTHERS = [
    "https://console.example.evil",
    "http://console.example",
    "https://console.example:8443",
    "https://evil.console.example",
    "https://Console.example",
    "null",
    "",
]


@pytest.fixture(scope="module", params=["kubernetes", "none"])
def door(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    with open_door(folder, auth=request.param, allowed_origins=f"{CONSOLE}, {DEV}") as opened:
        yield opened


def preflight(client: httpx.Client, origin: str, verb: str = "POST") -> httpx.Response:
    asked = {
        "origin": origin,
        "access-control-request-method": verb,
        "access-control-request-headers": "authorization,content-type",
    }
    return client.options(RUN, headers=asked)


@pytest.mark.parametrize("origin", [CONSOLE, DEV])
@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_preflight_of_an_allowed_page(
    client: httpx.Client, upstream: Upstream, origin: str, verb: str
) -> None:
    reply = preflight(client, origin, verb)
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == origin
    assert verb in reply.headers["access-control-allow-methods"].split(", ")
    allowed = reply.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type", "krkn-revision"} <= set(allowed)
    assert "access-control-allow-credentials" not in reply.headers
    assert upstream.calls == []


@pytest.mark.parametrize("origin", OTHERS)
def test_another_page_gets_no_permission(
    client: httpx.Client, upstream: Upstream, door: Door, origin: str
) -> None:
    for reply in (preflight(client, origin), client.post(RUN, json={}, headers={"origin": origin})):
        assert "access-control-allow-origin" not in reply.headers
    # Without authentication its call does nothing; with it, its browser has no token.
    assert [call.method for call in upstream.calls] == (
        [] if door.settings.auth == "none" else ["RunScenario"]
    )


def test_an_allowed_page_calls_and_reads(client: httpx.Client, upstream: Upstream) -> None:
    reply = client.post(RUN, json={}, headers={"origin": CONSOLE, "authorization": "Bearer x"})
    assert (reply.status_code, [call.method for call in upstream.calls]) == (200, ["RunScenario"])
    assert reply.headers["access-control-allow-origin"] == CONSOLE
    assert "krkn-revision" in reply.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in reply.headers


@pytest.mark.parametrize(
    ("verb", "method"),
    [
        ("GET", "GetTarget"),
        ("PUT", "UpdateTarget"),
        ("PATCH", "PatchTarget"),
        ("DELETE", "DeleteTarget"),
    ],
)
def test_an_allowed_page_calls_with_each_verb(
    client: httpx.Client, upstream: Upstream, verb: str, method: str
) -> None:
    path = "/api/v1/operator/targets/0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"
    body: dict[str, str] | None = {} if verb in ("PUT", "PATCH") else None
    reply = client.request(verb, path, headers={"origin": CONSOLE}, json=body)
    assert (reply.status_code, [call.method for call in upstream.calls]) == (200, [method])
    assert reply.headers["access-control-allow-origin"] == CONSOLE
    assert "access-control-allow-credentials" not in reply.headers


def test_an_allowed_page_reads_refusals_too(client: httpx.Client, upstream: Upstream) -> None:
    upstream.fails("RunScenario", status_pb2.Status(code=code_pb2.UNAUTHENTICATED, message="who?"))
    asked = {"origin": CONSOLE}
    replies: list[tuple[httpx.Response, int, int]] = [
        (client.post(RUN, json={}, headers=asked), 401, 16),
        (client.post(RUN, json={"x": 1}, headers=asked), 400, 3),
        (client.get("/api/v1/nothing", headers=asked), 404, 5),
    ]
    for reply, status, code in replies:
        is_bare_error(reply, status, code)
        assert reply.headers["access-control-allow-origin"] == CONSOLE


def test_an_allowed_page_is_told_that_it_asks_too_often(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("limited")
    with (
        open_door(folder, allowed_origins=CONSOLE, rate_limit=1) as door,
        door.client(headers={"origin": CONSOLE}) as client,
    ):
        replies = [client.get("/api/v1/health") for _ in range(5)]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert refused
    assert {reply.headers["access-control-allow-origin"] for reply in refused} == {CONSOLE}


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "console.example",
        "https://console.example/",
        "https://console.example:443",
        "http://localhost:80",
        "https://Console.example",
        "https://*.example",
        "https://a b",
        'https://x"',
        "ftp://console.example",
        "https://user@console.example",
    ],
)
def test_what_is_no_origin_is_refused_at_the_start(origin: str) -> None:
    with pytest.raises(ValidationError, match="is not an origin"):
        EnvoySettings(**_given(origin))


@pytest.mark.parametrize("origin", [CONSOLE, DEV, "http://[::1]:3000", "https://10.0.0.1:8443"])
def test_an_origin_is_taken_as_it_is(origin: str) -> None:
    assert EnvoySettings(**_given(f" {origin} ,")).allowed_origins == (origin,)


def _given(origins: str) -> dict[str, Any]:
    return {"allowed_origins": origins}
