"""Calls: each with the caller's token and a deadline, repeated where that is safe."""

import sys
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

import grpc
import stamina
import typer
from stamina.instrumentation import RetryDetails

from krkn_grpc.cli import failures
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub

# The service gives a call up after 25 s by itself.
_CALL_SECONDS = 30.0
_REVISION = "krkn-revision"

Q = TypeVar("Q")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Stream(Iterator[R_co], Protocol[R_co]):
    """The messages of a call, one after the other."""

    def cancel(self) -> bool:
        """Hang up."""


class Client:
    """The services, and how they are called.

    A read sees what this client wrote before, whichever replica answers.
    """

    def __init__(
        self, channel: grpc.Channel, server: str, token: Callable[[], str], retries: int
    ) -> None:
        """Call through `channel`; `server` is its name for people."""
        self.server = server
        self.targets = TargetServiceStub(channel)
        self.runs = ScenarioRunServiceStub(channel)
        self._token = token
        self._retries = retries
        self._revision = ""
        stamina.instrumentation.set_on_retry_hooks([self._say_that_it_waits])

    def call(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Q, R]",
        request: Q,
        *,
        is_repeatable: bool = True,
    ) -> R:
        """Return the reply; raises grpc.RpcError.

        A call that changes something when it is sent twice is repeated only where the server
        says that it has done nothing.
        """

        def again(error: Exception) -> bool:
            return failures.is_invited_again(error) or (
                is_repeatable and failures.left_unanswered(error)
            )

        return self.repeated(again, lambda: self._once(method, request))

    def stream(self, method: "grpc.UnaryStreamMultiCallable[Q, R]", request: Q) -> Stream[R]:
        """Return the messages of one call, which is not repeated."""
        return method(request, metadata=self._metadata())

    def repeated(
        self, again: Callable[[Exception], bool], work: Callable[[], R], retries: int | None = None
    ) -> R:
        """Return what `work` returns; do it again, later and later, as long as `again` says so.

        What counts is how often, not how long: a watch may be quiet for hours before it is cut.
        """
        for attempt in stamina.retry_context(
            on=again,
            attempts=1 + (self._retries if retries is None else retries),
            timeout=None,
            wait_initial=0.2,
            wait_max=5.0,
        ):
            with attempt:
                return work()
        raise AssertionError("the last attempt returns or raises")

    def _once(self, method: "grpc.UnaryUnaryMultiCallable[Q, R]", request: Q) -> R:
        reply, call = method.with_call(request, timeout=_CALL_SECONDS, metadata=self._metadata())
        for key, value in call.initial_metadata() or ():
            if key == _REVISION and isinstance(value, str):
                self._revision = value
        return reply

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        token = self._token()
        pairs = {"authorization": token and f"Bearer {token}", _REVISION: self._revision}
        return tuple((key, value) for key, value in pairs.items() if value)

    def _say_that_it_waits(self, details: RetryDetails) -> None:
        # Once an outage, and not for one that is over at once.
        if details.retry_num == 2:
            why = failures.explanation(details.caused_by, self.server)
            typer.echo(f"{why}; trying again, Ctrl-C ends it", file=sys.stderr)
