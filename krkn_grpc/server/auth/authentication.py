"""Says who is calling and what they may do: nobody passes whom Kubernetes does not allow."""

from dataclasses import dataclass
from typing import Any, Protocol

from krkn_grpc.resources import ids
from krkn_grpc.server.auth.bearer import Metadata, bearer_token
from krkn_grpc.server.auth.permission import Everything, Granted, Permission
from krkn_grpc.server.auth.reviews import Question, Reviews, User
from krkn_grpc.server.auth.rules import JOBS, TARGETS, Rule
from krkn_grpc.server.errors import NoSuch, NotAllowed, NotAuthenticated


class Caller(Protocol):
    """Somebody who is calling."""

    @property
    def name(self) -> str:
        """The name that goes into requestedBy and the audit log; empty where nobody is known."""

    async def permission(self, rule: Rule, request: Any) -> Permission:
        """Return what the caller may do in this call, or raise."""


class Gate(Protocol):
    """Knows callers by what they send with a call."""

    async def caller(self, metadata: Metadata) -> Caller:
        """Return who is calling; raises NotAuthenticated. It needs no request for that."""


@dataclass(frozen=True)
class Anyone:
    """A caller of whom nothing is asked."""

    name: str = ""

    async def permission(self, rule: Rule, request: Any) -> Permission:
        """Return the permission to do everything."""
        del rule, request
        return Everything()


class OpenGate:
    """Lets everyone in: for one's own machine, where the listener is on loopback only."""

    async def caller(self, metadata: Metadata) -> Caller:
        """Return anyone."""
        del metadata
        return Anyone()


class KubernetesGate:
    """Lets in whom TokenReview knows and SubjectAccessReview allows what the rule asks for."""

    def __init__(self, reviews: Reviews, recheck_seconds: float) -> None:
        """Ask `reviews`, and for a stream again when the answer is so old."""
        self._reviews = reviews
        self._recheck_seconds = recheck_seconds

    async def caller(self, metadata: Metadata) -> Caller:
        """Return the user whose token it is; raises NotAuthenticated."""
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

    async def permission(self, rule: Rule, request: Any) -> Permission:
        """Raise NotAllowed the same whether what is named exists or not, and before looking."""
        name = rule.name_of(request) if rule.name_of is not None else ""
        # What is no id names nothing: it goes no further than to here.
        question = Question(
            rule.verb, rule.resource, name if ids.is_id(name) else "", rule.subresource
        )
        if not await self.reviews.is_allowed(self.user, question):
            raise NotAllowed(f"you may not {rule.verb} {rule.what}")
        if rule.name_of is not None and not ids.is_id(name):
            raise NoSuch(_ABSENT[rule.resource])
        return self._granted(question)

    def _granted(self, question: Question) -> Granted:
        async def may_run_all() -> bool:
            return await self.reviews.is_allowed(self.user, Question("run", TARGETS))

        async def may_run_one(uuid: str) -> bool:
            if not ids.is_id(uuid):
                return False
            return await self.reviews.is_allowed(self.user, Question("run", TARGETS, uuid))

        async def ask_again() -> bool:
            known = await self.reviews.user_of(self.token)
            return known is not None and await self.reviews.is_allowed(known, question)

        return Granted(self.name, may_run_all, may_run_one, ask_again, self.recheck_seconds)


_ABSENT = {TARGETS: "there is no such target", JOBS: "there is no such job"}
