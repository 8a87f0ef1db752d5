"""Ids are canonical lower-case UUIDs; nothing else ever names a resource."""

import hashlib
import re
import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_NS_PER_MS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANDOM_BITS = 62


def new_id(at_ns: int | None = None) -> str:
    """Return a fresh id, greater than those of earlier moments; `at_ns` is now if not given.

    Kubernetes tells the time of creation in whole seconds: within one, lists go by the id.
    """
    at_ns = time.time_ns() if at_ns is None else at_ns
    return _version_7(at_ns, secrets.randbits(_RANDOM_BITS))


def derived_id(at: datetime, seed: str) -> str:
    """Return the id that this moment and text always give, in the order of new ones."""
    digest = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8])
    at_ns = (at - _EPOCH) // timedelta(microseconds=1) * 1_000
    return _version_7(at_ns, digest >> (64 - _RANDOM_BITS))


def _version_7(at_ns: int, chance: int) -> str:
    """Return a UUID of version 7 (RFC 9562, 5.7), parts of a millisecond in 12 bits (6.2)."""
    milliseconds, rest = divmod(at_ns, _NS_PER_MS)
    fraction = rest * 2**12 // _NS_PER_MS
    number = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << _RANDOM_BITS | chance
    return str(uuid.UUID(int=number))


def random_id() -> str:
    """Return a fresh id that says nothing, not even when it was made."""
    return str(uuid.uuid4())


def is_id(text: str) -> bool:
    """Whether `text` is exactly a canonical lower-case UUID."""
    return _CANONICAL.fullmatch(text) is not None
