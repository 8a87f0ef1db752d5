"""Asks the API server who a token is, and what a user may do; remembers the answers for seconds.

Only answers are remembered, never errors: when the API server cannot be asked, the call that
needs the answer is refused.
"""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from cachetools import TTLCache

from krkn_grpc.kube.session import Session

_SECONDS = 10.0
_MOST_ANSWERS = 10_000

Answer = TypeVar("Answer")


class User(msgspec.Struct, frozen=True):
    """A caller as TokenReview tells it; all of it goes into each SubjectAccessReview."""

    username: str = ""
    uid: str = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}

    def __hash__(self) -> int:
        """Hash by name and uid; equality compares everything."""
        return hash((self.username, self.uid))


@dataclass(frozen=True)
class Question:
    """Whether a user may do this to a resource of our group, in our namespace."""

    verb: str
    resource: str
    name: str = ""
    subresource: str = ""


class _TokenStatus(msgspec.Struct):
    authenticated: bool = False
    audiences: list[str] = []
    user: User = msgspec.field(default_factory=User)


class _TokenReview(msgspec.Struct):
    status: _TokenStatus


class _AccessStatus(msgspec.Struct):
    allowed: bool = False
    denied: bool = False


class _AccessReview(msgspec.Struct):
    status: _AccessStatus


@dataclass
class _Remembered(Generic[Answer]):
    """Answers by question; the same question asked twice at once is sent once."""

    answers: TTLCache[Hashable, Answer] = field(
        default_factory=lambda: TTLCache(_MOST_ANSWERS, _SECONDS)
    )
    asking: dict[Hashable, asyncio.Task[Answer]] = field(default_factory=dict)

    async def get(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        if key in self.answers:
            return self.answers[key]
        task = self.asking.get(key)
        if task is None:
            task = self.asking[key] = asyncio.create_task(ask())
            task.add_done_callback(lambda _: self.asking.pop(key, None))
        answer = await asyncio.shield(task)
        self.answers[key] = answer
        return answer


class Reviews:
    """TokenReview and SubjectAccessReview."""

    def __init__(self, session: Session, namespace: str, audience: str) -> None:
        """Accept tokens for `audience`; ask about resources in `namespace`."""
        self._session = session
        self._namespace = namespace
        self._audience = audience
        self._users: _Remembered[User] = _Remembered()
        # Apart, so that a flood of made-up tokens does not drive out those of real callers.
        self._strangers: TTLCache[str, bool] = TTLCache(_MOST_ANSWERS, _SECONDS)
        self._rights: _Remembered[bool] = _Remembered()

    async def user_of(self, token: str) -> User | None:
        """Return whose token it is, None when it is nobody's or not for this service."""
        # By its digest: a token itself is kept nowhere.
        digest = hashlib.sha256(token.encode()).hexdigest()
        if digest in self._strangers:
            return None
        try:
            return await self._users.get(digest, lambda: self._review_token(token))
        except _Stranger:
            self._strangers[digest] = True
            return None

    async def is_allowed(self, user: User, question: Question) -> bool:
        """Whether the user may do it."""
        key = (msgspec.json.encode(user), question)
        return await self._rights.get(key, lambda: self._review_access(user, question))

    async def _review_token(self, token: str) -> User:
        review = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [self._audience]},
        }
        answer = await self._session.call(
            "POST", "/apis/authentication.k8s.io/v1/tokenreviews", body=msgspec.json.encode(review)
        )
        status = msgspec.json.decode(answer, type=_TokenReview).status
        # An authenticator that knows no audiences answers for all of them, or names none.
        if not status.authenticated or self._audience not in status.audiences:
            raise _Stranger
        return status.user

    async def _review_access(self, user: User, question: Question) -> bool:
        attributes = {
            "namespace": self._namespace,
            "group": "krkn.krkn-chaos.dev",
            "version": "v1alpha1",
            "verb": question.verb,
            "resource": question.resource,
            "subresource": question.subresource,
            "name": question.name,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": user.username,
                "uid": user.uid,
                "groups": user.groups,
                "extra": user.extra,
                "resourceAttributes": {key: value for key, value in attributes.items() if value},
            },
        }
        answer = await self._session.call(
            "POST",
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            body=msgspec.json.encode(review),
        )
        status = msgspec.json.decode(answer, type=_AccessReview).status
        return status.allowed and not status.denied


class _Stranger(Exception):
    """The token is nobody's here."""
