"""One rule for each method: what its caller must be allowed to do in Kubernetes.

A method without a rule is refused. The names of verbs and resources are those of RBAC roles.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from krkn_grpc.server.auth import facts
from krkn_grpc.server.auth.facts import Audit

TARGETS = "krknoperatortargets"
JOBS = "krknchaosjobs"


@dataclass(frozen=True)
class Pool:
    """Calls that share so many places in one server, half of them for one known caller.

    A request that has not arrived after `request_seconds` loses its place.
    """

    name: str
    places: int
    request_seconds: float = 20.0


# Together they are fewer than Envoy lets through: so it is one's own calls that are refused here,
# and not everybody's there.
CALLS = Pool("calls", 3_000)
WATCHES = Pool("watches", 3_000)
# Logs have a connection to the API server each, and the session's pool has more than these.
LOGS = Pool("logs", 1_500)
# Apart, so that whoever watches the health of the server keeps nobody from asking for it.
OPEN_CALLS = Pool("open calls", 500, request_seconds=2.0)
OPEN_STREAMS = Pool("open streams", 150)
POOLS = (CALLS, WATCHES, LOGS, OPEN_CALLS, OPEN_STREAMS)


@dataclass(frozen=True)
class Rule:
    """The caller needs `verb` on `resource`, on the one that `name_of` finds in the request.

    A call that changes something has an audit line.
    """

    verb: str
    resource: str
    name_of: Callable[[Any], str] | None = None
    subresource: str = ""
    audit: Audit | None = None
    pool: Pool = CALLS

    @property
    def what(self) -> str:
        """The resource as RBAC names it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True)
class Open:
    """Everyone may call; `reflection` only where the setting allows it."""

    reflection: bool = False
    pool: Pool = OPEN_CALLS


def _uuid(request: Any) -> str:
    return str(request.uuid)


def _job_id(request: Any) -> str:
    return str(request.job_id)


_TARGET = "/krkn.v1.TargetService/"
_RUN = "/krkn.v1.ScenarioRunService/"
_REFLECTION = "ServerReflection/ServerReflectionInfo"

RULES: Final[dict[str, Rule | Open]] = {
    f"{_TARGET}CreateTarget": Rule("create", TARGETS, audit=facts.CREATE_TARGET),
    f"{_TARGET}ListTargets": Rule("list", TARGETS),
    f"{_TARGET}GetTarget": Rule("get", TARGETS, _uuid),
    f"{_TARGET}UpdateTarget": Rule("update", TARGETS, _uuid, audit=facts.UPDATE_TARGET),
    f"{_TARGET}DeleteTarget": Rule("delete", TARGETS, _uuid, audit=facts.DELETE_TARGET),
    # Besides, `run` on each target: asked where the targets are looked up.
    f"{_RUN}RunScenario": Rule("create", JOBS, audit=facts.RUN),
    f"{_RUN}ListScenarioRuns": Rule("list", JOBS),
    f"{_RUN}GetScenarioRunStatus": Rule("get", JOBS, _job_id),
    f"{_RUN}StopScenarioRun": Rule("update", JOBS, _job_id, audit=facts.STOP),
    f"{_RUN}StreamLogs": Rule("get", JOBS, _job_id, subresource="log", pool=LOGS),
    f"{_RUN}WatchScenarioRuns": Rule("watch", JOBS, pool=WATCHES),
    "/krkn.v1.HealthService/GetHealth": Open(),
    "/grpc.health.v1.Health/Check": Open(),
    "/grpc.health.v1.Health/List": Open(),
    "/grpc.health.v1.Health/Watch": Open(pool=OPEN_STREAMS),
    f"/grpc.reflection.v1.{_REFLECTION}": Open(reflection=True, pool=OPEN_STREAMS),
    f"/grpc.reflection.v1alpha.{_REFLECTION}": Open(reflection=True, pool=OPEN_STREAMS),
}
