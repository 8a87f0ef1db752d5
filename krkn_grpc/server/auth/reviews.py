"""Asks the API server who a token is, and what a user may do; remembers the answers for seconds.

Only answers are remembered, never errors: when the API server cannot be asked, the call that
needs the answer is refused.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from cachetools import TTLCache

from krkn_grpc.kube import errors
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.meta import GROUP, VERSION
from krkn_grpc.server.auth.remembered import Remembered

_MOST_ANSWERS = 10_000
_ASK_SECONDS = 10.0
# A part of the session's connections: a flood of strangers must leave some for the writes.
_AT_ONCE = 24

_TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"
_ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

Review = TypeVar("Review")


class User(msgspec.Struct, frozen=True):
    """A caller as TokenReview tells it; all of it goes into each SubjectAccessReview."""

    username: str = ""
    uid: str = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}

    @property
    def digest(self) -> bytes:
        """The same for users that are alike in everything, and short."""
        return hashlib.sha256(msgspec.json.encode(self)).digest()


@dataclass(frozen=True)
class Question:
    """Whether a user may do this to a resource of our group, in our namespace."""

    verb: str
    resource: str
    name: str = ""
    subresource: str = ""


class _TokenStatus(msgspec.Struct):
    authenticated: bool = False
    audiences: list[str] | None = None
    user: User = msgspec.field(default_factory=User)


class _TokenReview(msgspec.Struct):
    status: _TokenStatus


class _AccessStatus(msgspec.Struct):
    allowed: bool = False
    denied: bool = False


class _AccessReview(msgspec.Struct):
    status: _AccessStatus


class Reviews:
    """TokenReview and SubjectAccessReview.

    Both raise NotWritten when the API server gives no answer, whatever the cause.
    """

    def __init__(
        self,
        session: Session,
        namespace: str,
        audience: str,
        *,
        remember_seconds: float,
    ) -> None:
        """Accept tokens for `audience`; ask about resources in `namespace`."""
        self._session = session
        self._namespace = namespace
        self._audience = audience
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._users: Remembered[User] = Remembered(remember_seconds, _MOST_ANSWERS)
        # Apart, so that a flood of made-up tokens does not drive out those of real callers.
        self._strangers: TTLCache[bytes, bool] = TTLCache(_MOST_ANSWERS, remember_seconds)
        self._rights: Remembered[bool] = Remembered(remember_seconds, _MOST_ANSWERS)

    async def user_of(self, token: str) -> User | None:
        """Return whose token it is, None when it is nobody's or not for this service."""
        # By its digest: a token itself is kept nowhere.
        digest = hashlib.sha256(token.encode()).digest()
        if digest in self._strangers:
            return None
        try:
            return await self._users.get(digest, lambda: self._review_token(token))
        except _Stranger:
            self._strangers[digest] = True
            return None

    async def is_allowed(self, user: User, question: Question) -> bool:
        """Whether the user may do it."""
        key = (user.digest, question)
        return await self._rights.get(key, lambda: self._review_access(user, question))

    async def _review_token(self, token: str) -> User:
        spec = {"token": token, "audiences": [self._audience]}
        status = (await self._ask(_TOKENS, "TokenReview", spec, _TokenReview)).status
        # An authenticator that knows no audiences answers for all of them, or names none.
        if not status.authenticated or self._audience not in (status.audiences or ()):
            raise _Stranger
        if not status.user.username:
            raise _Stranger  # Without a name nobody can be asked about.
        return status.user

    async def _review_access(self, user: User, question: Question) -> bool:
        attributes = {
            "namespace": self._namespace,
            "group": GROUP,
            "version": VERSION,
            "verb": question.verb,
            "resource": question.resource,
            "subresource": question.subresource,
            "name": question.name,
        }
        spec = {
            "user": user.username,
            "uid": user.uid,
            "groups": user.groups,
            "extra": user.extra,
            "resourceAttributes": {key: value for key, value in attributes.items() if value},
        }
        status = (await self._ask(_ACCESS, "SubjectAccessReview", spec, _AccessReview)).status
        return status.allowed and not status.denied

    async def _ask(
        self, path: str, kind: str, spec: dict[str, Any], answer: type[Review]
    ) -> Review:
        group_version = path.removeprefix("/apis/").rpartition("/")[0]
        review = {"apiVersion": group_version, "kind": kind, "spec": spec}
        body = msgspec.json.encode(review)
        try:
            async with self._at_once:
                content = await self._session.call("POST", path, body=body, seconds=_ASK_SECONDS)
            return msgspec.json.decode(content, type=answer)
        except (errors.KubeError, msgspec.MsgspecError) as error:
            # Also when it is our own account that may not ask: without an answer nobody passes,
            # and nothing of the caller's was written.
            raise errors.NotWritten(f"no answer to a {kind}: {error}") from error


class _Stranger(Exception):
    """The token is nobody's here."""
