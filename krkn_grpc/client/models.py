"""What the service tells, as frozen values: the names of the protos, times as datetimes.

The comments of the protos describe each field; times are aware, in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from krkn_grpc.client.statuses import JobStatus, OnBusy, RunStatus, SecretType


@dataclass(frozen=True)
class Target:
    """A registered cluster."""

    uuid: str
    cluster_name: str
    cluster_api_url: str
    secret_type: SecretType
    ready: bool
    created_at: datetime | None
    reason: str
    message: str
    last_checked: datetime | None
    labels: Mapping[str, str]
    ready_since: datetime | None
    server_version: str
    provider: str
    max_concurrent_jobs: int | None


@dataclass(frozen=True)
class ReportedScenario:
    """A scenario that krkn ran."""

    name: str
    type: str
    exit_status: int
    affected_pods: int
    affected_nodes: int


@dataclass(frozen=True)
class ReportedHealthCheck:
    """A time in which a URL answered well, or did not."""

    url: str
    passed: bool


@dataclass(frozen=True)
class ReportedResult:
    """What a scenario said of its run at its end: a claim that nobody has checked."""

    run_uuid: str
    scenarios: tuple[ReportedScenario, ...]
    resiliency_score: float | None
    passed_slos: int | None
    total_slos: int | None
    failed_alerts: int | None
    health_checks: tuple[ReportedHealthCheck, ...]


@dataclass(frozen=True)
class Job:
    """One scenario on one target."""

    job_id: str
    target_uuid: str
    scenario_name: str
    status: JobStatus
    pod_name: str
    start_time: datetime | None
    completion_time: datetime | None
    message: str
    reason: str
    exit_code: int | None
    created_at: datetime | None
    requested_by: str
    labels: Mapping[str, str]
    cluster_name: str
    scenario_image: str
    timeout_seconds: int
    ttl_seconds_after_finished: int | None
    environment: Mapping[str, str]
    secret_environment_names: tuple[str, ...]
    file_names: tuple[str, ...]
    run_id: str
    result: ReportedResult | None

    @property
    def duration(self) -> timedelta | None:
        """How long the scenario ran; None until it has ended."""
        if self.start_time is None or self.completion_time is None:
            return None
        return self.completion_time - self.start_time


@dataclass(frozen=True)
class RunCounts:
    """How many targets of a run are where; `total` is all that the request named."""

    total: int
    pending: int
    running: int
    succeeded: int
    failed: int
    stopped: int
    refused: int


@dataclass(frozen=True)
class RunTarget:
    """A target of a run, and its job."""

    target_uuid: str
    job_id: str


@dataclass(frozen=True)
class RefusedTarget:
    """A target on which a run has no job, and why."""

    target_uuid: str
    error: str


@dataclass(frozen=True)
class RunStop:
    """Why a run was stopped, and by whom."""

    reason: str
    message: str
    by: str


@dataclass(frozen=True)
class RunRecord:
    """A run as the service keeps it; one of a list has no `targets` and `refused`."""

    run_id: str
    status: RunStatus
    scenario_name: str
    scenario_image: str
    kubeconfig_path: str
    environment: Mapping[str, str]
    secret_environment_names: tuple[str, ...]
    file_names: tuple[str, ...]
    timeout_seconds: int
    ttl_seconds_after_finished: int | None
    labels: Mapping[str, str]
    requested_by: str
    created_at: datetime | None
    start_time: datetime | None
    completion_time: datetime | None
    counts: RunCounts
    targets: tuple[RunTarget, ...]
    refused: tuple[RefusedTarget, ...]
    max_parallel: int
    max_failures: int | None
    abort_running: bool
    queue_seconds: int
    on_busy: OnBusy
    abort_on: tuple[str, ...]
    stop: RunStop | None


@dataclass(frozen=True)
class TargetJobResult:
    """What became of a request to run on one target: a job, or `error` says why there is none."""

    target_uuid: str
    job_id: str
    status: JobStatus
    pod_name: str
    success: bool
    error: str | None


@dataclass(frozen=True)
class Permission:
    """What may be done with all objects of a resource."""

    verb: str
    resource: str


@dataclass(frozen=True)
class Access:
    """A caller (`user` is empty without authentication), and what the caller may do."""

    user: str
    allowed: tuple[Permission, ...]
    namespace: str
    """Of the service's resources, for kubectl."""


@dataclass(frozen=True)
class Halt:
    """Stops every scenario on the targets it selects, and lets none start there."""

    name: str
    reason: str
    by: str
    since: datetime | None
    target_selector: str
    message: str | None


@dataclass(frozen=True)
class ScenarioSummary:
    """A scenario of the catalogue."""

    name: str
    title: str
    digest: str
    size: int
    last_modified: datetime | None


@dataclass(frozen=True)
class ScenarioField:
    """One parameter of a scenario: `variable` is the environment variable that it sets."""

    name: str
    short_description: str
    description: str
    variable: str
    type: str
    default: str | None
    required: bool
    validator: str
    validation_message: str
    separator: str
    allowed_values: str
    mount_path: str
    requires: str
    mutually_excludes: str
    secret: bool
    group: str


@dataclass(frozen=True)
class ScenarioGlobals:
    """The parameters that all scenarios of krkn-hub take, as one of them has them."""

    name: str
    title: str
    description: str
    digest: str
    size: int
    last_modified: datetime | None
    fields: tuple[ScenarioField, ...]


@dataclass(frozen=True)
class Scenario(ScenarioGlobals):
    """A scenario of the catalogue with its parameters."""

    image: str
    kubeconfig_path: str
    rollback: bool
    source: str


@dataclass(frozen=True)
class LogLine:
    """One line of a scenario's log, without its line break; `time` is the node's.

    `source` is "" for the log of the job's pod, and when that is gone `kept` for the one that was
    kept, `kept, truncated` if that is only its end.
    """

    job_id: str
    target_uuid: str
    cluster_name: str
    text: str
    time: datetime | None = field(compare=False)
    source: str = field(default="", compare=False)
