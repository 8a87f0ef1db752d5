"""Pages of a list that others change meanwhile: newest first, resumed after the last one shown.

A token says after which object to go on, by what never changes of it (time of creation, name):
so nothing is shown twice and nothing is missed that existed throughout.
"""

import base64
import hashlib
import heapq
from collections.abc import Iterable
from datetime import datetime

import msgspec

from krkn_grpc.kube.store import R
from krkn_grpc.resources.meta import Resource
from krkn_grpc.server.errors import InvalidRequest, Violation

DEFAULT_SIZE = 500
LARGEST_SIZE = 1_000

Key = tuple[float, str]


class _Token(msgspec.Struct, array_like=True, frozen=True):
    filters: str
    created: float
    name: str


def page(
    items: Iterable[R], *, size: int, token: str, filters: tuple[str, ...]
) -> tuple[list[R], str]:
    """Return the page that `token` asks for and the token of the next, "" after the last.

    Raises InvalidRequest for a size out of bounds and a token that was not given for `filters`.
    """
    if not 0 <= size <= LARGEST_SIZE:
        bounds = f"must be 0 to {LARGEST_SIZE}"
        raise InvalidRequest([Violation("pageSize", bounds)])
    size = size or DEFAULT_SIZE
    fingerprint = _fingerprint(filters)
    if token:
        after = _read(token, fingerprint)
        items = (item for item in items if _key(item) < after)
    first = heapq.nlargest(size + 1, items, key=_key)
    if len(first) <= size:
        return first, ""
    shown = first[:size]
    return shown, _write(fingerprint, _key(shown[-1]))


def _key(item: Resource) -> Key:
    created = item.metadata.creation_timestamp
    return (
        created.timestamp() if isinstance(created, datetime) else 0.0,
        item.metadata.name,
    )


def _fingerprint(filters: tuple[str, ...]) -> str:
    return hashlib.sha256(msgspec.json.encode(filters)).hexdigest()[:16]


def _write(fingerprint: str, key: Key) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(_Token(fingerprint, *key))).decode()


def _read(token: str, fingerprint: str) -> Key:
    try:
        read = msgspec.json.decode(base64.urlsafe_b64decode(token), type=_Token)
    except (ValueError, msgspec.MsgspecError):
        raise InvalidRequest([Violation("pageToken", "is not a token of this list")]) from None
    if read.filters != fingerprint:
        raise InvalidRequest([Violation("pageToken", "was given for other filters")])
    return (read.created, read.name)
