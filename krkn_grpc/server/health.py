"""Healthy means that calls can do their work: the Kubernetes API answers and accepts writes.

The namespace must not be terminating, and our own account must have the permissions that it needs.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Literal

import structlog

from krkn_grpc.kube import errors, footing
from krkn_grpc.kube.footing import Right
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun
from krkn_grpc.resources.meta import GROUP
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.target_request import TargetRequest
from krkn_grpc.server.errors import Unreachable
from krkn_grpc.server.grpc_health import GrpcHealth
from krkn_grpc.server.metadata import Context
from krkn_grpc.told import told
from krkn_grpc.v1 import health_pb2 as pb
from krkn_grpc.v1.health_pb2_grpc import HealthServiceServicer

_INTERVAL_SECONDS = 2.0
_FOOTING_SECONDS = 5.0
_ASK_SECONDS = 2.0

AWAY = "the Kubernetes API cannot be reached now"
ENDS = "the namespace of the service is being deleted"
LACKS = "the service's own account lacks rights that it needs"

_TARGETS, _JOBS = Target.KIND.plural, ChaosJob.KIND.plural
_REQUESTS = TargetRequest.KIND.plural
_WRITES = (
    Right("create", "", "secrets"),
    Right("create", "coordination.k8s.io", "leases"),
    Right("create", GROUP, _TARGETS),
    Right("update", GROUP, _TARGETS, "status"),
    Right("create", GROUP, _REQUESTS),
    Right("create", GROUP, ChaosRun.KIND.plural),
    Right("create", GROUP, _JOBS),
    Right("patch", GROUP, _JOBS),
)
_LOGS = (Right("get", "", "pods"), Right("get", "", "pods", "log"))
_REVIEWS = (
    Right("create", "authentication.k8s.io", "tokenreviews"),
    Right("create", "authorization.k8s.io", "subjectaccessreviews"),
)
_log = structlog.get_logger(__name__)


class Health:
    """Checks whether the service can do its work."""

    def __init__(
        self,
        session: Session,
        namespace: str,
        *,
        knows_callers: bool,
        serves: Literal["all", "calls", "logs"],
    ) -> None:
        """Check the cluster over `session`; `knows_callers`: reviews are needed too."""
        self._session = session
        self._namespace = namespace
        needed = {"all": (*_WRITES, *_LOGS), "calls": _WRITES, "logs": _LOGS}[serves]
        self._rights = (*needed, *_REVIEWS) if knows_callers else needed
        self._stood_at = float("-inf")
        self.latest: str | None = None
        """The problem that the last check found, as a text for callers; None: none."""

        self._no_footing: str | None = None

    async def trouble(self) -> str | None:
        """Check, and return the problem; None when there is none."""
        trouble = await self._look()
        if trouble != self.latest:
            _log.warning("health changed", trouble=trouble)
        self.latest = trouble
        return trouble

    async def _look(self) -> str | None:
        if not await self._session.is_reachable(_ASK_SECONDS):
            return AWAY
        if time.monotonic() - self._stood_at > _FOOTING_SECONDS:
            self._no_footing = await self._footing()
            self._stood_at = time.monotonic()
        return self._no_footing

    async def _footing(self) -> str | None:
        """Return the problem of namespace or permissions; a check without an answer is not one."""
        try:
            if await footing.namespace_ends(self._session, self._namespace, _ASK_SECONDS):
                return ENDS
        except errors.KubeError as error:
            _log.debug("namespace not seen", error=told(error))
        try:
            lacking = await footing.missing(
                self._session, self._namespace, self._rights, _ASK_SECONDS
            )
        except errors.KubeError as error:
            _log.debug("rights not seen", error=told(error))
            return None
        if lacking:
            _log.warning("rights missing", rights=[str(right) for right in lacking])
        return LACKS if lacking else None


@dataclass(frozen=True)
class HealthServicer(HealthServiceServicer):
    """Health for REST; returns the last check's result, because everybody may call it."""

    grpc_health: GrpcHealth
    health: Health

    async def GetHealth(
        self, request: pb.GetHealthRequest, context: Context
    ) -> pb.GetHealthResponse:
        """Return `healthy` while calls can do their work."""
        if self.grpc_health.is_closed:
            raise Unreachable("the server is stopping")
        if not self.grpc_health.is_serving:
            raise Unreachable(self.health.latest or AWAY)
        return pb.GetHealthResponse(status="healthy")


async def keep_current(grpc_health: GrpcHealth, health: Health) -> None:
    """Check every two seconds whether calls can do their work, and set the status."""
    while True:
        grpc_health.tell(await health.trouble() is None)
        await asyncio.sleep(_INTERVAL_SECONDS)
