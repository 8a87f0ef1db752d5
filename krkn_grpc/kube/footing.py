"""Checks that our own namespace exists and that our own account has its permissions there."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, TypeVar

import msgspec

from krkn_grpc.kube import errors, paths
from krkn_grpc.kube.session import Session

T = TypeVar("T")
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class Right(NamedTuple):
    """A permission that our account needs in its namespace."""

    verb: str
    group: str
    resource: str
    subresource: str = ""

    def __str__(self) -> str:
        """Return the permission as kubectl writes it: `create secrets`, `update things/status`."""
        return f"{self.verb} {'/'.join(filter(None, [self.resource, self.subresource]))}"


class _Metadata(msgspec.Struct, rename="camel"):
    deletion_timestamp: datetime | None = None


class _Namespace(msgspec.Struct):
    metadata: _Metadata


class _ReviewStatus(msgspec.Struct):
    allowed: bool


class _Review(msgspec.Struct):
    status: _ReviewStatus


async def namespace_ends(session: Session, namespace: str, seconds: float) -> bool:
    """Whether the namespace is being deleted or is gone; raises a KubeError when it is unknown."""
    try:
        content = await session.call("GET", paths.namespace(namespace), seconds=seconds)
    except errors.NotFound:
        return True
    return _read(content, _Namespace).metadata.deletion_timestamp is not None


async def missing(
    session: Session, namespace: str, wanted: Iterable[Right], seconds: float
) -> list[Right]:
    """Return the permissions that our account lacks; raises a KubeError when that is unknown."""
    return [right for right in wanted if not await _is_allowed(session, namespace, right, seconds)]


async def _is_allowed(session: Session, namespace: str, right: Right, seconds: float) -> bool:
    attributes = {"namespace": namespace, **right._asdict()}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    body = msgspec.json.encode(review)
    content = await session.call("POST", _REVIEWS, body=body, seconds=seconds)
    return _read(content, _Review).status.allowed


def _read(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError:
        raise errors.Unreadable("not what the API server answers") from None
