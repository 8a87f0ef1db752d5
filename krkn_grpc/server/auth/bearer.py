"""Reads the bearer token of a call; what is not exactly one is refused and sent nowhere."""

import re
from collections.abc import Iterable
from typing import TypeAlias

from krkn_grpc.server.errors import NotAuthenticated

Metadata: TypeAlias = Iterable[tuple[str, str | bytes]]

_HEADER = "authorization"
_LONGEST_TOKEN = 16 * 1024
# RFC 6750, section 2.1. Two headers that a proxy joined with a comma do not fit.
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)


def bearer_token(metadata: Metadata) -> str:
    """Return the token; raises NotAuthenticated."""
    given = [value for key, value in metadata or () if key.lower() == _HEADER]
    if not given:
        raise NotAuthenticated("a bearer token is required")
    value = given[0]
    found = _BEARER.fullmatch(value) if isinstance(value, str) and len(given) == 1 else None
    if found is None or len(found[1]) > _LONGEST_TOKEN:
        raise NotAuthenticated("the Authorization header must be one bearer token")
    return found[1]
