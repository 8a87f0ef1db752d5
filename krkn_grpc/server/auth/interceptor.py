"""Puts the gate before every method, by the table of rules.

Who is calling is asked before the request is received: strangers send no megabytes. What they
may do is asked when the request says of what.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn, TypeAlias

import grpc

from krkn_grpc.server.auth.audit import Entry
from krkn_grpc.server.auth.gate import Anyone, Caller, Gate
from krkn_grpc.server.auth.permission import grant
from krkn_grpc.server.auth.places import Places
from krkn_grpc.server.auth.rules import RULES, Open, Rule
from krkn_grpc.server.carry import Carrier

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class GateInterceptor(grpc.aio.ServerInterceptor):
    """Lets through what the gate admits; all else ends with the reason, and in the audit log."""

    def __init__(self, gate: Gate, carrier: Carrier, *, reflection: bool) -> None:
        """Ask `gate`; answer reflection only if the setting says so."""
        self._gate = gate
        self._carrier = carrier
        self._reflection = reflection
        self._places = Places()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """Return the handler that this very call gets; None as if there were no such method."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        match RULES.get(method):
            case Rule() as rule if handler is not None:
                return await self._guarded(rule, method, handler, handler_call_details)
            case Open() as rule if handler is not None and self._answers(rule):
                is_stream = rule.at_once > 0
                return self._with_place(rule, method, handler, Anyone()) if is_stream else handler
        return None  # Without a rule nobody may call it.

    def _answers(self, rule: Open) -> bool:
        return self._reflection or not rule.reflection

    async def _guarded(
        self, rule: Rule, method: str, handler: Handler, details: grpc.HandlerCallDetails
    ) -> Handler:
        entry = Entry(rule.audit, method) if rule.audit is not None else None
        try:
            caller = await self._gate.caller(details.invocation_metadata)
        except BaseException as error:
            if entry is not None:
                entry.failed(error)
            if not isinstance(error, Exception):
                raise
            return _refusal(error)
        if entry is not None:
            entry.called_by(caller.name)
            return _unary(handler, self._audited(rule, caller, entry, handler.unary_unary))
        if handler.unary_unary is not None:
            return _unary(handler, _admitted(rule, caller, handler.unary_unary))
        return self._with_place(rule, method, _admitted_stream(rule, caller, handler), caller)

    def _audited(self, rule: Rule, caller: Caller, entry: Entry, call: Any) -> Any:
        async def carried(request: Any, context: Any) -> Any:
            try:
                reply = await call(request, context)
            except BaseException as error:
                entry.failed(error)
                raise
            entry.done(reply)
            return reply

        async def wrapped(request: Any, context: Any) -> Any:
            try:
                entry.asks(request)
                grant(await caller.permission(rule, request))
            except BaseException as error:
                entry.failed(error)
                raise
            # To its end though the caller hangs up: the line must say what was done.
            return await self._carrier.through(carried(request, context))

        return wrapped

    def _with_place(
        self, rule: Rule | Open, method: str, handler: Handler, caller: Caller
    ) -> Handler:
        call: Any = handler.unary_stream or handler.stream_stream

        async def wrapped(request: Any, context: Any) -> AsyncIterator[Any]:
            with self._places.take(method, caller.name, rule.at_once):
                async for message in call(request, context):
                    yield message

        return _stream(handler, wrapped)


def _admitted(rule: Rule, caller: Caller, call: Any) -> Any:
    async def wrapped(request: Any, context: Any) -> Any:
        grant(await caller.permission(rule, request))
        return await call(request, context)

    return wrapped


def _admitted_stream(rule: Rule, caller: Caller, handler: Handler) -> Handler:
    call: Any = handler.unary_stream

    async def wrapped(request: Any, context: Any) -> AsyncIterator[Any]:
        grant(await caller.permission(rule, request))
        async for message in call(request, context):
            yield message

    return _stream(handler, wrapped)


def _refusal(error: Exception) -> Handler:
    """Return a handler that refuses without receiving the request, whatever kind it is."""

    async def refuse(requests: Any, context: Any) -> AsyncIterator[NoReturn]:
        del requests, context
        raise error
        yield

    return grpc.stream_stream_rpc_method_handler(refuse)


def _unary(handler: Handler, call: Any) -> Handler:
    return grpc.unary_unary_rpc_method_handler(
        call, handler.request_deserializer, handler.response_serializer
    )


def _stream(handler: Handler, call: Any) -> Handler:
    make = (
        grpc.stream_stream_rpc_method_handler
        if handler.stream_stream is not None
        else grpc.unary_stream_rpc_method_handler
    )
    return make(call, handler.request_deserializer, handler.response_serializer)
