"""Asks the API server for a token's user and a user's permissions; caches the answers for seconds.

Only answers are cached, never errors: when the API server cannot be asked, the call that needs
the answer is refused.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from cachetools import TTLCache

from krkn_grpc.kube import errors
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.meta import GROUP, VERSION
from krkn_grpc.server.auth.concurrency import RateLimiter
from krkn_grpc.server.auth.ttl_cache import SingleFlightCache
from krkn_grpc.server.fair_semaphore import FairSemaphore
from krkn_grpc.telemetry import metrics, tracing
from krkn_grpc.told import told

_MOST_ANSWERS = 10_000
_ASK_SECONDS = 10.0
# To wait for a place in the fair semaphore, and to ask.
_ANSWER_SECONDS = 20.0
# A part of the session's connections: a flood of unknown tokens must leave some for the writes.
_AT_ONCE = 24
# All TokenReviews share one caller name in the fair semaphore.
_STRANGERS = ""
# After this many denials within this many seconds, a user's reviews are slowed to this rate: such a
# user names objects without permission. The answers stay the same.
_DENIALS = 200
_DENIALS_SECONDS = 10.0
_DENIED_A_SECOND = 100.0

_TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"
_ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

Review = TypeVar("Review")


class User(msgspec.Struct, frozen=True):
    """A caller as TokenReview returns it; every field goes into each SubjectAccessReview."""

    username: str = ""
    uid: str = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}

    @property
    def digest(self) -> bytes:
        """A short digest of all fields, equal for equal users."""
        return hashlib.sha256(msgspec.json.encode(self)).digest()


@dataclass(frozen=True)
class Question:
    """Whether a user may do `verb` on a resource of this API group, in the service's namespace."""

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
        auth_cache_seconds: float,
    ) -> None:
        """Accept tokens for `audience`; ask about resources in `namespace`."""
        self._session = session
        self._namespace = namespace
        self._audience = audience
        self._turns = FairSemaphore(_AT_ONCE)
        self._token_looked_up = _counts_lookups("TokenReview")
        self._users: SingleFlightCache[User] = SingleFlightCache(
            auth_cache_seconds, _MOST_ANSWERS, self._token_looked_up
        )
        # A separate cache, so that a flood of invalid tokens does not evict those of real callers.
        self._strangers: TTLCache[bytes, bool] = TTLCache(_MOST_ANSWERS, auth_cache_seconds)
        self._rights: SingleFlightCache[bool] = SingleFlightCache(
            auth_cache_seconds, _MOST_ANSWERS, _counts_lookups("SubjectAccessReview")
        )
        self._denials: TTLCache[str, int] = TTLCache(_MOST_ANSWERS, _DENIALS_SECONDS)
        self._pace = RateLimiter(_DENIED_A_SECOND, _DENIALS_SECONDS)

    async def user_of(self, token: str) -> User | None:
        """Return the token's user, None when the token is invalid or not for this service."""
        # The key is a digest: the token itself is not cached.
        digest = hashlib.sha256(token.encode()).digest()
        if digest in self._strangers:
            self._token_looked_up(True)
            return None
        try:
            return await self._users.get(digest, lambda: self._review_token(token))
        except _Stranger:
            self._strangers[digest] = True
            return None

    async def is_allowed(self, user: User, question: Question) -> bool:
        """Whether the user has this permission."""
        key = (user.digest, question)
        return await self._rights.get(key, lambda: self._review_access(user, question))

    async def _review_token(self, token: str) -> User:
        spec = {"token": token, "audiences": [self._audience]}
        answer = await self._ask(_STRANGERS, _TOKENS, "TokenReview", spec, _TokenReview)
        status = answer.status
        # An authenticator without audience support accepts any audience, or returns none.
        if not status.authenticated or self._audience not in (status.audiences or ()):
            raise _Stranger
        if not status.user.username:
            raise _Stranger  # A SubjectAccessReview needs a name.
        return status.user

    async def _review_access(self, user: User, question: Question) -> bool:
        if self._denials.get(user.username, 0) >= _DENIALS:
            await self._pace.wait(user.username)
        is_allowed = await self._ask_access(user, question)
        if not is_allowed:
            self._denials[user.username] = self._denials.get(user.username, 0) + 1
        return is_allowed

    async def _ask_access(self, user: User, question: Question) -> bool:
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
        answer = await self._ask(user.username, _ACCESS, "SubjectAccessReview", spec, _AccessReview)
        status = answer.status
        return status.allowed and not status.denied

    async def _ask(
        self, caller: str, path: str, kind: str, spec: dict[str, Any], answer: type[Review]
    ) -> Review:
        group_version = path.removeprefix("/apis/").rpartition("/")[0]
        review = {"apiVersion": group_version, "kind": kind, "spec": spec}
        body = msgspec.json.encode(review)
        try:
            with metrics.REVIEW_SECONDS.labels(kind).time(), tracing.step("review"):
                async with asyncio.timeout(_ANSWER_SECONDS), self._turns.turn(caller):
                    content = await self._session.call(
                        "POST", path, body=body, seconds=_ASK_SECONDS
                    )
            return msgspec.json.decode(content, type=answer)
        except (errors.KubeError, msgspec.MsgspecError, TimeoutError) as error:
            # Also when our own account may not send reviews: without an answer the call is
            # refused, and nothing was written for the caller.
            why = f"no answer to a {kind}: {told(error) or 'in time'}"
            raise errors.NotWritten(why) from None


def _counts_lookups(kind: str) -> Callable[[bool], None]:
    hits, misses = (metrics.REVIEW_CACHE.labels(kind, result) for result in ("hit", "miss"))
    return lambda is_hit: (hits if is_hit else misses).inc()


class _Stranger(Exception):
    """The token is invalid or not for this service."""
