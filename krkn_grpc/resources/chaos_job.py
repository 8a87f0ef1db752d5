"""KrknChaosJob: one scenario on one target, started at most once."""

from datetime import datetime
from typing import Literal

import msgspec

from krkn_grpc.resources.meta import (
    API_VERSION,
    Condition,
    Kind,
    Resource,
    Struct,
    find_condition,
)
from krkn_grpc.resources.reported_result import ReportedResult

Phase = Literal["Pending", "Running", "Succeeded", "Failed", "Stopped"]
FINAL_PHASES: frozenset[str] = frozenset({"Succeeded", "Failed", "Stopped"})

ENDING = "Ending"
"""The condition with the reason why the controller ends the pod: it outlives the pod."""

LOG_NOT_KEPT = "LogNotKept"
"""The condition with the reason why the log of a finished job whose scenario ran was not kept."""

HALTED = "Halted"
"""The reason of a job that a halt has ended or is ending."""

BLACKOUT = "Blackout"
"""The reason of a job that waits for the end of a blackout, or that a blackout has stopped."""

STOPPING_REASONS: frozenset[str] = frozenset(
    {HALTED, BLACKOUT, "AbortCondition", "FailureThreshold", "RunDeleted", "StopRequested"}
)
"""The reasons for ending a pod that make its job Stopped, and not Failed."""

DEFAULT_KUBECONFIG_PATH = "/home/krkn/.kube/config"
DEFAULT_TIMEOUT_SECONDS = 3600
DEFAULT_QUEUE_SECONDS = 86_400
MOST_QUEUE_SECONDS = 2_592_000

OnBusy = Literal["Wait", "Refuse"]


class JobFile(Struct, frozen=True, kw_only=True):
    """A file of the request; its content is in the inputs Secret, under `names.file_key`."""

    name: str
    mount_path: str


class ChaosJobSpec(Struct, frozen=True, kw_only=True):
    """All that the job needs; only `stop` may change, and only to true.

    `target_uid`, `target_secret_uuid` and `cluster_api_url` pin the cluster that the caller
    meant: when the target differs from them, the job does not start. `cluster_name` only tells
    which one it was, also when the target is gone. `run_id` and `run_uid` name
    the record of the call that made it; a job written with kubectl has none.
    """

    job_id: str
    target_uuid: str = msgspec.field(name="targetUUID")
    target_uid: str = msgspec.field(name="targetUID")
    target_secret_uuid: str = msgspec.field(name="targetSecretUUID")
    cluster_api_url: str = msgspec.field(name="clusterAPIURL")
    cluster_name: str = ""
    scenario_name: str
    scenario_image: str
    kubeconfig_path: str = DEFAULT_KUBECONFIG_PATH
    environment: dict[str, str] = {}
    secret_environment: list[str] = []
    files: list[JobFile] = []
    pull_secret: bool = False
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS
    ttl_seconds_after_finished: int | None = None
    queue_seconds: int = DEFAULT_QUEUE_SECONDS
    on_busy: OnBusy = "Wait"
    request_id: str = ""
    run_id: str = ""
    run_uid: str = msgspec.field(name="runUID", default="")
    requested_by: str = ""
    stop: bool = False

    @property
    def has_inputs(self) -> bool:
        """Whether the server wrote an inputs Secret for this job."""
        return bool(self.files or self.secret_environment)


class ChaosJobStatus(Struct, frozen=True, kw_only=True):
    """The observed state of the run. `pod_uid` is written once, before the pod may start.

    `duration` (how long the scenario ran) and `run` (the end of its run's id) are for columns.
    `result` is what the scenario said of itself, None when it said nothing that can be read.
    """

    phase: Phase = "Pending"
    reason: str = ""
    message: str = ""
    pod_name: str = ""
    pod_uid: str = msgspec.field(name="podUID", default="")
    exit_code: int | None = None
    start_time: datetime | None = None
    completion_time: datetime | None = None
    duration: str = ""
    run: str = ""
    result: ReportedResult | None = None
    observed_generation: int = 0
    conditions: list[Condition] = []

    @property
    def is_final(self) -> bool:
        """Whether the phase can no longer change."""
        return self.phase in FINAL_PHASES

    @property
    def duration_seconds(self) -> int | None:
        """How long the scenario ran; None before its end, and where it did not start."""
        if self.start_time is None or self.completion_time is None:
            return None
        return max(int((self.completion_time - self.start_time).total_seconds()), 0)


class ChaosJob(Resource, frozen=True, kw_only=True):
    """A chaos job, named by its jobId."""

    KIND = Kind(API_VERSION, "KrknChaosJob", "krknchaosjobs")

    spec: ChaosJobSpec
    status: ChaosJobStatus = ChaosJobStatus()

    @property
    def public_status(self) -> str:
        """The status that clients see: the phase, or Stopping while a stop is under way."""
        if not self.status.is_final and (self.spec.stop or self.is_being_stopped):
            return "Stopping"
        return self.status.phase

    @property
    def is_being_stopped(self) -> bool:
        """Whether the controller ends the job's pod for a halt, a blackout or the job's run."""
        ending = find_condition(self.status.conditions, ENDING)
        return ending is not None and ending.reason in STOPPING_REASONS
