"""One call on its way through the gate: a place, its request, its permission, what it does.

Every call has a place before its request is received, and a request has to come soon: who opens
calls and does not go on with them takes nothing from others.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError

from krkn_grpc.server.auth.audit import Entry
from krkn_grpc.server.auth.gate import Caller
from krkn_grpc.server.auth.permission import grant
from krkn_grpc.server.auth.places import Places
from krkn_grpc.server.auth.rules import Open, Rule
from krkn_grpc.server.carry import Carrier
from krkn_grpc.server.errors import NotReceived, TooSlow

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


@dataclass(frozen=True)
class Passage:
    """A call of somebody who is known, or of anyone where the rule is open."""

    rule: Rule | Open
    caller: Caller
    entry: Entry | None
    places: Places
    carrier: Carrier

    def through(self, handler: Handler) -> Handler:
        """Return a handler that does all this and then what `handler` does.

        It takes its request from a stream, which is the same on the wire: so it is received here,
        and not by gRPC before anything could be asked.
        """
        make: Any = grpc.stream_stream_rpc_method_handler
        if handler.unary_unary is not None:
            make = grpc.stream_unary_rpc_method_handler
            call = self._audited if self.entry is not None else self._unary
            wrapped = call(handler.unary_unary)
        elif handler.unary_stream is not None:
            wrapped = self._stream(handler.unary_stream)
        else:
            wrapped = self._both_ways(handler.stream_stream)
        made: Handler = make(wrapped, handler.request_deserializer, handler.response_serializer)
        return made

    def _unary(self, call: Any) -> Any:
        async def wrapped(requests: Any, context: Any) -> Any:
            with self._place():
                return await call(await self._admitted(requests), context)

        return wrapped

    def _audited(self, call: Any) -> Any:
        entry = self.entry
        assert entry is not None, "only a call that changes something is audited"

        async def carried(request: Any, context: Any, place: ExitStack) -> Any:
            with place:
                try:
                    reply = await call(request, context)
                except BaseException as error:
                    entry.failed(error)
                    raise
                entry.done(reply)
                return reply

        async def wrapped(requests: Any, context: Any) -> Any:
            try:
                with ExitStack() as place:
                    place.enter_context(self._place())
                    request = await self._admitted(requests)
                    kept = place.pop_all()
            except BaseException as error:
                entry.failed(error)
                raise
            # To its end though the caller hangs up: what was begun must be finished, and the line
            # must say what was done. Every call that writes has an entry.
            return await self.carrier.through(carried(request, context, kept))

        return wrapped

    def _stream(self, call: Any) -> Any:
        async def wrapped(requests: Any, context: Any) -> AsyncIterator[Any]:
            with self._place():
                async for message in call(await self._admitted(requests), context):
                    yield message

        return wrapped

    def _both_ways(self, call: Any) -> Any:
        async def wrapped(requests: Any, context: Any) -> AsyncIterator[Any]:
            with self._place():
                async for message in call(requests, context):
                    yield message

        return wrapped

    def _place(self) -> AbstractContextManager[None]:
        return self.places.take(self.rule.pool, self.caller.name)

    async def _admitted(self, requests: Any) -> Any:
        """Return the request, when its sender may make it."""
        request = await _received(requests, self.rule.pool.request_seconds)
        if self.entry is not None:
            self.entry.asks(request)
        if isinstance(self.rule, Rule):
            grant(await self.caller.permission(self.rule, request))
        return request


async def _received(requests: Any, seconds: float) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await anext(aiter(requests))
    except TimeoutError:
        raise TooSlow("the request took too long to arrive") from None
    except StopAsyncIteration:
        raise NotReceived("the request did not arrive") from None
    except DecodeError:
        raise NotReceived("the request is not a message of this method") from None
