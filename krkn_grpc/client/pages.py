"""Lists as iterators: the next page is asked for when the one before has been read."""

from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Protocol, TypeVar

import grpc.aio

from krkn_grpc.client.connection import Connection


class PageRequest(Protocol):
    """A request for one page of a list."""

    page_token: str
    page_size: int


class Page(Protocol):
    """One page of a list."""

    @property
    def next_page_token(self) -> str:
        """Return the token of the next page, "" on the last one."""


Q = TypeVar("Q", bound=PageRequest)
P = TypeVar("P", bound=Page)
R = TypeVar("R")


async def all_pages(
    connection: Connection,
    method: "grpc.aio.UnaryUnaryMultiCallable[Q, P]",
    request: Q,
    content: Callable[[P], Iterable[R]],
) -> AsyncGenerator[R, None]:
    """Yield what is on each page, in order; raises KrknError."""
    while True:
        page = await connection.call(method, request)
        for each in content(page):
            yield each
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
