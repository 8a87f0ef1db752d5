"""Pages of a list that others change meanwhile: newest first, resumed after the last one shown.

A token says after which object to go on, by what never changes of it (time of creation, name):
so nothing is shown twice and nothing is missed that existed throughout. A page ends early rather
than grow larger than what clients receive.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar

from google.protobuf.message import Message

from krkn_grpc.kube.groups import Position, position_of
from krkn_grpc.kube.store import R
from krkn_grpc.server import tokens
from krkn_grpc.server.errors import InvalidRequest, Violation

DEFAULT_SIZE = 500
LARGEST_SIZE = 1_000
# gRPC's clients refuse a message of more than 4 MiB unless they are told otherwise.
LARGEST_BYTES = 3 * 1024 * 1024
_FRAME = 8  # what a list adds to each message in it, at most

M = TypeVar("M", bound=Message)
# Gives what there is from a position on, newest first.
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

    `show` makes what is on the page from an item. Raises InvalidRequest for a size out of bounds
    and a token that was not given for `filters`.
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
    """Return the first messages that are not too large together; one in any case."""
    fitting: list[M] = []
    room = LARGEST_BYTES
    for message in messages:
        room -= message.ByteSize() + _FRAME
        if fitting and room < 0:
            break
        fitting.append(message)
    return fitting
