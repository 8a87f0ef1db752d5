"""The page at `/`: which files are served, how, and to whom."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from krkn_grpc.edge.direct_responses import NotServable
from krkn_grpc.edge.render import render
from krkn_grpc.edge.settings import EnvoySettings
from tests.rest.edge.running import Door, is_error, open_door

INDEX = '<!doctype html><script type="module" src="/assets/app-0a1b.js"></script>\n'
SCRIPT = "console.log('100 %');\n" * 1000
FONT = bytes(range(256)) * 16
SCRIPT_PATH, FONT_PATH, ICON_PATH = "/assets/app-0a1b.js", "/assets/Text-2c.woff2", "/favicon.svg"
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


def make_page(folder: Path) -> Path:
    """Write a page as the build leaves it."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / ICON_PATH[1:]).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / SCRIPT_PATH[1:]).write_text(SCRIPT)
    (folder / FONT_PATH[1:]).write_bytes(FONT)
    return folder


@pytest.fixture(scope="module", params=["none", "kubernetes"])
def door(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    built = make_page(folder / "page")
    with open_door(folder, auth=request.param, page_directory=built) as opened:
        yield opened


def test_the_page_may_load_its_own_files_and_nothing_else(client: httpx.Client) -> None:
    reply = client.get("/")
    assert (reply.status_code, reply.text) == (200, INDEX)
    rules = reply.headers["content-security-policy"].split("; ")
    assert dict(rule.split(" ", 1) for rule in rules) == POLICY
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["cross-origin-opener-policy"] == "same-origin"
    assert reply.headers["cross-origin-resource-policy"] == "same-origin"
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize("path", ["/", ICON_PATH])
def test_what_may_change_is_asked_about_again(client: httpx.Client, path: str) -> None:
    first = client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "location" not in again.headers
    assert client.get(path, headers={"if-none-match": 'W/"another"'}).status_code == 200


@pytest.mark.parametrize(
    ("path", "kind", "content"),
    [
        (SCRIPT_PATH, "text/javascript; charset=utf-8", SCRIPT.encode()),
        (FONT_PATH, "font/woff2", FONT),
    ],
)
def test_what_has_a_hash_in_its_name_is_kept(
    client: httpx.Client, path: str, kind: str, content: bytes
) -> None:
    reply = client.get(path)
    assert (reply.status_code, reply.content) == (200, content)
    assert reply.headers["content-type"] == kind
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_a_script_is_sent_compressed(client: httpx.Client) -> None:
    with client.stream("GET", SCRIPT_PATH) as reply:
        sent = b"".join(reply.iter_raw())
    assert reply.headers["content-encoding"] == "gzip"
    assert int(reply.headers["content-length"]) == len(sent) < len(SCRIPT) / 10
    assert gzip.decompress(sent) == SCRIPT.encode()


@pytest.mark.parametrize(
    ("takes", "encoding"),
    [
        ("gzip, deflate, br, zstd", "gzip"),
        ("br;q=1.0, gzip;q=0.8", "gzip"),
        ("GZIP", "gzip"),
        ("identity", None),
        ("gzip;q=0, identity", None),
        ("gzip;q=0.0", None),
        ("notgzip", None),
    ],
)
def test_a_document_is_compressed_for_those_who_take_it(
    client: httpx.Client, takes: str, encoding: str | None
) -> None:
    for path in ("/", "/api/v1/openapi.json", "/api/v1/docs"):
        reply = client.get(path, headers={"accept-encoding": takes})
        assert reply.status_code == 200
        assert reply.headers.get("content-encoding") == encoding
        assert reply.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize("path", ["/", SCRIPT_PATH, FONT_PATH])
def test_a_page_is_only_for_reading(client: httpx.Client, path: str) -> None:
    for verb in ("POST", "PUT", "DELETE"):
        reply = client.request(verb, path)
        assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD")
    head, got = client.head(path), client.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


@pytest.mark.parametrize(
    "path",
    [
        "/index.html",
        "/assets",
        "/assets/",
        "/assets/app-0a1c.js",
        "/assets/app-0a1b.js.map",
        "/assets/../page.key",
        "/assets/..%2f..%2fenvoy.yaml",
        "//assets/app-0a1b.js",
        "/assets/app-0a1b.js/",
        "/Assets/app-0a1b.js",
    ],
)
def test_nothing_else_is_there(client: httpx.Client, path: str) -> None:
    is_error(client.get(path), 404, 5, "NO_SUCH_PATH")


def test_no_key_is_taken_from_a_query(client: httpx.Client) -> None:
    is_error(client.get("/", params={"token": "x" * 43}), 400, 3)


@pytest.mark.parametrize("is_on", [True, False])
def test_without_a_built_page_there_is_none(tmp_path: Path, is_on: bool) -> None:
    with open_door(tmp_path, page=is_on, page_directory=tmp_path) as door, door.client() as client:
        message = is_error(client.get("/"), 404, 5, "NO_SUCH_PATH")["message"]
        assert ("make page" in message) == is_on
        assert client.get("/api/v1/docs").status_code == 200


def test_a_page_that_is_switched_off_is_not_there(tmp_path: Path) -> None:
    built = make_page(tmp_path / "page")
    with open_door(tmp_path, page=False, page_directory=built) as door, door.client() as client:
        assert is_error(client.get("/"), 404, 5)["message"] == "there is nothing at this path"
        is_error(client.get(SCRIPT_PATH), 404, 5)


@pytest.mark.parametrize("name", ["run.exe", "noend", 'a"b.js', "a b.js", ".hidden.js"])
def test_a_file_of_another_kind_stops_the_start(tmp_path: Path, name: str) -> None:
    built = make_page(tmp_path / "page")
    (built / "assets" / name).write_text("x")
    with pytest.raises(NotServable, match="not one that is served"):
        render(EnvoySettings(page_directory=built))
