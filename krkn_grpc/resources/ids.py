"""Ids are canonical lower-case UUIDs; nothing else ever names a resource."""

import hashlib
import re
import secrets
import time
import uuid

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_NS_PER_MS = 1_000_000
_RANDOM_BITS = 62


def new_id(at_ns: int | None = None) -> str:
    """Return a fresh id, greater than those of earlier moments; `at_ns` is now if not given.

    Kubernetes stores the creation time in whole seconds: within one, lists are sorted by id.
    """
    at_ns = time.time_ns() if at_ns is None else at_ns
    return _version_7(at_ns, secrets.randbits(_RANDOM_BITS))


def _version_7(at_ns: int, chance: int) -> str:
    """Return a UUID of version 7 (RFC 9562, 5.7), parts of a millisecond in 12 bits (6.2)."""
    milliseconds, rest = divmod(at_ns, _NS_PER_MS)
    fraction = rest * 2**12 // _NS_PER_MS
    number = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << _RANDOM_BITS | chance
    return str(uuid.UUID(int=number))


def hashed_id(text: str) -> str:
    """Return the id derived from this text alone, unique to it; the id does not reveal the text."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])
    # Version 8 (RFC 9562, 5.8): the bits are the application's own.
    number = number & ~(0xF << 76) & ~(0b11 << _RANDOM_BITS) | 0x8 << 76 | 0b10 << _RANDOM_BITS
    return str(uuid.UUID(int=number))


def is_hashed(uuid: str) -> bool:
    """Whether an id has the form of those that `hashed_id` returns; no other function does so."""
    return is_id(uuid) and uuid[14] == "8"


def random_id() -> str:
    """Return a fresh id that reveals nothing, not even its creation time."""
    return str(uuid.uuid4())


def is_id(text: str) -> bool:
    """Whether `text` is exactly a canonical lower-case UUID."""
    return _CANONICAL.fullmatch(text) is not None


def canonical(text: str) -> str | None:
    """Return a UUID in its canonical form, whatever the case of its letters; None if it is none."""
    return text.lower() if is_id(text.lower()) else None
