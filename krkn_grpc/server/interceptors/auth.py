"""Authenticates and authorizes every call, by the rule that `auth.policy` has for its method.

The caller is authenticated before the request is received, and authorized too if the permission
names no object: a caller without permission cannot send megabytes.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import grpc

from krkn_grpc.server.auth.audit import Entry
from krkn_grpc.server.auth.authentication import Anyone, Authenticator, Caller
from krkn_grpc.server.auth.authorization import grant
from krkn_grpc.server.auth.concurrency import ConcurrencyLimits, RateLimiter, RequestMemory
from krkn_grpc.server.auth.policy import (
    CALLERS,
    REFLECTION,
    Authenticated,
    Protected,
    Public,
    Rule,
)
from krkn_grpc.server.errors import NotReceived, TooSlow
from krkn_grpc.server.interceptors.decoding import decode
from krkn_grpc.server.metadata import mesh_caller, name_caller, send_headers
from krkn_grpc.server.shielded import ShieldedTasks

# Per reflection stream. Tools send some dozen requests, and open another stream after its end.
_MOST_QUESTIONS = 1_000
_QUESTIONS_SECONDS = 60.0
# For all reflection streams together: computing an answer blocks the event loop.
_ANSWERS_A_SECOND = 100.0

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


@dataclass(frozen=True)
class Shared:
    """The limits that calls of one kind share."""

    shielded: ShieldedTasks
    arrivals: RequestMemory
    places: ConcurrencyLimits = field(default_factory=ConcurrencyLimits)
    answers: RateLimiter = field(
        default_factory=lambda: RateLimiter(_ANSWERS_A_SECOND, _QUESTIONS_SECONDS)
    )


# Messages of the largest size that may be arriving at the same time. Those of public methods are
# small, but their size is known only after their arrival.
_OF_CALLERS = 16
_OF_STRANGERS = 4
_STRANGERS_WAITING = 500


class AuthInterceptor(grpc.aio.ServerInterceptor):
    """Passes authenticated calls on; refuses the others, and audits refused changes."""

    def __init__(
        self,
        authenticator: Authenticator,
        shielded: ShieldedTasks,
        rules: Mapping[str, Rule],
    ) -> None:
        """Use `authenticator`; `rules` has the rule of each served method, by its path."""
        self._authenticator = authenticator
        self._rules = rules
        self._callers = Shared(shielded, RequestMemory(_OF_CALLERS, hurry_seconds=2.0))
        strangers = RequestMemory(
            _OF_STRANGERS, hurry_seconds=0.25, most_waiting=_STRANGERS_WAITING
        )
        self._strangers = Shared(shielded, strangers)
        self._curious = Shared(shielded, RequestMemory(REFLECTION.places, hurry_seconds=1.0))

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """Return the handler of this call; None, as for an unknown method, without a rule."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        match self._rules.get(handler_call_details.method):
            case Protected() | Authenticated() as rule:
                return await self._guarded(rule, handler, handler_call_details)
            case Public() as rule if rule.pool is not REFLECTION:
                return AuthorizedCall(rule, Anyone(), None, self._strangers).through(handler)
            case Public() as rule:
                return AuthorizedCall(rule, Anyone(), None, self._curious).through(handler)
        return None  # A method without a rule is refused.

    async def _guarded(
        self, rule: Protected | Authenticated, handler: Handler, details: grpc.HandlerCallDetails
    ) -> Handler:
        audit = rule.audit if isinstance(rule, Protected) else None
        mesh = mesh_caller(details.invocation_metadata)
        entry = Entry(audit, details.method, mesh) if audit is not None else None
        try:
            with self._callers.places.take(CALLERS, ""):
                caller = await self._authenticator.caller(details.invocation_metadata)
        except BaseException as error:
            if entry is not None:
                entry.failed(error)
            if not isinstance(error, Exception):
                raise
            return _refusal(error)
        if entry is not None:
            entry.called_by(caller.name)
        return AuthorizedCall(rule, caller, entry, self._callers).through(handler)


def _refusal(error: Exception) -> Handler:
    """Return a handler for any kind of method that raises `error` without reading the request."""

    async def refuse(requests: Any, context: Any) -> AsyncIterator[NoReturn]:
        del requests, context
        raise error
        yield

    return grpc.stream_stream_rpc_method_handler(refuse)


@dataclass(frozen=True)
class AuthorizedCall:
    """A call of an authenticated caller, or of any caller if the rule is public."""

    rule: Rule
    caller: Caller
    entry: Entry | None
    shared: Shared

    def through(self, handler: Handler) -> Handler:
        """Return a handler that authorizes the call and then runs `handler`.

        It reads its request as bytes from a stream, which is the same on the wire: so the request
        is received and decoded here, and not by gRPC before the authorization.
        """
        make: Any = grpc.stream_stream_rpc_method_handler
        decoder: Any = handler.request_deserializer
        if handler.unary_unary is not None:
            make = grpc.stream_unary_rpc_method_handler
            call = self._audited if self.entry is not None else self._unary
            wrapped = call(handler.unary_unary, decoder)
        elif handler.unary_stream is not None:
            wrapped = self._stream(handler.unary_stream, decoder)
        else:
            wrapped = self._both_ways(handler.stream_stream, decoder)
        made: Handler = make(wrapped, None, handler.response_serializer)
        return made

    def _unary(self, call: Any, decoder: Any) -> Any:
        async def wrapped(requests: Any, context: Any) -> Any:
            name_caller(context, self.caller.name)
            with ExitStack() as held:
                return await call(await self._admitted(requests, decoder, held), context)

        return wrapped

    def _audited(self, call: Any, decoder: Any) -> Any:
        entry = self.entry
        assert entry is not None, "only a call that changes something is audited"

        async def carried(request: Any, context: Any, held: ExitStack) -> Any:
            with held:
                try:
                    reply = await call(request, context)
                except BaseException as error:
                    entry.failed(error)
                    raise
                entry.done(reply)
                return reply

        async def wrapped(requests: Any, context: Any) -> Any:
            name_caller(context, self.caller.name)
            try:
                with ExitStack() as held:
                    request = await self._admitted(requests, decoder, held)
                    kept = held.pop_all()
            except BaseException as error:
                entry.failed(error)
                raise
            # Runs to completion even if the caller disconnects: started writes must be finished,
            # and the audit line must have their outcome. Every call that writes has an entry.
            return await self.shared.shielded.through(carried(request, context, kept))

        return wrapped

    def _stream(self, call: Any, decoder: Any) -> Any:
        async def wrapped(requests: Any, context: Any) -> AsyncIterator[Any]:
            name_caller(context, self.caller.name)
            with ExitStack() as held:
                request = await self._admitted(requests, decoder, held)
                is_first = True
                async for message in call(request, context):
                    if is_first:
                        is_first = False
                        await send_headers(context)
                    yield message

        return wrapped

    def _both_ways(self, call: Any, decoder: Any) -> Any:
        async def wrapped(requests: Any, context: Any) -> AsyncIterator[Any]:
            name_caller(context, self.caller.name)
            with ExitStack() as held:
                self._take_place(held)
                async for message in call(self._questions(requests, decoder, held), context):
                    yield message

        return wrapped

    async def _admitted(self, requests: Any, decoder: Any, held: ExitStack) -> Any:
        """Return the authorized request; the call's places and memory are released with `held`."""
        rule, pool = self.rule, self.rule.pool
        if not isinstance(rule, Public):
            self._take_place(held)
        if isinstance(rule, Authenticated):
            grant(self.caller.of_every_caller())
        if isinstance(rule, Protected) and rule.name_of is None:
            grant(await self.caller.permission(rule, None))
        messages: Any = aiter(requests)
        arrival = held.enter_context(self.shared.arrivals.of(self.caller.name))
        message = await arrival.receive(messages, pool.request_seconds)
        if message is None:
            raise NotReceived("the request did not arrive")
        # gRPC's iterator and its call reference each other, and it references its last message.
        await messages.aclose()
        arrival.keep(pool.times * len(message))
        if isinstance(rule, Public):
            self._take_place(held)
        request = decode(message, pool.largest, decoder)
        if self.entry is not None:
            self.entry.asks(request)
        if isinstance(rule, Protected) and rule.name_of is not None:
            grant(await self.caller.permission(rule, request))
        if isinstance(rule, Protected) and rule.also is not None:
            await self.caller.permission(rule.also, request)
        return request

    async def _questions(self, requests: Any, decoder: Any, held: ExitStack) -> AsyncIterator[Any]:
        """Yield the requests of a reflection stream, up to the limits on number and time."""
        arrival, messages = held.enter_context(self.shared.arrivals.of("")), aiter(requests)
        end = time.monotonic() + _QUESTIONS_SECONDS
        for _ in range(_MOST_QUESTIONS):
            seconds = min(self.rule.pool.request_seconds, end - time.monotonic())
            try:
                message = await arrival.receive(messages, seconds)
            except TooSlow:
                return
            if message is None:
                return
            arrival.keep(0)
            question = decode(message, self.rule.pool.largest, decoder)
            await self.shared.answers.wait()
            yield question

    def _take_place(self, held: ExitStack) -> None:
        held.enter_context(self.shared.places.take(self.rule.pool, self.caller.name))
