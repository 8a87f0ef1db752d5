"""Lists as iterators: the next page is asked for when the one before has been read."""

from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Protocol, TypeVar

import grpc.aio

from krkn_grpc.client.connection import Connection


class _Request(Protocol):
    page_token: str


class _Page(Protocol):
    @property
    def next_page_token(self) -> str: ...


Q = TypeVar("Q", bound=_Request)
P = TypeVar("P", bound=_Page)
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
