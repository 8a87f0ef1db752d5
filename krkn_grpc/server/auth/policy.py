"""One rule for each method: the Kubernetes permission that its caller needs, if any.

A method without a rule is refused. The names of verbs and resources are those of RBAC roles.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from krkn_grpc.resources import ids, label_grammar
from krkn_grpc.server.auth.audit import (
    CHECK_TARGET,
    CREATE_HALT,
    CREATE_TARGET,
    DELETE_DISCOVERY,
    DELETE_HALT,
    DELETE_TARGET,
    DISCOVER,
    PATCH_TARGET,
    RECEIVE_ALERTS,
    RERUN,
    RUN,
    STOP,
    STOP_RUN,
    UPDATE_TARGET,
    Audit,
)
from krkn_grpc.server.limits import LARGEST_MESSAGE

TARGETS = "krknoperatortargets"
JOBS = "krknchaosjobs"
REQUESTS = "krkntargetrequests"
RUNS = "krknchaosruns"
HALTS = "krknchaoshalts"
# No object has it: it is a name for the right to send alerts.
ALERTS = "krknchaosalerts"


@dataclass(frozen=True)
class CallClass:
    """Calls that share `places` in one server, at most half of them for one named caller.

    A request has at most `largest` bytes, and one that has not arrived after `request_seconds`
    loses its place. During the call, `times` its length is reserved as memory: for the decoded
    request and the objects made from it (measured with a run on 1,000 targets). 0: so little that
    the limit on places is enough.
    """

    name: str
    places: int
    request_seconds: float = 20.0
    largest: int = 16 * 1024
    times: int = 0


# Together they are fewer than Envoy's limit: so this server refuses the calls of one caller before
# Envoy refuses those of all callers.
CALLS = CallClass("calls", 2_900, largest=LARGEST_MESSAGE, times=8)
# Each may compute for seconds, in the one thread that all calls share.
ALERT_CALLS = CallClass("alerts", 40, largest=1024 * 1024, times=8)
# Callers without any permission may make these: they wait for nothing, their requests are small.
CATALOGUE = CallClass("calls of the catalogue", 100, request_seconds=5.0)
# Each may ask for every permission that there is.
ACCESS = CallClass("calls about access", 40, request_seconds=5.0)
WATCHES = CallClass("watches", 3_000)
# Each log stream holds a connection to the API server, that of a run up to 50 at once (MOST_OPEN of
# chaos_runs/logs.py); the session's pool is larger than all of them together.
LOGS = CallClass("logs", 1_000)
LOGS_OF_RUNS = CallClass("logs of runs", 18)
# Separate from the streams, so that health watchers cannot block health checks.
PUBLIC_CALLS = CallClass("open calls", 500, request_seconds=2.0, largest=4 * 1024)
PUBLIC_STREAMS = CallClass("open streams", 140, request_seconds=2.0, largest=4 * 1024)
# The time is per request of the stream.
REFLECTION = CallClass("reflection", 6, request_seconds=10.0, largest=4 * 1024)
CALL_CLASSES = (
    *(CALLS, ALERT_CALLS, CATALOGUE, ACCESS, WATCHES, LOGS, LOGS_OF_RUNS),
    *(PUBLIC_CALLS, PUBLIC_STREAMS, REFLECTION),
)
# Calls during authentication by TokenReview; nearly always the answer is cached.
CALLERS = CallClass("callers", 4_000)


@dataclass(frozen=True)
class Protected:
    """The caller needs `verb` on `resource`, for the object that `name_of` reads from the request.

    `audit` is set for calls that change something.
    """

    verb: str
    resource: str
    name_of: Callable[[Any], str] | None = None
    is_name: Callable[[str], bool] = ids.is_id
    """Whether an object can have this name: any other is not sent to the API server."""

    may_lack_name: bool = False
    """The method itself says of a request without a name what is missing."""

    subresource: str = ""
    audit: Audit | None = None
    pool: CallClass = CALLS
    also: "Protected | None" = None
    """What the caller needs besides, asked when the request has arrived, and before any lookup."""

    @property
    def what(self) -> str:
        """The resource as RBAC names it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True)
class Authenticated:
    """Every authenticated caller may call the method; no permission is asked for."""

    pool: CallClass = CATALOGUE


@dataclass(frozen=True)
class Public:
    """Every caller may call the method, without authentication."""

    pool: CallClass = PUBLIC_CALLS


Rule: TypeAlias = Protected | Authenticated | Public


def _uuid(request: Any) -> str:
    return str(request.uuid)


def _run_id(request: Any) -> str:
    return str(request.run_id)


def _job_id(request: Any) -> str:
    return str(request.job_id)


def _id(request: Any) -> str:
    return str(request.id)


def _name(request: Any) -> str:
    return str(request.name)


_TARGET = "/krkn.v1.TargetService/"
_REQUEST = "/krkn.v1.TargetRequestService/"
_HALT = "/krkn.v1.HaltService/"
_ALERT = "/krkn.v1.AlertService/"
_RUN = "/krkn.v1.ScenarioRunService/"
_SCENARIO = "/krkn.v1.ScenarioService/"
_ACCESS = "/krkn.v1.AccessService/"
_REFLECTION = "ServerReflection/ServerReflectionInfo"

METHODS: Final[dict[str, Rule]] = {
    f"{_TARGET}CreateTarget": Protected("create", TARGETS, audit=CREATE_TARGET),
    f"{_TARGET}ListTargets": Protected("list", TARGETS),
    f"{_TARGET}GetTarget": Protected("get", TARGETS, _uuid),
    f"{_TARGET}UpdateTarget": Protected("update", TARGETS, _uuid, audit=UPDATE_TARGET),
    f"{_TARGET}PatchTarget": Protected("update", TARGETS, _uuid, audit=PATCH_TARGET),
    f"{_TARGET}CheckTarget": Protected("update", TARGETS, _uuid, audit=CHECK_TARGET),
    f"{_TARGET}WatchTargets": Protected("watch", TARGETS, pool=WATCHES),
    f"{_TARGET}DeleteTarget": Protected("delete", TARGETS, _uuid, audit=DELETE_TARGET),
    f"{_REQUEST}DiscoverTargets": Protected("create", REQUESTS, audit=DISCOVER),
    f"{_REQUEST}GetDiscovery": Protected("get", REQUESTS, _uuid),
    # A caller sees only the clusters of targets that the caller may get.
    f"{_REQUEST}ListClusters": Protected("get", REQUESTS, _id, may_lack_name=True),
    f"{_REQUEST}DeleteDiscovery": Protected("delete", REQUESTS, _uuid, audit=DELETE_DISCOVERY),
    # `run` on each target is needed too; it is checked during submission.
    f"{_RUN}RunScenario": Protected("create", JOBS, audit=RUN),
    f"{_RUN}ListScenarioRuns": Protected("list", JOBS),
    f"{_RUN}GetScenarioRunStatus": Protected("get", JOBS, _job_id),
    f"{_RUN}StopScenarioRun": Protected("update", JOBS, _job_id, audit=STOP),
    f"{_RUN}StreamLogs": Protected("get", JOBS, _job_id, subresource="log", pool=LOGS),
    f"{_RUN}ListRuns": Protected("list", RUNS),
    f"{_RUN}GetRun": Protected("get", RUNS, _run_id),
    f"{_RUN}StopRun": Protected("update", RUNS, _run_id, audit=STOP_RUN),
    # `create` first: it needs no name, so it is asked before the files of the request are received.
    f"{_RUN}RerunRun": Protected("create", JOBS, audit=RERUN, also=Protected("get", RUNS, _run_id)),
    # Without a name: a run has many jobs, and its id is none of theirs.
    f"{_RUN}StreamRunLogs": Protected("get", JOBS, subresource="log", pool=LOGS_OF_RUNS),
    f"{_RUN}StreamRunLogsAsText": Protected("get", JOBS, subresource="log", pool=LOGS_OF_RUNS),
    f"{_RUN}WatchScenarioRuns": Protected("watch", JOBS, pool=WATCHES),
    f"{_HALT}CreateHalt": Protected("create", HALTS, audit=CREATE_HALT),
    f"{_HALT}ListHalts": Protected("list", HALTS),
    f"{_HALT}DeleteHalt": Protected(
        "delete", HALTS, _name, is_name=label_grammar.is_subdomain, audit=DELETE_HALT
    ),
    f"{_ALERT}ReceiveAlerts": Protected("create", ALERTS, audit=RECEIVE_ALERTS, pool=ALERT_CALLS),
    f"{_SCENARIO}ListScenarios": Authenticated(),
    f"{_SCENARIO}GetScenario": Authenticated(),
    f"{_SCENARIO}GetScenarioGlobals": Authenticated(),
    f"{_ACCESS}GetAccess": Authenticated(pool=ACCESS),
    "/krkn.v1.HealthService/GetHealth": Public(),
    "/grpc.health.v1.Health/Check": Public(),
    "/grpc.health.v1.Health/List": Public(),
    "/grpc.health.v1.Health/Watch": Public(pool=PUBLIC_STREAMS),
    f"/grpc.reflection.v1.{_REFLECTION}": Public(pool=REFLECTION),
    f"/grpc.reflection.v1alpha.{_REFLECTION}": Public(pool=REFLECTION),
}


def methods_of(served: Literal["all", "calls", "logs"], *, reflection: bool) -> dict[str, Rule]:
    """Return the rules of the methods that a process with these settings serves."""
    return {
        path: rule
        for path, rule in METHODS.items()
        if (rule.pool is not REFLECTION or reflection)
        and (
            served == "all"
            or isinstance(rule, Public)
            or (rule.pool in (LOGS, LOGS_OF_RUNS)) == (served == "logs")
        )
    }


def permissions() -> list[tuple[str, str]]:
    """Return each permission that some call needs, as (resource, verb), in this order."""
    needed = {(TARGETS, "run")}
    for rule in METHODS.values():
        each = rule if isinstance(rule, Protected) else None
        while each is not None:
            needed.add((each.what, each.verb))
            each = each.also
    return sorted(needed)
