"""What Envoy answers by itself: the OpenAPI document, and the page that shows it."""

import base64
import hashlib
import re
from collections.abc import Iterator

import httpx
import pytest
import yaml

from krkn_grpc.edge.direct_responses import DOCUMENT, DOCUMENT_PATH, REFERENCE_PATH
from tests.rest.edge.running import Door, is_error, open_door


@pytest.fixture(scope="module", params=["none", "kubernetes"])
def door(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Door]:
    with open_door(tmp_path_factory.mktemp("door"), auth=request.param) as opened:
        yield opened


@pytest.fixture
def client(door: Door) -> Iterator[httpx.Client]:
    with door.client() as opened:
        yield opened


@pytest.fixture
def is_local_only(door: Door) -> bool:
    return door.settings.auth == "none"


def test_the_document_is_the_one_that_the_protos_make(door: Door, client: httpx.Client) -> None:
    reply = client.get(DOCUMENT_PATH)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json() == yaml.safe_load(DOCUMENT.read_text())
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert door.upstream.calls == []


def test_the_page_needs_nothing_from_elsewhere(client: httpx.Client) -> None:
    reply = client.get(REFERENCE_PATH)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = dict(
        rule.split(" ", 1) for rule in reply.headers["content-security-policy"].split("; ")
    )
    for kind, directive in (("script", "script-src"), ("style", "style-src")):
        (text,) = re.findall(rf"<{kind}>(.*?)</{kind}>", reply.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert policy.pop(directive) == f"'sha256-{digest}'"
    assert policy == {
        "default-src": "'none'",
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    links = set(re.findall(r'(?:src|href)="(.*?)"', reply.text))
    assert links == {"data:,", DOCUMENT_PATH, "/"}
    assert not re.search(r"https?://|@import|innerHTML", reply.text)


def test_the_page_knows_whether_a_browser_may_change_anything(
    client: httpx.Client, is_local_only: bool
) -> None:
    mode = "local" if is_local_only else "open"
    assert f'data-mode="{mode}"' in client.get(REFERENCE_PATH).text


@pytest.mark.parametrize("path", [DOCUMENT_PATH, REFERENCE_PATH])
def test_a_page_is_only_for_reading(client: httpx.Client, path: str) -> None:
    for verb in ("POST", "PUT", "DELETE"):
        reply = client.request(verb, path)
        assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD")
    got = client.get(path).headers
    for _ in range(2):
        reply = client.head(path)
        assert (reply.status_code, reply.content) == (200, b"")
        assert reply.headers["content-length"] == got["content-length"]
    is_error(client.get(path, params={"x": "1"}), 400, 3)
    is_error(client.get(f"{path}/"), 404, 5)


@pytest.mark.parametrize("path", [DOCUMENT_PATH, REFERENCE_PATH])
@pytest.mark.parametrize(
    "header", [{"origin": "https://elsewhere.example"}, {"host": "rebound.example"}]
)
def test_other_pages_do_not_get_it_without_authentication(
    client: httpx.Client, is_local_only: bool, path: str, header: dict[str, str]
) -> None:
    reply = client.get(path, headers=header)
    if is_local_only:
        is_error(reply, 403, 7)
    else:
        assert reply.status_code == 200
        assert "access-control-allow-origin" not in reply.headers
