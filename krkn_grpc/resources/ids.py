"""Ids are canonical lower-case UUIDs; nothing else ever names a resource."""

import re
import secrets
import time
import uuid

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_NS_PER_MS = 1_000_000
_RANDOM_BITS = 62


def new_id(at_ns: int | None = None) -> str:
    """Return a fresh id, greater than those of earlier moments; `at_ns` is now if not given.

    Kubernetes tells the time of creation in whole seconds: within one, lists go by the id. It is a
    UUID of version 7 (RFC 9562, 5.7) with the part of the millisecond in its next 12 bits (6.2).
    """
    milliseconds, rest = divmod(time.time_ns() if at_ns is None else at_ns, _NS_PER_MS)
    fraction = rest * 2**12 // _NS_PER_MS
    return str(
        uuid.UUID(
            int=milliseconds << 80
            | 0x7 << 76
            | fraction << 64
            | 0b10 << _RANDOM_BITS
            | secrets.randbits(_RANDOM_BITS)
        )
    )


def random_id() -> str:
    """Return a fresh id that says nothing, not even when it was made."""
    return str(uuid.uuid4())


def is_id(text: str) -> bool:
    """Whether `text` is exactly a canonical lower-case UUID."""
    return _CANONICAL.fullmatch(text) is not None
