"""Calls with the caller's token and a deadline, retried where that is safe."""

import sys
from collections.abc import Callable, Iterator
from typing import Protocol, Self, TypeVar

import grpc
import stamina
import typer
from stamina.instrumentation import RetryDetails

from krkn_grpc.cli import connection, failures
from krkn_grpc.v1.halts_pb2_grpc import HaltServiceStub
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from krkn_grpc.v1.scenarios_pb2_grpc import ScenarioServiceStub
from krkn_grpc.v1.target_requests_pb2_grpc import TargetRequestServiceStub
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub

# The service itself ends a call after 25 s.
_CALL_SECONDS = 30.0
_REVISION = "krkn-revision"

# About a minute, and about 5 s.
_RETRIES, _TERMINAL_RETRIES = 15, 4

Q = TypeVar("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


def _is_watched() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


class Stream(Iterator[R_co], Protocol[R_co]):
    """The messages of a streaming call."""

    def cancel(self) -> bool:
        """Cancel the call."""


class Client:
    """The service stubs, with token, deadline and retries.

    A read sees this client's earlier writes, on every replica.
    """

    def __init__(
        self,
        channel: grpc.Channel,
        server: str,
        token: Callable[[], str],
        retries: int | None,
        seconds: float = _CALL_SECONDS,
    ) -> None:
        """Call through `channel`; messages name the server as `server`.

        Without a number of `retries` a server is waited for about a minute; where a person waits
        at a terminal, only one that has answered before.
        """
        self.server = server
        self.close = channel.close
        self.targets = TargetServiceStub(channel)
        self.target_requests = TargetRequestServiceStub(channel)
        self.scenarios = ScenarioServiceStub(channel)
        self.halts = HaltServiceStub(channel)
        self.runs = ScenarioRunServiceStub(channel)
        self._token = token
        self._retries = _RETRIES if retries is None else retries
        self._first_retries = _TERMINAL_RETRIES if retries is None and _is_watched() else None
        self._seconds = seconds
        self._revision = ""
        stamina.instrumentation.set_on_retry_hooks([self._say_that_it_waits])

    @classmethod
    def connected(
        cls,
        *,
        server: str,
        tls: bool | None,
        certificates: connection.Certificates,
        token: Callable[[], str],
        retries: int | None,
        seconds: float = _CALL_SECONDS,
    ) -> Self:
        """Return a client of a server; `token` is asked for every call.

        Raises BadAddress, BadToken, and OSError for files that cannot be read.
        """
        is_certified = certificates.ca or certificates.certificate
        where = connection.address(server, True if tls is None and is_certified else tls)
        channel = connection.connect(where, certificates)
        token()
        return cls(channel, where.target, token, retries, seconds)

    def call(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Q, R]",
        request: Q,
        *,
        is_repeatable: bool = True,
    ) -> R:
        """Return the reply; raises grpc.RpcError.

        A call that is not repeatable (not idempotent) is retried only if the server says that it
        did nothing.
        """

        def again(error: Exception) -> bool:
            return failures.is_invited_again(error) or (
                is_repeatable and failures.left_unanswered(error)
            )

        return self.repeated(again, lambda: self._once(method, request))

    def stream(self, method: "grpc.UnaryStreamMultiCallable[Q, R]", request: Q) -> Stream[R]:
        """Return the messages of one call, without retries."""
        return method(request, metadata=self._metadata())

    def repeated(
        self, again: Callable[[Exception], bool], work: Callable[[], R], retries: int | None = None
    ) -> R:
        """Return the result of `work`; retry with back-off while `again` allows it.

        Retries are limited by number, not by time: a watch may be quiet for hours before it is cut.
        """
        usual = self._retries if self._first_retries is None else self._first_retries
        for attempt in stamina.retry_context(
            on=again,
            attempts=1 + (usual if retries is None else retries),
            timeout=None,
            wait_initial=0.2,
            wait_max=5.0,
        ):
            with attempt:
                done = work()
                self._first_retries = None
                return done
        raise AssertionError("the last attempt returns or raises")

    def _once(self, method: "grpc.UnaryUnaryMultiCallable[Q, R]", request: Q) -> R:
        reply, call = method.with_call(request, timeout=self._seconds, metadata=self._metadata())
        for key, value in call.initial_metadata() or ():
            if key == _REVISION and isinstance(value, str):
                self._revision = value
        return reply

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        token = self._token()
        pairs = {"authorization": token and f"Bearer {token}", _REVISION: self._revision}
        return tuple((key, value) for key, value in pairs.items() if value)

    def _say_that_it_waits(self, details: RetryDetails) -> None:
        # Once per outage, and not for one that ends at once.
        if details.retry_num == 2:
            why = failures.explanation(details.caused_by, self.server)
            typer.echo(f"{why}; trying again, Ctrl-C ends it", file=sys.stderr)
