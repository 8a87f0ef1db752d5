"""What is asked of a cluster, and what its answer means. Pure.

The question is one that any authenticated user may ask of any cluster, and that tells whom the
cluster takes us for. `/version` and the like answer anyone, and a cluster with anonymous access
serves a call whose credentials it does not understand (a password, since Kubernetes 1.19) as
`system:anonymous`: neither would show that the credentials are good.
"""

import json
from dataclasses import dataclass, field

import msgspec

from controller.targets.probe_result import ProbeReason, ProbeResult

ANONYMOUS = "system:anonymous"
UNAUTHENTICATED = "system:unauthenticated"

ACCEPTED = ProbeResult(ProbeReason.REACHABLE, "The cluster accepts the credentials.")
REFUSED = ProbeResult(ProbeReason.UNAUTHORIZED, "The cluster refused the credentials.")
IGNORED = ProbeResult(
    ProbeReason.UNAUTHORIZED,
    "The cluster does not know this kind of credentials: it takes the caller for anonymous.",
)
REDIRECTED = ProbeResult(
    ProbeReason.UNREACHABLE, "The cluster answered with a redirect, which is not followed."
)
UNAVAILABLE = ProbeResult(ProbeReason.UNREACHABLE, "The cluster's API is not available just now.")
NOT_KUBERNETES = ProbeResult(
    ProbeReason.UNREACHABLE, "The answer is not one of a Kubernetes API server."
)


@dataclass(frozen=True, slots=True)
class Question:
    """A review to POST: it is answered and never stored."""

    path: str
    kind: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP status, and the body as far as it counts."""

    status: int
    body: bytes = field(default=b"", repr=False)


def _question(group: str, resource: str, kind: str, spec: dict[str, object]) -> Question:
    review = {"apiVersion": f"{group}/v1", "kind": kind, **spec}
    return Question(f"/apis/{group}/v1/{resource}", kind, json.dumps(review).encode())


WHO_AM_I = _question("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", {})
MAY_I = _question(
    "authorization.k8s.io",
    "selfsubjectaccessreviews",
    "SelfSubjectAccessReview",
    {"spec": {"nonResourceAttributes": {"path": "/api", "verb": "get"}}},
)
QUESTIONS = (WHO_AM_I, MAY_I)
"""Asked in turn while the answer is that there is no such question: the first is of 1.28."""


class _UserInfo(msgspec.Struct, frozen=True):
    username: str = ""
    groups: list[str] = []


class _ReviewStatus(msgspec.Struct, frozen=True, rename="camel"):
    user_info: _UserInfo = _UserInfo()


class _Review(msgspec.Struct, frozen=True):
    kind: str = ""
    status: _ReviewStatus = _ReviewStatus()


class _Failure(msgspec.Struct, frozen=True):
    kind: str = ""
    reason: str = ""
    message: str = ""


def has_meaningful_body(status: int) -> bool:
    """Whether the body of an answer with this status says more than the status does."""
    return status in (200, 201, 403)


def meaning(question: Question, reply: Reply) -> ProbeResult | None:
    """Say what an answer means; None if the cluster does not know the question."""
    match reply.status:
        case 200 | 201:
            return _of_review(question, reply.body)
        case 401:
            return REFUSED
        case 403:
            return _of_refusal(reply.body)
        case 404 | 405:
            return None
        case status if 300 <= status < 400:
            return REDIRECTED
        case status if status == 429 or status >= 500:
            return UNAVAILABLE
        case _:
            return NOT_KUBERNETES


def _of_review(question: Question, body: bytes) -> ProbeResult:
    try:
        review = msgspec.json.decode(body, type=_Review)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return NOT_KUBERNETES
    if review.kind != question.kind:
        return NOT_KUBERNETES
    if question is WHO_AM_I:
        user = review.status.user_info
        if not user.username:
            return NOT_KUBERNETES
        if user.username == ANONYMOUS or UNAUTHENTICATED in user.groups:
            return IGNORED
    return ACCEPTED


def _of_refusal(body: bytes) -> ProbeResult:
    """Tell a user who may do little (and is known all the same) from one who is not known."""
    try:
        failure = msgspec.json.decode(body, type=_Failure)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return REFUSED
    if (failure.kind, failure.reason) != ("Status", "Forbidden"):
        return REFUSED
    return IGNORED if f'"{ANONYMOUS}"' in failure.message else ACCEPTED
