"""The observed state of one job, and the actions on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from controller.blackouts.timetable import InForce
from controller.reason import Reason
from controller.results.model import NO_LOG, LogDigest
from controller.runs.model import RunState
from krkn_grpc.resources import well_known
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus
from krkn_grpc.resources.credential_secret import Credential
from krkn_grpc.resources.halt import Halt
from krkn_grpc.resources.names import pod_for
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import Target


@dataclass(frozen=True)
class Limits:
    """How long a job may take to start, and a node to end a pod after its grace period.

    `allowed_images` are entries for `images.is_allowed`, `allowed_paths` for `mounts.is_allowed`.
    """

    start_deadline_seconds: int
    node_lost_seconds: int
    allowed_images: tuple[str, ...]
    allowed_paths: tuple[str, ...]
    adopt_providers: tuple[str, ...] = ()
    adopted_seconds: float = 600.0
    """The greatest age of an adopted target's credential at the start of a job."""


@dataclass(frozen=True)
class Turn:
    """Whether the job may start now on a target that takes `limit` jobs at once."""

    limit: int
    has_come: bool


@dataclass(frozen=True)
class Tombstone:
    """The last seen state of a pod that no longer exists, and when it was deleted."""

    pod: Pod
    gone_at: datetime


@dataclass(frozen=True)
class Observed:
    """One job and the objects that belong to it, at one moment.

    `credential` is read only while the job has no pod, and None otherwise. `tombstone` is looked up
    when the pod that the job names is gone.
    """

    job_id: str
    job: ChaosJob | None
    pod: Pod | None
    target: Target | None
    credential: Credential | Reason | None
    now: datetime
    limits: Limits
    is_claimed: bool = True
    """Whether this process has seen that the job's id is claimed for it."""

    tombstone: Tombstone | None = None
    turn: Turn | None = None
    """Only of a job whose pod is not named yet, on a target with a limit."""

    run: RunState | None = None
    """What the job's run says to it; None of a job by kubectl. Of a final job: if it may go."""

    halts: tuple[Halt, ...] = ()
    """The halts that hold, oldest first; none is read for a job that is final or being stopped."""

    are_halts_known: bool = True
    """Whether there is surely no other halt: without that nothing starts."""

    target_labels: Mapping[str, str] | None = None
    """The labels of the target that the job was made for; None: it is gone. Read for halts."""

    blackouts: tuple[InForce, ...] = ()
    """The blackouts of the job's target that are in force, oldest first."""

    are_blackouts_known: bool = True
    """Whether there is surely no other blackout: without that nothing starts."""

    log: LogDigest | None = NO_LOG
    """What was in the log of the job's pod, once that has ended; None while it is being read."""


@dataclass(frozen=True)
class Claim:
    """Write the job's uid into its run's status: no other job of this id ever starts."""

    job: ChaosJob


@dataclass(frozen=True)
class CreatePod:
    """Write the job's own kubeconfig Secret and its pod, gated."""

    job: ChaosJob
    credential: Credential


@dataclass(frozen=True)
class RequestCredential:
    """Ask the provider of the job's target for a newer credential."""

    provider: str


@dataclass(frozen=True)
class Ungate:
    """Let exactly this pod be scheduled."""

    pod: Pod


@dataclass(frozen=True)
class DeletePod:
    """Delete exactly this pod; with `only_as_seen` only if it is unchanged since it was seen."""

    pod: Pod
    only_as_seen: bool = False


@dataclass(frozen=True)
class DeleteSecrets:
    """Delete all of the job's Secrets."""

    job: ChaosJob


@dataclass(frozen=True)
class SetStatus:
    """Write the job's status; refused if the job is no longer at this version."""

    job: ChaosJob
    status: ChaosJobStatus


@dataclass(frozen=True)
class Depart:
    """Have the job's run count it as gone, before it is deleted."""

    job: ChaosJob


@dataclass(frozen=True)
class DeleteJob:
    """Delete the finished job: its time to live has ended."""

    job: ChaosJob


Action = (
    Claim
    | RequestCredential
    | CreatePod
    | Ungate
    | DeletePod
    | DeleteSecrets
    | SetStatus
    | Depart
    | DeleteJob
)


@dataclass(frozen=True)
class Decision:
    """The actions to do now, in this order, and the seconds until the next reconcile."""

    actions: tuple[Action, ...] = ()
    again_in: float | None = None
    may_wait: float | None = None
    """Seconds by which the actions may be put off while other jobs have yet to start."""

    @property
    def leads_to_a_pod(self) -> bool:
        """Whether it makes the job's pod, or names it in the status."""
        return any(
            isinstance(action, CreatePod)
            or (isinstance(action, SetStatus) and bool(action.status.pod_uid))
            for action in self.actions
        )


def is_as_requested(target: Target, job: ChaosJob) -> bool:
    """Whether the target still has the uid, Secret and URL that the job was created for."""
    return (
        target.metadata.uid == job.spec.target_uid
        and target.spec.secret_uuid == job.spec.target_secret_uuid
        and target.spec.cluster_api_url == job.spec.cluster_api_url
    )


def is_ours(pod: Pod, job: ChaosJob) -> bool:
    """Whether the pod was made for exactly this job."""
    return pod.metadata.name == pod_for(job.metadata.name) and pod.metadata.is_owned_by(
        job.metadata.uid
    )


def is_of_some_job(pod: Pod, job_id: str) -> bool:
    """Whether the pod was made for a job of this id: the current one or a deleted one."""
    # Deleting the job with `--cascade=orphan` removes the owner reference, but no annotation.
    return pod.metadata.name == pod_for(job_id) and (
        well_known.JOB_UID in pod.metadata.annotations
        or any(
            (owner.kind, owner.name) == (ChaosJob.KIND.name, job_id)
            for owner in pod.metadata.owner_references
        )
    )


def is_held(pod: Pod) -> bool:
    """Whether the pod still has our scheduling gate."""
    return any(gate.name == well_known.START_GATE for gate in pod.spec.scheduling_gates)
