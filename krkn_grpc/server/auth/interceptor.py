"""Puts the gate before every method, by the table of rules.

Who is calling is asked before the request is received: strangers send no megabytes. What they
may do is asked when the request says of what.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import grpc

from krkn_grpc.server.auth.audit import Entry
from krkn_grpc.server.auth.gate import Anyone, Gate
from krkn_grpc.server.auth.passage import Handler, Passage
from krkn_grpc.server.auth.places import Places
from krkn_grpc.server.auth.rules import RULES, Open, Rule
from krkn_grpc.server.carry import Carrier


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
        if handler is None:
            return None
        match RULES.get(handler_call_details.method):
            case Rule() as rule:
                return await self._guarded(rule, handler, handler_call_details)
            case Open() as rule if self._reflection or not rule.reflection:
                passage = Passage(rule, Anyone(), None, self._places, self._carrier)
                return passage.through(handler)
        return None  # Without a rule nobody may call it.

    async def _guarded(
        self, rule: Rule, handler: Handler, details: grpc.HandlerCallDetails
    ) -> Handler:
        entry = Entry(rule.audit, details.method) if rule.audit is not None else None
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
        return Passage(rule, caller, entry, self._places, self._carrier).through(handler)


def _refusal(error: Exception) -> Handler:
    """Return a handler that refuses without receiving the request, whatever kind it is."""

    async def refuse(requests: Any, context: Any) -> AsyncIterator[NoReturn]:
        del requests, context
        raise error
        yield

    return grpc.stream_stream_rpc_method_handler(refuse)
