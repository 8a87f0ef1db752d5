"""The opaque tokens of pages and watches: the position to resume at, and the filters.

A token given for other filters is refused, because it would silently skip or repeat objects.
"""

import base64
import binascii
import hashlib
from typing import Annotated, TypeVar

import msgspec

from krkn_grpc.resources.violation import Violation
from krkn_grpc.server.errors import InvalidRequest

T = TypeVar("T", bound="_Token")


class _Token(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    filters: str


class _Position(_Token, array_like=True, frozen=True, tag="page"):
    created: float
    name: str


class _Revision(_Token, array_like=True, frozen=True, tag="watch"):
    revision: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


def write_position(created: float, name: str, filters: tuple[str, ...]) -> str:
    """Return the token of a page that ended with this object."""
    return _write(_Position(_fingerprint(filters), created, name))


def read_position(token: str, filters: tuple[str, ...]) -> tuple[float, str]:
    """Return the creation time and name in the token; raises InvalidRequest."""
    position = _read(token, _Position, filters, "pageToken")
    return position.created, position.name


def write_revision(revision: int, filters: tuple[str, ...]) -> str:
    """Return the token of a watch that has sent all changes up to this revision."""
    return _write(_Revision(_fingerprint(filters), revision))


def read_revision(token: str, filters: tuple[str, ...]) -> int:
    """Return the revision in the token; raises InvalidRequest."""
    return _read(token, _Revision, filters, "resumeToken").revision


def _write(token: _Token) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode()


def _read(text: str, kind: type[T], filters: tuple[str, ...], field: str) -> T:
    try:
        token = msgspec.json.decode(base64.b64decode(text, b"-_", validate=True), type=kind)
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        raise InvalidRequest([Violation(field, "is not a token of this method")]) from None
    if token.filters != _fingerprint(filters):
        raise InvalidRequest([Violation(field, "was given for other filters")])
    return token


def _fingerprint(filters: tuple[str, ...]) -> str:
    return hashlib.sha256(msgspec.json.encode(filters)).hexdigest()[:16]
