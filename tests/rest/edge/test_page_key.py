"""Without authentication our own page may call with its key, and no other page with or without it.

Each rule is asked of every call that there is, through Envoy.
"""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2
from pydantic import ValidationError

from krkn_grpc.edge.http_rules import DESCRIPTOR_SET, RestApi
from krkn_grpc.edge.settings import EnvoySettings
from tests.rest.edge.running import Door, check_health, is_error, open_door
from tests.rest.edge.test_page import FONT_PATH, SCRIPT_PATH, make_page

KEY = secrets.token_urlsafe(32)
UUID = "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"
CALLS = [
    (call.verb, re.sub(r"{\w+}", UUID, call.path))
    for call in RestApi(DESCRIPTOR_SET.read_bytes()).calls
    if not call.is_stream
]
WRITES = [(verb, path) for verb, path in CALLS if verb != "GET"]
READS = [(verb, path) for verb, path in CALLS if verb == "GET"]
# Of a foreign page's requests without an Origin: an image, a frame, a link.
FOREIGN_READS = [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    key = folder / "page.key"
    key.write_text(f"{KEY}\n")
    built = make_page(folder / "page")
    with open_door(folder, auth="none", page_directory=built, page_key_file=key) as opened:
        yield opened


def shown(key: str = KEY) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def ask(client: httpx.Client, verb: str, path: str, headers: dict[str, str]) -> httpx.Response:
    body: Any = {"content": b"{}"} if verb in {"POST", "PUT", "PATCH"} else {}
    return client.request(
        verb, path, headers={"content-type": "application/json"} | headers, **body
    )


def own(door: Door) -> dict[str, str]:
    return {"origin": door.url, "sec-fetch-site": "same-origin"}


def test_every_write_is_asked_about() -> None:
    assert len(WRITES) > 12
    assert len(READS) > 8


def test_our_own_page_calls_with_its_key(client: httpx.Client, door: Door) -> None:
    for verb, path in CALLS:
        reply = ask(client, verb, path, own(door) | shown())
        # The call itself may be wrong, or none of this server.
        assert reply.status_code not in {401, 403, 405}, (verb, path, reply.text)
        assert "access-control-allow-origin" not in reply.headers
    assert {"DeleteTarget", "StopRun"} <= {call.method for call in door.upstream.calls}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_page_is_at_each_name_of_this_machine(
    client: httpx.Client, door: Door, host: str
) -> None:
    authority = f"{host}:{door.settings.rest_port}"
    headers = {"host": authority, "origin": f"http://{authority}"} | shown()
    assert ask(client, "DELETE", f"/api/v1/runs/{UUID}", headers).status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        {},
        shown(KEY[:-1]),
        shown(KEY + "A"),
        shown(KEY[:-1] + ("A" if KEY[-1] != "A" else "B")),
        shown(KEY.swapcase()),
        {"authorization": "Bearer"},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"authorization": f"Bearer {KEY}, Bearer x"},
        {"cookie": f"token={KEY}", "x-token": KEY, "krkn-token": KEY},
    ],
    ids=[
        *("none", "cut", "longer", "another end", "other case", "no token", "no scheme", "Basic"),
        *("two of them", "in other headers"),
    ],
)
def test_our_own_page_does_nothing_without_the_key(
    client: httpx.Client, door: Door, key: dict[str, str]
) -> None:
    door.upstream.reset()
    for verb, path in CALLS:
        reply = ask(client, verb, path, own(door) | key)
        is_error(reply, 401, 16, "UNAUTHENTICATED")
        assert reply.headers["www-authenticate"].startswith("Bearer")
    assert door.upstream.calls == []


@pytest.mark.parametrize(
    "origin",
    [
        "http://example.com",
        "null",
        "",
        "http://localhost:{port}",
        "http://[::1]:{port}",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1",
        "http://127.0.0.1:80",
        "http://127.0.0.1:{port}0",
        "http://127.0.0.1:{port}/",
        "HTTP://127.0.0.1:{port}",
        "http://127.0.0.1:{port}, http://example.com",
        "http://user@127.0.0.1:{port}",
    ],
)
@pytest.mark.parametrize("key", [{}, shown()], ids=["without the key", "with the key"])
def test_other_pages_do_nothing(
    client: httpx.Client, door: Door, origin: str, key: dict[str, str]
) -> None:
    door.upstream.reset()
    headers = {"origin": origin.format(port=door.settings.rest_port)}
    for verb, path in (*CALLS, ("OPTIONS", "/api/v1/runs"), ("GET", "/"), ("GET", SCRIPT_PATH)):
        reply = ask(client, verb, path, headers | key)
        is_error(reply, 403, 7, "FOREIGN_ORIGIN")
        assert "access-control-allow-origin" not in reply.headers
    assert door.upstream.calls == []


@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:{port}", "127.0.0.1.nip.io"])
@pytest.mark.parametrize("key", [{}, shown()], ids=["without the key", "with the key"])
def test_a_rebound_name_gets_nothing(
    client: httpx.Client, door: Door, host: str, key: dict[str, str]
) -> None:
    """A page whose own name was made to lead here is of one origin with us, to its browser."""
    door.upstream.reset()
    host = host.format(port=door.settings.rest_port)
    same = {"host": host, "sec-fetch-site": "same-origin"}
    for verb, path in (*CALLS, ("GET", "/"), ("GET", SCRIPT_PATH)):
        for headers in (same, same | {"origin": f"http://{host}"}):
            is_error(ask(client, verb, path, headers | key), 403, 7)
    assert door.upstream.calls == []


def test_another_port_of_ours_is_not_us(client: httpx.Client, door: Door) -> None:
    """A host that is forged as well; only a program that needs no page could send it."""
    headers = {"host": "127.0.0.1:1", "origin": "http://127.0.0.1:1"} | shown()
    is_error(ask(client, "DELETE", f"/api/v1/runs/{UUID}", headers), 403, 7, "FOREIGN_ORIGIN")


@pytest.mark.parametrize("headers", FOREIGN_READS, ids=str)
def test_what_other_pages_embed_is_not_answered(
    client: httpx.Client, door: Door, headers: dict[str, str]
) -> None:
    door.upstream.reset()
    for verb, path in READS:
        is_error(ask(client, verb, path, headers), 403, 7, "FOREIGN_ORIGIN")
    assert door.upstream.calls == []
    # A link to the page itself is one that people follow.
    assert client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_page_reads_without_an_origin(client: httpx.Client, site: str) -> None:
    """Browsers send none with a GET of the same origin; `none` is a typed address."""
    reply = client.get("/api/v1/runs", headers={"sec-fetch-site": site})
    assert reply.status_code == 200


def test_files_of_the_page_need_no_key(client: httpx.Client, door: Door) -> None:
    """Browsers ask for fonts and modules with an Origin, and cannot be told a header to send."""
    for path in (FONT_PATH, SCRIPT_PATH, "/"):
        assert client.get(path, headers=own(door)).status_code == 200


def test_other_programs_need_no_key(client: httpx.Client, door: Door) -> None:
    for headers in ({}, shown("wrong"), shown()):
        assert ask(client, "DELETE", f"/api/v1/runs/{UUID}", headers).status_code == 200
    # The server has no use for it.
    assert not [call for call in door.upstream.calls if "authorization" in call.metadata]


@pytest.mark.parametrize("parameter", ["token", "key", "access_token", "authorization"])
def test_a_key_in_a_query_is_refused(client: httpx.Client, door: Door, parameter: str) -> None:
    door.upstream.reset()
    path = f"/api/v1/runs?{parameter}={KEY}"
    is_error(client.get(path), 400, 3)
    is_error(client.get(path, headers=own(door)), 401, 16)
    assert door.upstream.calls == []


def test_grpc_of_our_own_page(door: Door) -> None:
    origin, key = ("origin", door.url), ("authorization", f"Bearer {KEY}")
    with door.channel() as channel:
        known = check_health(channel, metadata=(origin, key))
        assert known == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            check_health(channel, metadata=(origin,))
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_no_log_has_the_key(client: httpx.Client, door: Door) -> None:
    replies = [
        client.get("/", headers=shown()),
        client.get(f"/api/v1/runs?token={KEY}", headers=own(door)),
        client.get(f"/api/v1/{KEY}/..", headers=own(door) | shown()),
        ask(client, "DELETE", f"/api/v1/runs/{UUID}", own(door) | shown()),
        ask(client, "DELETE", f"/api/v1/runs/{UUID}", own(door) | shown(KEY + "A")),
    ]
    for reply in replies:
        assert KEY not in reply.text + str(reply.headers)
        line = door.access_log_of(reply.headers["x-request-id"])
        assert KEY not in json.dumps(line)
    assert KEY not in door.log.read_text()


def test_without_a_key_no_page_is_let_in(tmp_path: Path) -> None:
    with open_door(tmp_path, auth="none") as door, door.client() as client:
        for key in ({}, {"authorization": "Bearer"}, {"authorization": 'Bearer ""'}):
            reply = ask(client, "DELETE", f"/api/v1/runs/{UUID}", own(door) | key)
            is_error(reply, 401, 16)
        assert door.upstream.calls == []


@pytest.mark.parametrize("content", [None, "", "short", "a" * 31, "a" * 32 + '"', "a" * 257])
def test_what_is_no_key_stops_the_start(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "page.key"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValidationError, match=f"KRKN_PAGE_KEY_FILE={file}: ") as caught:
        EnvoySettings(auth="none", page_key_file=file)
    assert not content or "aaa" not in str(caught.value)
