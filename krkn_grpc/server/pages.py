"""Pages of a list that others change meanwhile: newest first, resumed after the last one shown.

A token says after which object to go on, by what never changes of it (time of creation, name):
so nothing is shown twice and nothing is missed that existed throughout.
"""

import heapq
from collections.abc import Iterable
from datetime import datetime

from krkn_grpc.kube.store import R
from krkn_grpc.resources.meta import Resource
from krkn_grpc.server import tokens
from krkn_grpc.server.errors import InvalidRequest, Violation

DEFAULT_SIZE = 500
LARGEST_SIZE = 1_000

Key = tuple[float, str]


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
    if token:
        after = tokens.read_position(token, filters)
        items = (item for item in items if _key(item) < after)
    first = heapq.nlargest(size + 1, items, key=_key)
    if len(first) <= size:
        return first, ""
    shown = first[:size]
    return shown, tokens.write_position(*_key(shown[-1]), filters)


def _key(item: Resource) -> Key:
    created = item.metadata.creation_timestamp
    return (
        created.timestamp() if isinstance(created, datetime) else 0.0,
        item.metadata.name,
    )
