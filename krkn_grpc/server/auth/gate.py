"""Stands before every call: nobody passes whom Kubernetes does not know and allow."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import grpc
import structlog

from krkn_grpc.resources import ids
from krkn_grpc.server.auth.permission import Everything, Granted, Permission, grant
from krkn_grpc.server.auth.reviews import Question, Reviews, User
from krkn_grpc.server.auth.rules import RULES, TARGETS, Open, Rule
from krkn_grpc.server.errors import NoSuch, NotAllowed, NotAuthenticated

_LONGEST_TOKEN = 16 * 1024
_HEADER = "authorization"
_SCHEME = "bearer "

_audit = structlog.get_logger("audit")
Metadata = Iterable[tuple[str, str | bytes]]


class Gate(Protocol):
    """Lets a call in under a permission, or raises."""

    async def admit(self, rule: Rule, request: Any, metadata: Metadata) -> Permission:
        """Return what the caller may do in this call."""


class OpenGate:
    """Lets everyone in: for one's own machine, where the listener is on loopback only."""

    async def admit(self, rule: Rule, request: Any, metadata: Metadata) -> Permission:
        """Return the permission to do everything."""
        del rule, request, metadata
        return Everything()


class KubernetesGate:
    """Lets in whom TokenReview knows and SubjectAccessReview allows what the rule asks for."""

    def __init__(self, reviews: Reviews) -> None:
        """Ask `reviews`."""
        self._reviews = reviews

    async def admit(self, rule: Rule, request: Any, metadata: Metadata) -> Permission:
        """Raise NotAuthenticated or NotAllowed, the same whether what is named exists or not."""
        token = _bearer_token(metadata)
        user = await self._reviews.user_of(token)
        if user is None:
            raise NotAuthenticated("the bearer token is not accepted")
        name = rule.name_of(request) if rule.name_of is not None else ""
        # What is no id names nothing: it goes no further than to here.
        question = Question(
            rule.verb, rule.resource, name if ids.is_id(name) else "", rule.subresource
        )
        if not await self._reviews.is_allowed(user, question):
            raise NotAllowed(f"you may not {rule.verb} {_resource(rule)}")
        if name and not ids.is_id(name):
            raise NoSuch(_absent(rule))
        return self._granted(user, token, question)

    def _granted(self, user: User, token: str, question: Question) -> Granted:
        async def may_run_all() -> bool:
            return await self._reviews.is_allowed(user, Question("run", TARGETS))

        async def may_run_one(uuid: str) -> bool:
            is_asked = ids.is_id(uuid)
            return is_asked and await self._reviews.is_allowed(user, Question("run", TARGETS, uuid))

        async def ask_again() -> bool:
            known = await self._reviews.user_of(token)
            return known is not None and await self._reviews.is_allowed(known, question)

        return Granted(user.username, may_run_all, may_run_one, ask_again)


class GateInterceptor(grpc.aio.ServerInterceptor):
    """Puts the gate before every method, by the table of rules, and writes the audit log."""

    def __init__(self, gate: Gate, *, reflection: bool) -> None:
        """Ask `gate`; answer reflection only if the setting says so."""
        self._gate = gate
        self._reflection = reflection

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Wrap the method's handler, or leave it as it is where everyone may call."""
        handler = await continuation(handler_call_details)
        rule = RULES.get(handler_call_details.method)
        if handler is None or (
            isinstance(rule, Open) and (self._reflection or not rule.reflection)
        ):
            return handler
        if not isinstance(rule, Rule):
            return None  # As if there were no such method: without a rule nobody may call it.
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(rule, handler.unary_unary, handler_call_details.method),
                handler.request_deserializer,
                handler.response_serializer,
            )
        return grpc.unary_stream_rpc_method_handler(
            self._stream(rule, handler.unary_stream),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def _unary(self, rule: Rule, call: Any, method: str) -> Any:
        async def wrapped(request: Any, context: Any) -> Any:
            user, outcome = "", "refused"
            try:
                permission = await self._gate.admit(rule, request, context.invocation_metadata())
                grant(permission)
                user = permission.user
                reply = await call(request, context)
                outcome = "done"
            except Exception as error:
                outcome = type(error).__name__
                raise
            else:
                return reply
            finally:
                if rule.audited:
                    _audit.info(
                        "audit",
                        user=user,
                        method=method,
                        subjects=rule.subjects(request),
                        outcome=outcome,
                    )

        return wrapped

    def _stream(self, rule: Rule, call: Any) -> Any:
        async def wrapped(request: Any, context: Any) -> Any:
            grant(await self._gate.admit(rule, request, context.invocation_metadata()))
            async for message in call(request, context):
                yield message

        return wrapped


def _bearer_token(metadata: Metadata) -> str:
    given = [value for key, value in metadata or () if key == _HEADER]
    if not given:
        raise NotAuthenticated("a bearer token is required")
    value = given[0]
    if len(given) > 1 or not isinstance(value, str) or not value.lower().startswith(_SCHEME):
        raise NotAuthenticated("the Authorization header must be one bearer token")
    token = value[len(_SCHEME) :].strip()
    if not token or len(token) > _LONGEST_TOKEN or not token.isascii():
        raise NotAuthenticated("the bearer token is not accepted")
    return token


def _resource(rule: Rule) -> str:
    return f"{rule.resource}/{rule.subresource}" if rule.subresource else rule.resource


def _absent(rule: Rule) -> str:
    return "there is no such target" if rule.resource == TARGETS else "there is no such job"
