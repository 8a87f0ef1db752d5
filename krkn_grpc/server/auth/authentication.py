"""Authenticates callers and checks their permissions with the Kubernetes API."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from krkn_grpc.server.auth.authorization import Everything, Granted, Permission
from krkn_grpc.server.auth.policy import HALTS, JOBS, REQUESTS, RUNS, TARGETS, Protected
from krkn_grpc.server.auth.reviews import Question, Reviews, User
from krkn_grpc.server.errors import NoSuch, NotAllowed, NotAuthenticated

Metadata: TypeAlias = Iterable[tuple[str, str | bytes]]

_HEADER = "authorization"
_LONGEST_TOKEN = 16 * 1024
# RFC 6750, section 2.1. Two headers that a proxy joined with a comma do not fit.
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)


def bearer_token(metadata: Metadata) -> str:
    """Return the token; raises NotAuthenticated."""
    given = [value for key, value in metadata or () if key.lower() == _HEADER]
    if not given:
        raise NotAuthenticated("a bearer token is required")
    value = given[0]
    found = _BEARER.fullmatch(value) if isinstance(value, str) and len(given) == 1 else None
    if found is None or len(found[1]) > _LONGEST_TOKEN:
        raise NotAuthenticated("the Authorization header must be one bearer token")
    return found[1]


class Caller(Protocol):
    """The caller of a call."""

    @property
    def name(self) -> str:
        """The name in requestedBy and the audit log; empty without authentication."""

    async def permission(self, rule: Protected, request: Any) -> Permission:
        """Return the caller's permission for this call; raises NotAllowed and NoSuch.

        A rule without `name_of` is checked before the request arrives: `request` is None.
        """

    def of_every_caller(self) -> Permission:
        """Return the caller's permission for a call that every authenticated caller may make."""


class Authenticator(Protocol):
    """Identifies callers by the metadata of their calls."""

    async def caller(self, metadata: Metadata) -> Caller:
        """Return the caller, without reading the request; raises NotAuthenticated."""


@dataclass(frozen=True)
class Anyone:
    """A caller that is not authenticated."""

    name: str = ""

    async def permission(self, rule: Protected, request: Any) -> Permission:
        """Return the permission for everything."""
        del rule, request
        return Everything()

    def of_every_caller(self) -> Permission:
        """Return the permission for everything."""
        return Everything()


class NoAuthentication:
    """Accepts every caller: for a local machine, where the listener is on loopback only."""

    async def caller(self, metadata: Metadata) -> Caller:
        """Return an anonymous caller."""
        del metadata
        return Anyone()


class KubernetesAuthenticator:
    """Authenticates callers with TokenReview and authorizes them with SubjectAccessReview."""

    def __init__(self, reviews: Reviews, recheck_seconds: float) -> None:
        """Ask `reviews`; a stream asks again after `recheck_seconds`."""
        self._reviews = reviews
        self._recheck_seconds = recheck_seconds

    async def caller(self, metadata: Metadata) -> Caller:
        """Return the user of the bearer token; raises NotAuthenticated."""
        token = bearer_token(metadata)
        user = await self._reviews.user_of(token)
        if user is None:
            raise NotAuthenticated("the bearer token is not accepted")
        return _KnownCaller(self._reviews, self._recheck_seconds, token, user)


@dataclass(frozen=True)
class _KnownCaller:
    reviews: Reviews
    recheck_seconds: float
    token: str
    user: User

    @property
    def name(self) -> str:
        return self.user.username

    async def permission(self, rule: Protected, request: Any) -> Permission:
        """Raise NotAllowed before any lookup, whether or not the object exists."""
        name = rule.name_of(request) if rule.name_of is not None else ""
        # A malformed name is not sent to the API server: it names no object.
        question = Question(
            rule.verb, rule.resource, name if rule.is_name(name) else "", rule.subresource
        )
        if not await self.reviews.is_allowed(self.user, question):
            raise NotAllowed(f"you may not {rule.verb} {rule.what}")
        is_named = rule.name_of is not None and not (rule.may_lack_name and name == "")
        if is_named and not rule.is_name(name):
            raise NoSuch(_ABSENT[rule.resource])
        return self._granted(question)

    def of_every_caller(self) -> Permission:
        return self._granted(None)

    def _granted(self, question: Question | None) -> Granted:
        async def ask(verb: str, resource: str, name: str) -> bool:
            kind, _, subresource = resource.partition("/")
            asked = Question(verb, kind, name, subresource)
            return await self.reviews.is_allowed(self.user, asked)

        async def ask_again() -> bool:
            known = await self.reviews.user_of(self.token)
            if known is None or question is None:
                return known is not None
            return await self.reviews.is_allowed(known, question)

        return Granted(self.name, ask, ask_again, self.recheck_seconds)


_ABSENT = {
    TARGETS: "there is no such target",
    JOBS: "there is no such job",
    RUNS: "there is no such run",
    REQUESTS: "there is no such target request",
    HALTS: "there is no such halt",
}
