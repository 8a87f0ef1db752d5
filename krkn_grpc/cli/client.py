"""The client library as this command uses it: messages of the protos, retries by number."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self, TypeVar

import grpc.aio
import typer

from krkn_grpc.cli import failures
from krkn_grpc.client import loop_thread
from krkn_grpc.client.address import Certificates, address
from krkn_grpc.client.connection import Connection, Way
from krkn_grpc.client.errors import KrknError, was_not_sent
from krkn_grpc.client.pages import Page, PageRequest
from krkn_grpc.client.retries import Patience
from krkn_grpc.client.tokens import TokenSource

# The service itself ends a call after 25 s.
_CALL_SECONDS = 30.0

# The most that the service puts on one.
PAGE = 1_000

# About a minute, and about 5 s.
_RETRIES, _TERMINAL_RETRIES = 15, 4

Q = TypeVar("Q")
PQ = TypeVar("PQ", bound=PageRequest)
P = TypeVar("P", bound=Page)
R = TypeVar("R")


def _is_watched() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


@dataclass
class _ByNumber(Patience):
    """So many retries, and not so long: a watch may be quiet for hours before it is cut.

    Says once per outage that it waits, and not for one that ends at once. `first_retries` holds
    until the service has answered once.
    """

    retries: int = _RETRIES
    first_retries: int | None = None
    server: str = ""
    may_have_been_sent: bool = False
    """Whether an attempt that had no answer may have reached the service."""

    def pause(self, error: KrknError, *, attempt: int, waited: float) -> float | None:  # noqa: ARG002
        """Return the seconds to wait before the next attempt, None to give up."""
        self.may_have_been_sent |= not was_not_sent(error)
        if attempt > (self.retries if self.first_retries is None else self.first_retries):
            return None
        if attempt == 2:
            why = failures.explanation(error, self.server)
            typer.echo(f"{why}; trying again, Ctrl-C ends it", file=sys.stderr)
        return super().pause(error, attempt=attempt, waited=0.0)

    def answered(self) -> None:
        """Note that the service has answered a call."""
        self.first_retries = None


class Client:
    """The service stubs of a connection, and blocking calls of them.

    A read sees this client's earlier writes, on every replica.
    """

    def __init__(self, way: Way, patience: _ByNumber) -> None:
        """Call the service that the way leads to, as patiently."""
        self._patience = patience
        self._loop = loop_thread.shared()
        self.connection = self._loop.result(_opened(way))
        self.server = self.connection.server
        self.targets = self.connection.targets
        self.target_requests = self.connection.target_requests
        self.scenarios = self.connection.scenarios
        self.halts = self.connection.halts
        self.access = self.connection.access
        self.runs = self.connection.runs

    @classmethod
    def connected(
        cls,
        *,
        server: str,
        tls: bool | None,
        certificates: Certificates,
        token: TokenSource,
        retries: int | None,
        seconds: float = _CALL_SECONDS,
    ) -> Self:
        """Return a client of a server; `token` is asked for every call.

        Without a number of `retries` a server is waited for about a minute; where a person waits
        at a terminal, only one that has answered before. Raises BadAddress, BadToken, and OSError
        for files that cannot be read.
        """
        is_certified = certificates.ca or certificates.certificate
        where = address(server, True if tls is None and is_certified else tls)
        patience = _ByNumber(
            retries=_RETRIES if retries is None else retries,
            first_retries=_TERMINAL_RETRIES if retries is None and _is_watched() else None,
            server=where.target,
        )
        loop_thread.shared().result(token.token())
        way = Way(where, certificates, token, patience, seconds, "krkn-grpc-cli")
        return cls(way, patience)

    def close(self) -> None:
        """Close the connection."""
        self._loop.result(self.connection.close())

    def call(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Q, R]",
        request: Q,
        *,
        is_repeatable: bool = True,
    ) -> R:
        """Return the reply; raises KrknError.

        A call that is not repeatable (not idempotent) is retried only if the server says that it
        did nothing.
        """
        return self._loop.result(self.connection.call(method, request, is_repeatable=is_repeatable))

    def may_have_sent(self) -> bool:
        """Whether a call that was interrupted may have reached the service, in any attempt."""
        return self._patience.may_have_been_sent or self._loop.result(_connected(self.connection))

    def pages(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[PQ, P]",
        request: PQ,
        content: Callable[[P], Iterable[R]],
    ) -> Iterator[R]:
        """Yield what is on each page; the next one is requested when it is needed."""
        request.page_size = request.page_size or PAGE
        # Not the client's own iterator: it would change threads for each of 50,000 jobs.
        while True:
            page = self.call(method, request)
            yield from content(page)
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def stream(
        self,
        method: "grpc.aio.UnaryStreamMultiCallable[Q, R]",
        request: Q,
        log_source: Callable[[str], None] = lambda _: None,
    ) -> Iterator[R]:
        """Return the messages of one call, without retries; see `Connection.stream`."""
        return self._loop.iterate(self.connection.stream(method, request, log_source))

    def repeated(
        self, again: Callable[[Exception], bool], work: Callable[[], R], retries: int | None = None
    ) -> R:
        """Return the result of `work`; retry with back-off while `again` allows it."""
        patience = self.connection.way.patience
        attempt = 0
        while True:
            attempt += 1
            try:
                return work()
            except Exception as error:
                known = error if isinstance(error, KrknError) else KrknError(str(error))
                pause = patience.pause(known, attempt=attempt, waited=0.0)
                is_last = retries is not None and attempt > retries
                if pause is None or is_last or not again(error):
                    raise
            time.sleep(pause)


async def _connected(connection: Connection) -> bool:
    return connection.is_connected()


async def _opened(way: Way) -> Connection:
    return Connection(way)
