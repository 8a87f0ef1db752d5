"""Tells our own cluster from others: a cluster's identity is the uid of its kube-system.

A provider may list the cluster that this service runs in, by any address. No scenario of an adopted
target may run there, where it could end this service and every other run.
"""

import msgspec
import structlog

from controller.reason import Reason
from controller.targets.probe.review import KUBE_SYSTEM
from krkn_grpc.kube import paths
from krkn_grpc.kube.errors import KubeError
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.target import IDENTITY_UNKNOWN, OWN_CLUSTER
from krkn_grpc.told import told

_log = structlog.get_logger(__name__)


class _Namespace(msgspec.Struct):
    metadata: ObjectMeta


class OwnCluster:
    """The identity of our own cluster; read when it is first needed, and never changed."""

    def __init__(self, session: Session) -> None:
        """Read it over `session`; that needs the permission to get the namespace kube-system."""
        self._session = session
        self._uid = ""

    async def refusal(self, theirs: str | None) -> Reason | None:
        """Return why a cluster of this identity is refused; None for one that is another one."""
        if theirs is None:
            return Reason(
                IDENTITY_UNKNOWN,
                "The cluster may be the one that this service runs in: the credential must be"
                " allowed to get the namespace kube-system.",
            )
        if (ours := await self._ours()) is None:
            return Reason(IDENTITY_UNKNOWN, "This service may not get the identity of its cluster.")
        if theirs == ours:
            return Reason(OWN_CLUSTER, "It is the cluster that this service runs in.")
        return None

    async def _ours(self) -> str | None:
        if not self._uid:
            try:
                found = await self._session.call("GET", paths.namespace(KUBE_SYSTEM))
                self._uid = msgspec.json.decode(found, type=_Namespace).metadata.uid
            except (KubeError, msgspec.MsgspecError) as error:
                _log.warning("own cluster not identified", error=told(error))
        return self._uid or None
