"""Pages of a list that may change between pages: newest first, resumed after the last one shown.

A token has the last object's creation time and name, which never change: so no object is shown
twice, and none that existed throughout is missed. A page ends early rather than exceed the
message size that clients accept.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar

from google.protobuf.message import Message

from krkn_grpc.kube.client import R
from krkn_grpc.kube.index import Position, position_of
from krkn_grpc.resources.violation import Violation
from krkn_grpc.server import tokens
from krkn_grpc.server.errors import InvalidRequest

DEFAULT_SIZE = 500
LARGEST_SIZE = 1_000
# gRPC clients refuse a message of more than 4 MiB by default.
LARGEST_BYTES = 3 * 1024 * 1024
_FRAME = 8  # the most bytes that a list adds to each message in it

M = TypeVar("M", bound=Message)
# Returns the objects from a position on, newest first.
Source = Callable[[Position | None], Iterable[R]]


def page(
    items: Source[R],
    *,
    size: int,
    token: str,
    filters: tuple[str, ...],
    show: Callable[[R], M],
) -> tuple[list[M], str]:
    """Return the page that `token` asks for and the token of the next, "" after the last.

    `show` returns the message for an item. Raises InvalidRequest for a size out of bounds and for a
    token that was not given for `filters`.
    """
    if not 0 <= size <= LARGEST_SIZE:
        bounds = f"must be 0 to {LARGEST_SIZE}"
        raise InvalidRequest([Violation("pageSize", bounds)])
    size = size or DEFAULT_SIZE
    after = tokens.read_position(token, filters) if token else None
    first = list(islice(items(after), size + 1))
    shown = _that_fit(map(show, first[:size]))
    if len(shown) == len(first):
        return shown, ""
    return shown, tokens.write_position(*position_of(first[len(shown) - 1]), filters)


def _that_fit(messages: Iterable[M]) -> list[M]:
    """Return the first messages that fit in LARGEST_BYTES together; at least one."""
    fitting: list[M] = []
    room = LARGEST_BYTES
    for message in messages:
        room -= message.ByteSize() + _FRAME
        if fitting and room < 0:
            break
        fitting.append(message)
    return fitting
