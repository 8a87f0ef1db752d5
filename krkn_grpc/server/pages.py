"""Pages of a list that others change meanwhile: newest first, resumed after the last one shown.

A token says after which object to go on, by what never changes of it (time of creation, name):
so nothing is shown twice and nothing is missed that existed throughout.
"""

from collections.abc import Callable, Iterable
from itertools import islice

from krkn_grpc.kube.groups import Position, position_of
from krkn_grpc.kube.store import R
from krkn_grpc.server import tokens
from krkn_grpc.server.errors import InvalidRequest, Violation

DEFAULT_SIZE = 500
LARGEST_SIZE = 1_000

# Gives what there is from a position on, newest first.
Source = Callable[[Position | None], Iterable[R]]


def page(
    items: Source[R], *, size: int, token: str, filters: tuple[str, ...]
) -> tuple[list[R], str]:
    """Return the page that `token` asks for and the token of the next, "" after the last.

    Raises InvalidRequest for a size out of bounds and a token that was not given for `filters`.
    """
    if not 0 <= size <= LARGEST_SIZE:
        bounds = f"must be 0 to {LARGEST_SIZE}"
        raise InvalidRequest([Violation("pageSize", bounds)])
    size = size or DEFAULT_SIZE
    after = tokens.read_position(token, filters) if token else None
    first = list(islice(items(after), size + 1))
    if len(first) <= size:
        return first, ""
    shown = first[:size]
    return shown, tokens.write_position(*position_of(shown[-1]), filters)
