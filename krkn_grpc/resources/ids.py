"""Ids are canonical lower-case UUIDs; nothing else ever names a resource."""

import re
import uuid

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    """Return a fresh random id."""
    return str(uuid.uuid4())


def is_id(text: str) -> bool:
    """Whether `text` is exactly a canonical lower-case UUID."""
    return _CANONICAL.fullmatch(text) is not None
