"""The typed client of krkn-grpc.

    from krkn_grpc.client import Krkn

    async with Krkn("krkn.example", token=tokens.Kubectl("ci")) as krkn:
        run = await krkn.run("pod-scenarios", await krkn.targets.select("env=staging"))
        async for line in run.logs():
            print(line.cluster_name, line.text)
        print((await run.wait()).table())

This package is for asyncio; `krkn_grpc.client.plain` has the same client for programs without it.
It knows the service by its protos alone. Connections, tokens and retries are in `connection`,
`tokens` and `retries`; what is safe to repeat is decided there, in one place. Not here: what a
command prints, and anything of the server.
"""

from krkn_grpc.client import tokens
from krkn_grpc.client.address import BadAddress
from krkn_grpc.client.credentials import BearerToken, Kubeconfig, Password
from krkn_grpc.client.errors import (
    AlreadyExists,
    Conflict,
    DeadlineExceeded,
    Denied,
    FailedPrecondition,
    FieldError,
    Halted,
    InvalidArgument,
    KrknError,
    LimitReached,
    NotFound,
    NothingStarted,
    NotReady,
    RequestIdReused,
    ServiceError,
    Unauthenticated,
    Unavailable,
)
from krkn_grpc.client.krkn import Krkn
from krkn_grpc.client.kubeconfigs import BadKubeconfig
from krkn_grpc.client.models import (
    Access,
    Halt,
    Job,
    LogLine,
    Permission,
    ReportedHealthCheck,
    ReportedResult,
    ReportedScenario,
    RunRecord,
    Scenario,
    ScenarioField,
    ScenarioGlobals,
    ScenarioSummary,
    Target,
    TargetJobResult,
)
from krkn_grpc.client.options import File, Registry
from krkn_grpc.client.outcome import Outcome
from krkn_grpc.client.run import Run
from krkn_grpc.client.statuses import ChangeType, JobStatus, OnBusy, RunStatus, SecretType
from krkn_grpc.client.targets import Imported
from krkn_grpc.client.tokens import BadToken
from krkn_grpc.client.watching import Change

__all__ = [
    "Access",
    "AlreadyExists",
    "BadAddress",
    "BadKubeconfig",
    "BadToken",
    "BearerToken",
    "Change",
    "ChangeType",
    "Conflict",
    "DeadlineExceeded",
    "Denied",
    "FailedPrecondition",
    "FieldError",
    "File",
    "Halt",
    "Halted",
    "Imported",
    "InvalidArgument",
    "Job",
    "JobStatus",
    "Krkn",
    "KrknError",
    "Kubeconfig",
    "LimitReached",
    "LogLine",
    "NotFound",
    "NotReady",
    "NothingStarted",
    "OnBusy",
    "Outcome",
    "Password",
    "Permission",
    "Registry",
    "ReportedHealthCheck",
    "ReportedResult",
    "ReportedScenario",
    "RequestIdReused",
    "Run",
    "RunRecord",
    "RunStatus",
    "Scenario",
    "ScenarioField",
    "ScenarioGlobals",
    "ScenarioSummary",
    "SecretType",
    "ServiceError",
    "Target",
    "TargetJobResult",
    "Unauthenticated",
    "Unavailable",
    "tokens",
]
