"""The reviews that a probe sends to a cluster, and the meaning of the answers. Pure.

Any authenticated user may send these reviews to any cluster, and the answer shows which user the
cluster recognises. `/version` and the like answer anyone, and a cluster with anonymous access
serves a call whose credentials it does not understand (a password, since Kubernetes 1.19) as
`system:anonymous`: neither would show that the credentials are valid.
"""

import json
import re
from dataclasses import dataclass, field

import msgspec

from controller.targets.probe.result import ProbeReason, ProbeResult
from krkn_grpc.resources.ids import is_id

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
    """A review to POST, which the cluster answers and does not store; or an object to GET."""

    path: str
    kind: str
    body: bytes
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP status, and the body if it is meaningful."""

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
"""Sent in this order until the cluster knows one; the first needs Kubernetes 1.28."""

KUBE_SYSTEM = "kube-system"
WHO_ARE_YOU = Question(f"/api/v1/namespaces/{KUBE_SYSTEM}", "Namespace", b"", method="GET")
"""The uid of this namespace identifies a cluster: the namespace cannot be deleted."""


VERSION = Question("/version", "", b"", method="GET")
"""Answered without authorization by most clusters; some refuse it."""

# The only thing of a remote that is repeated, so nothing but a version can have this form.
_VERSION = re.compile(r"v?\d+(\.\d+){1,2}[-+.\w]{0,24}", re.ASCII)
_LONGEST_VERSION = 64


class _UserInfo(msgspec.Struct, frozen=True):
    username: str = ""
    groups: list[str] = []


class _ReviewStatus(msgspec.Struct, frozen=True, rename="camel"):
    user_info: _UserInfo = _UserInfo()


class _Review(msgspec.Struct, frozen=True):
    kind: str = ""
    status: _ReviewStatus = _ReviewStatus()


class _NamespaceMeta(msgspec.Struct, frozen=True):
    name: str = ""
    uid: str = ""


class _Namespace(msgspec.Struct, frozen=True):
    kind: str = ""
    metadata: _NamespaceMeta = _NamespaceMeta()


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    git_version: str = ""


class _Failure(msgspec.Struct, frozen=True):
    kind: str = ""
    reason: str = ""
    message: str = ""


def has_meaningful_body(status: int) -> bool:
    """Whether the body of a reply with this status has more information than the status."""
    return status in (200, 201, 403)


def meaning(question: Question, reply: Reply) -> ProbeResult | None:
    """Return the result of a reply; None if the cluster does not know the question."""
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


def cluster_uid(reply: Reply) -> str | None:
    """Return the cluster's identity from a reply to WHO_ARE_YOU; None when it does not say it."""
    if reply.status != 200:
        return None
    try:
        namespace = msgspec.json.decode(reply.body, type=_Namespace)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    named = namespace.metadata
    is_meant = (namespace.kind, named.name) == (WHO_ARE_YOU.kind, KUBE_SYSTEM)
    return named.uid if is_meant and is_id(named.uid) else None


def server_version(reply: Reply) -> str:
    """Return the version in a reply to VERSION; empty when it has none of the known form."""
    if reply.status != 200:
        return ""
    try:
        told = msgspec.json.decode(reply.body, type=_Version).git_version
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ""
    is_version = len(told) <= _LONGEST_VERSION and _VERSION.fullmatch(told) is not None
    return told if is_version else ""


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
    """Distinguish a known user without the permission from an anonymous one."""
    try:
        failure = msgspec.json.decode(body, type=_Failure)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return REFUSED
    if (failure.kind, failure.reason) != ("Status", "Forbidden"):
        return REFUSED
    return IGNORED if f'"{ANONYMOUS}"' in failure.message else ACCEPTED
