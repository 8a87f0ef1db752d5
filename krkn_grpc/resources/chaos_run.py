"""KrknChaosRun: one call that runs a scenario on many targets, and what became of its jobs."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from krkn_grpc.resources.chaos_job import (
    DEFAULT_KUBECONFIG_PATH,
    DEFAULT_QUEUE_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    JobFile,
    OnBusy,
)
from krkn_grpc.resources.meta import API_VERSION, Kind, Resource, Struct

RunPhase = Literal["Pending", "Running", "Succeeded", "PartiallyFailed", "Failed", "Stopped"]
FINAL_RUN_PHASES: frozenset[str] = frozenset({"Succeeded", "PartiallyFailed", "Failed", "Stopped"})

STOP_REQUESTED = "StopRequested"
"""The reason of a stop that a caller asked for."""

ABORT_CONDITION = "AbortCondition"
"""The reason of a stop for an alert that the run named."""

# After the longest call that writes jobs. Within it a repetition of the call may write them, too.
_WRITTEN_AFTER = timedelta(minutes=2)


class RunTarget(Struct, frozen=True, kw_only=True):
    """A target, and the id of its job, which may not exist yet or any more."""

    target_uuid: str = msgspec.field(name="targetUUID")
    job_id: str


class RefusedTarget(Struct, frozen=True, kw_only=True):
    """A target that gets no job, and why."""

    target_uuid: str = msgspec.field(name="targetUUID")
    error: str


class RunStop(Struct, frozen=True, kw_only=True):
    """Why all jobs of the run are to end: a word, a sentence, and the user that asked for it."""

    reason: str
    message: str = ""
    by: str = ""


class ChaosRunSpec(Struct, frozen=True, kw_only=True):
    """What was asked for, without what is secret; only `stop` may change, once.

    `targets` and `refused` are in the order of the request, and together all of it. The
    `fingerprint` tells whether a repeated call is the same one.
    """

    targets: list[RunTarget]
    refused: list[RefusedTarget] = []
    fingerprint: str
    request_id: str = ""
    idempotency_seconds: int = 86_400
    scenario_name: str
    scenario_image: str
    kubeconfig_path: str = DEFAULT_KUBECONFIG_PATH
    environment: dict[str, str] = {}
    secret_environment: list[str] = []
    files: list[JobFile] = []
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS
    ttl_seconds_after_finished: int | None = None
    registry_url: str = ""
    require_ready: bool = False
    labels: dict[str, str] = {}
    requested_by: str = ""
    max_parallel: int = 0
    max_failures: int | None = None
    abort_running: bool = False
    queue_seconds: int = DEFAULT_QUEUE_SECONDS
    on_busy: OnBusy = "Wait"
    abort_on: list[str] = []
    stop: RunStop | None = None


class Counts(Struct, frozen=True, kw_only=True):
    """The targets of a run by the state of their jobs; `total` is their sum."""

    total: int = 0
    pending: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    stopped: int = 0
    refused: int = 0


class DepartedCounts(Struct, frozen=True, kw_only=True):
    """The outcomes of the jobs that are gone; one that nobody saw counts as failed.

    `refused` are those that were never created.
    """

    succeeded: int = 0
    failed: int = 0
    stopped: int = 0
    refused: int = 0


class ChaosRunStatus(Struct, frozen=True, kw_only=True):
    """What became of the run.

    `departed` are the ids of jobs that are gone or about to go. The status in the cluster also has
    `claims`, which only `ClaimedRun` reads: by jobId, the uid of the only job that may start.
    """

    phase: RunPhase = "Pending"
    counts: Counts | None = None
    start_time: datetime | None = None
    completion_time: datetime | None = None
    departed: list[str] = []
    departed_counts: DepartedCounts = DepartedCounts()

    @property
    def is_final(self) -> bool:
        """Whether the phase can no longer change."""
        return self.phase in FINAL_RUN_PHASES


class ChaosRun(Resource, frozen=True, kw_only=True):
    """A run, named by its runId."""

    KIND = Kind(API_VERSION, "KrknChaosRun", "krknchaosruns")

    spec: ChaosRunSpec
    status: ChaosRunStatus = ChaosRunStatus()

    @property
    def public_status(self) -> str:
        """The status that clients see: the phase, or Stopping while a stop is under way."""
        if self.spec.stop is not None and not self.status.is_final:
            return "Stopping"
        return self.status.phase

    @property
    def may_be_aborted(self) -> bool:
        """Whether an alert may still stop it."""
        is_settled = self.status.is_final or self.spec.stop is not None
        return bool(self.spec.abort_on) and not is_settled

    @property
    def counts(self) -> Counts:
        """The counts of the status, or, before there are any, those of a run that just began."""
        pending, refused = len(self.spec.targets), len(self.spec.refused)
        began = Counts(total=pending + refused, pending=pending, refused=refused)
        return self.status.counts or began

    def written_by(self, longest_call: timedelta) -> datetime | None:
        """Return when all of its jobs are surely written; one that is missing then never comes.

        `longest_call` is the longest time of a call's writes. None: its creation is not known.
        """
        created = self.metadata.creation_timestamp
        return None if created is None else created + longest_call + _WRITTEN_AFTER


class _Claims(Struct, frozen=True, kw_only=True):
    claims: dict[str, str] = {}


class ClaimedRun(Resource, frozen=True, kw_only=True):
    """The claims of a run: by jobId, the uid of the only job of this id that may ever start.

    Apart from the run, because they need as much memory as all the rest of it.
    """

    KIND = ChaosRun.KIND

    status: _Claims = _Claims()
