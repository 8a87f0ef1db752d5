"""Envoy's direct responses: the OpenAPI document, and a page to read it and to try calls.

The page is one self-contained file, so its content security policy allows no more than its own
script and calls to this service.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import yaml

from krkn_grpc.edge.files import FOLDER

DOCUMENT = FOLDER / "openapi.yaml"
DOCUMENT_PATH = "/api/v1/openapi.json"
PAGE_PATH = "/api/v1/docs"

_SOURCES = FOLDER / "page"
_HEADERS = {
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True)
class Page:
    """One path with its constant reply to GET."""

    path: str
    body: str
    headers: Mapping[str, str]


def pages(*, local_only: bool) -> tuple[Page, ...]:
    """Return all pages. `local_only`: without authentication, where a page may only read."""
    return Page(DOCUMENT_PATH, _document(), _HEADERS | {"content-type": "application/json"}), _page(
        local_only
    )


@cache
def _document() -> str:
    document = yaml.load(DOCUMENT.read_text(), Loader=_loader())  # noqa: S506 - a safe loader
    return json.dumps(document, separators=(",", ":"))


def _loader() -> type[yaml.SafeLoader]:
    """Return the loader that is written in C if there is one: each start of Envoy waits for it."""
    loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return loader


def _page(local_only: bool) -> Page:
    style, script = (_SOURCES / "page.css").read_text(), (_SOURCES / "page.js").read_text()
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
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
    }
    return Page(PAGE_PATH, body, _HEADERS | headers)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
