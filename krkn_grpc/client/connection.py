"""Calls through one channel: token, deadline, retries where they are safe, typed errors."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from krkn_grpc.client.address import Address, Certificates, open_channel
from krkn_grpc.client.errors import (
    KrknError,
    Unauthenticated,
    Unavailable,
    from_call,
    was_not_answered,
)
from krkn_grpc.client.reading import read
from krkn_grpc.client.retries import Patience, may_retry
from krkn_grpc.client.tokens import BadToken, TokenSource
from krkn_grpc.v1.access_pb2_grpc import AccessServiceStub
from krkn_grpc.v1.halts_pb2_grpc import HaltServiceStub
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from krkn_grpc.v1.scenarios_pb2_grpc import ScenarioServiceStub
from krkn_grpc.v1.target_requests_pb2_grpc import TargetRequestServiceStub
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub

_REVISION = "krkn-revision"
_LOG = "krkn-log"

Q = TypeVar("Q")
R = TypeVar("R")
P = TypeVar("P", bound=Message)
M = TypeVar("M")


@dataclass(frozen=True)
class Way:
    """How the service is reached: where, with which certificates, as whom, how patiently."""

    address: Address
    certificates: Certificates
    token: TokenSource
    patience: Patience
    deadline_seconds: float
    """Of one attempt; the service itself ends a call after 25 s."""
    user_agent: str = "krkn-grpc-client"


class Connection:
    """The service's stubs, and the two kinds of calls. A read sees earlier writes of this client.

    The channel is opened by the first call and belongs to the event loop that makes it.
    """

    def __init__(self, way: Way) -> None:
        self.way = way
        self.server = way.address.target
        self._channel = open_channel(way.address, way.certificates, way.user_agent)
        self.targets = TargetServiceStub(self._channel)
        self.target_requests = TargetRequestServiceStub(self._channel)
        self.scenarios = ScenarioServiceStub(self._channel)
        self.halts = HaltServiceStub(self._channel)
        self.access = AccessServiceStub(self._channel)
        self.runs = ScenarioRunServiceStub(self._channel)
        self._revision = ""
        self._is_closed = False

    async def close(self) -> None:
        """Close the channel; open calls end with KrknError."""
        self._is_closed = True
        await self._channel.close()

    def is_connected(self) -> bool:
        """Whether calls are sent at once: there is a connection."""
        return self._channel.get_state() is grpc.ChannelConnectivity.READY

    async def call(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Q, R]",
        request: Q,
        *,
        is_repeatable: bool = True,
    ) -> R:
        """Return the reply; raises KrknError.

        A call that is not repeatable (not idempotent) is retried only if the service says that it
        did nothing. `was_lost_before` of an error says that an earlier attempt had no answer.
        """
        began, attempt, was_lost_before = time.monotonic(), 0, False
        token, has_fresh_token = await self.way.token.token(), False
        while True:
            attempt += 1
            try:
                return await self._once(method, request, token)
            except KrknError as error:
                error.was_lost_before = was_lost_before
                if isinstance(error, Unauthenticated) and not has_fresh_token:
                    # The service did nothing: another token may be sent at once.
                    refused, has_fresh_token = token, True
                    token = await self.way.token.token(fresh=True)
                    if token != refused:
                        continue
                if not may_retry(error, is_repeatable=is_repeatable):
                    raise
                waited = time.monotonic() - began
                pause = self.way.patience.pause(error, attempt=attempt, waited=waited)
                if pause is None:
                    raise
                was_lost_before |= was_not_answered(error)
                failed = error
            await asyncio.sleep(pause)
            try:
                token = await self.way.token.token()
            except (BadToken, OSError) as without:
                # What came of the attempt before matters more than why there is no other.
                raise failed from without

    async def ask(
        self, method: "grpc.aio.UnaryUnaryMultiCallable[Q, P]", request: Q, model: type[M]
    ) -> M:
        """Return the reply of an idempotent call as this model; raises KrknError."""
        reply = await self.call(method, request)
        return read(reply, model)

    async def stream(
        self,
        method: "grpc.aio.UnaryStreamMultiCallable[Q, R]",
        request: Q,
        log_source: Callable[[str], None] = lambda _: None,
    ) -> AsyncGenerator[R, None]:
        """Yield the messages of one call, without retries; raises KrknError.

        Only a token that is refused at the start is replaced by a fresh one. `log_source` is called
        once if the service says that a log is a kept one: with `kept` or `kept, truncated`.
        """
        token, has_begun = await self.way.token.token(), False
        try:
            async for message in self._messages(method, request, token, log_source):
                has_begun = True
                yield message
        except Unauthenticated:
            if has_begun or (fresh := await self.way.token.token(fresh=True)) == token:
                raise
        else:
            return
        async for message in self._messages(method, request, fresh, log_source):
            yield message

    async def _messages(
        self,
        method: "grpc.aio.UnaryStreamMultiCallable[Q, R]",
        request: Q,
        token: str,
        log_source: Callable[[str], None],
    ) -> AsyncGenerator[R, None]:
        self._must_be_open()
        call, accepted = method(request, metadata=self._metadata(token)), 0.0
        try:
            # It ends with the call as well, if there is none.
            source = _value(await call.initial_metadata(), _LOG)
            accepted = time.monotonic()
            if source:
                log_source(source)
            async for message in call:
                yield message
            # Of a run's logs it is known at the end.
            if not source and (source := _value(await call.trailing_metadata(), _LOG)):
                log_source(source)
        except grpc.RpcError as error:
            failed = from_call(error, self.server)
            failed.stood_seconds = time.monotonic() - accepted if accepted else 0.0
            raise failed from error
        except asyncio.CancelledError:
            raise self._ended_by_the_service() from None
        finally:
            call.cancel()

    async def _once(
        self, method: "grpc.aio.UnaryUnaryMultiCallable[Q, R]", request: Q, token: str
    ) -> R:
        self._must_be_open()
        call = method(request, timeout=self.way.deadline_seconds, metadata=self._metadata(token))
        try:
            reply = await call
            metadata = await call.initial_metadata()
        except grpc.RpcError as error:
            raise from_call(error, self.server) from error
        except asyncio.CancelledError:
            raise self._ended_by_the_service() from None
        self.way.patience.answered()
        for key, value in metadata:
            if key == _REVISION and isinstance(value, str):
                self._revision = value
        return reply

    def _ended_by_the_service(self) -> KrknError:
        """Return the error of a call that the other side cancelled; raises if this task was.

        gRPC raises the same exception for both.
        """
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError
        self._must_be_open()
        message = f"{self.server} does not answer: it cancelled the call"
        return Unavailable(message, code=grpc.StatusCode.CANCELLED)

    def _must_be_open(self) -> None:
        if self._is_closed:
            raise KrknError("the client was closed", code=grpc.StatusCode.CANCELLED)

    def _metadata(self, token: str) -> tuple[tuple[str, str], ...]:
        pairs = {"authorization": token and f"Bearer {token}", _REVISION: self._revision}
        return tuple((key, value) for key, value in pairs.items() if value)


def _value(metadata: Iterable[tuple[str, str | bytes]], name: str) -> str:
    found = (value for key, value in metadata if key == name and isinstance(value, str))
    return next(found, "")
