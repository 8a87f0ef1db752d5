"""One rule for each method: what its caller must be allowed to do in Kubernetes.

A method without a rule is refused. The names of verbs and resources are those of RBAC roles.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

TARGETS = "krknoperatortargets"
JOBS = "krknchaosjobs"


@dataclass(frozen=True)
class Rule:
    """The caller needs `verb` on `resource`, on the one that `name_of` finds in the request.

    `audited` calls change something, and `subjects` are the names that go into their audit line.
    """

    verb: str
    resource: str
    name_of: Callable[[Any], str] | None = None
    subresource: str = ""
    audited: bool = False
    subjects: Callable[[Any], list[str]] = lambda _: []


@dataclass(frozen=True)
class Open:
    """Everyone may call; `reflection` only where the setting allows it."""

    reflection: bool = False


def _uuid(request: Any) -> str:
    return str(request.uuid)


def _job_id(request: Any) -> str:
    return str(request.job_id)


_TARGET = "/krkn.v1.TargetService/"
_RUN = "/krkn.v1.ScenarioRunService/"

RULES: Final[dict[str, Rule | Open]] = {
    f"{_TARGET}CreateTarget": Rule(
        "create", TARGETS, audited=True, subjects=lambda request: [request.cluster_name]
    ),
    f"{_TARGET}ListTargets": Rule("list", TARGETS),
    f"{_TARGET}GetTarget": Rule("get", TARGETS, _uuid),
    f"{_TARGET}UpdateTarget": Rule(
        "update", TARGETS, _uuid, audited=True, subjects=lambda request: [request.uuid]
    ),
    f"{_TARGET}DeleteTarget": Rule(
        "delete", TARGETS, _uuid, audited=True, subjects=lambda request: [request.uuid]
    ),
    # Besides, `run` on each target: asked where the targets are looked up.
    f"{_RUN}RunScenario": Rule(
        "create", JOBS, audited=True, subjects=lambda request: list(request.target_uuids)
    ),
    f"{_RUN}ListScenarioRuns": Rule("list", JOBS),
    f"{_RUN}GetScenarioRunStatus": Rule("get", JOBS, _job_id),
    f"{_RUN}StopScenarioRun": Rule(
        "update", JOBS, _job_id, audited=True, subjects=lambda request: [request.job_id]
    ),
    f"{_RUN}StreamLogs": Rule("get", JOBS, _job_id, subresource="log"),
    f"{_RUN}WatchScenarioRuns": Rule("watch", JOBS),
    "/krkn.v1.HealthService/GetHealth": Open(),
    "/grpc.health.v1.Health/Check": Open(),
    "/grpc.health.v1.Health/List": Open(),
    "/grpc.health.v1.Health/Watch": Open(),
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": Open(reflection=True),
}
