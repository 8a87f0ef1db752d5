"""Envoy's direct responses: the page, the OpenAPI document, and its reference with calls to try.

Their content security policies allow scripts and styles of this service alone, and calls to it.
Envoy knows each path: no name of a request becomes a path of the file system.
"""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from krkn_grpc.edge.files import FOLDER

DOCUMENT = FOLDER / "openapi.yaml"
DOCUMENT_PATH = "/api/v1/openapi.json"
REFERENCE_PATH = "/api/v1/docs"
PAGE_PATH = "/"
INDEX = "index.html"

_SOURCES = FOLDER / "page"
# In this order, one script.
_SCRIPTS = ("elements.js", "commands.js", "calls.js", "forms.js", "page.js")
# In quotes they are the same in YAML and in Lua, and a browser sends them as they are.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
# Their names have a hash of what is in them.
_HASHED = "assets"
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    # These are compressed already.
    ".ico": "image/x-icon",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_COMPRESSED = {".ico", ".png", ".webp", ".woff2"}
_HEADERS = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}
_OF_DOCUMENTS = {
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
_AGAIN = {"cache-control": "no-cache"}
_FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
_CLOSED = {"base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}


class NotServable(ValueError):
    """A file of the page has a name or a type that is not served."""


@dataclass(frozen=True)
class Page:
    """One path with its constant reply to GET."""

    path: str
    headers: dict[str, str]
    body: bytes
    gzipped: bytes = b""
    """The same compressed, for callers that take it; empty for none."""

    etag: str = ""
    """Of a reply that a browser asks about each time; a 304 is the answer if it has it."""

    @property
    def encodings(self) -> Iterator[tuple[str, str]]:
        """What there is, best first: the encoding, empty for none, and the body in base64."""
        if self.gzipped:
            yield "gzip", base64.b64encode(self.gzipped).decode()
        yield "", base64.b64encode(self.body).decode()


def pages(*, local_only: bool, built: Path | None) -> tuple[Page, ...]:
    """Return all pages.

    `local_only`: without authentication, where the key of `make run` is asked for. `built`: the
    folder with the page, None for none. Raises NotServable, and OSError for unreadable files.
    """
    own = () if built is None else _built(built)
    return (
        *own,
        _again(DOCUMENT_PATH, _document(), {"content-type": _KINDS[".json"]}),
        _reference(local_only),
    )


def _built(folder: Path) -> Iterator[Page]:
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        parts = file.relative_to(folder).parts
        kind = _KINDS.get(file.suffix)
        if kind is None or not all(map(_NAME.fullmatch, parts)):
            raise NotServable(f"{file}: its name or its type is not one that is served")
        content = file.read_bytes()
        if parts == (INDEX,):
            yield _index(content)
            continue
        path, headers = "/" + "/".join(parts), {"content-type": kind}
        if parts[0] == _HASHED:
            yield _asset(path, content, headers, is_compressed=file.suffix in _COMPRESSED)
        else:
            yield _again(path, content, headers)


def _asset(path: str, content: bytes, headers: dict[str, str], *, is_compressed: bool) -> Page:
    """Return what only a browser asks for: every browser takes it compressed.

    A reply waits in Envoy's memory until it is read, and a style sheet would be ten times as long.
    """
    kept = _HEADERS | _FOREVER | headers
    if not is_compressed:
        kept["content-encoding"] = "gzip"
        content = gzip.compress(content, 9, mtime=0)
    return Page(path, kept, content)


def _index(body: bytes) -> Page:
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "font-src": "'self'",
        "connect-src": "'self'",
        **_CLOSED,
    }
    return _again(
        PAGE_PATH, body, _OF_DOCUMENTS | {"content-type": _KINDS[".html"]} | _policy(policy)
    )


def _again(path: str, body: bytes, headers: dict[str, str]) -> Page:
    """Return what a browser asks about each time that it needs it."""
    gzipped = gzip.compress(body, 9, mtime=0)
    # Weak: it names the text, compressed or not.
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Page(path, _HEADERS | _AGAIN | headers, body, gzipped, etag)


def _policy(directives: Mapping[str, str]) -> dict[str, str]:
    text = "; ".join(f"{name} {value}" for name, value in directives.items())
    return {"content-security-policy": text}


@cache
def _document() -> bytes:
    document = yaml.load(DOCUMENT.read_text(), Loader=_loader())  # noqa: S506 - a safe loader
    return json.dumps(document, separators=(",", ":")).encode()


def _loader() -> type[yaml.SafeLoader]:
    """Return the loader that is written in C if there is one: each start of Envoy waits for it."""
    loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return loader


def _reference(local_only: bool) -> Page:
    style = (_SOURCES / "page.css").read_text()
    script = "\n".join((_SOURCES / name).read_text() for name in _SCRIPTS)
    script = script.replace("@PROGRAMS@", (_SOURCES / "programs.json").read_text().strip())
    body = (_SOURCES / "page.html").read_text()
    for mark, text in {
        "STYLE": style,
        "SCRIPT": script,
        "MODE": "local" if local_only else "open",
    }.items():
        body = body.replace(f"@{mark}@", text)
    policy = {
        "default-src": "'none'",
        "style-src": _hash(style),
        "script-src": _hash(script),
        "connect-src": "'self'",
        "img-src": "data:",
        **_CLOSED,
    }
    headers = {"content-type": _KINDS[".html"], **_OF_DOCUMENTS, **_policy(policy)}
    return _again(REFERENCE_PATH, body.encode(), headers)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
