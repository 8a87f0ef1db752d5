"""What is seen of one job, and what can be done about it."""

from dataclasses import dataclass, field
from datetime import datetime

from krkn_grpc.resources import images, labels
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus
from krkn_grpc.resources.names import pod_for
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import Target


@dataclass(frozen=True)
class Refusal:
    """Why a job must not start: a reason in one word and a sentence for people."""

    reason: str
    message: str


@dataclass(frozen=True)
class Credential:
    """What a job's pod is given to reach its target: the text of a kubeconfig that was checked."""

    kubeconfig: str = field(repr=False)


@dataclass(frozen=True)
class Limits:
    """How long a job may take to start, and a node to answer after a pod's grace is over.

    For `write_seconds` a server may repeat the creation of a job. `allowed_images` are the entries
    that `images.is_allowed` knows.
    """

    start_seconds: int = 300
    node_seconds: int = 120
    write_seconds: float = 25.0
    allowed_images: tuple[str, ...] = (images.ALL,)


@dataclass(frozen=True)
class Observed:
    """One job and all that belongs to it, at one moment.

    `credential` is looked up only while the job has no pod; it is None when it was not.
    """

    job_id: str
    job: ChaosJob | None
    pod: Pod | None
    target: Target | None
    credential: Credential | Refusal | None
    now: datetime
    limits: Limits = Limits()
    is_crowded: bool = False
    """Whether many jobs have their turn now, or wait for it."""

    @property
    def trace(self) -> str:
        """The id of the call that asked for the job; empty where it is not known."""
        return "" if self.job is None else self.job.metadata.annotations.get(labels.TRACE, "")


@dataclass(frozen=True)
class CreatePod:
    """Write the job's own kubeconfig Secret and its pod, gated."""

    job: ChaosJob
    credential: Credential


@dataclass(frozen=True)
class Ungate:
    """Let exactly this pod be scheduled."""

    pod: Pod


@dataclass(frozen=True)
class DeletePod:
    """Delete exactly this pod; with `only_as_seen` not when it changed since it was seen."""

    pod: Pod
    only_as_seen: bool = False


@dataclass(frozen=True)
class ReleasePod:
    """Take our finalizer off this pod: its outcome is known, or nobody will ask for it."""

    pod: Pod


@dataclass(frozen=True)
class DeleteSecrets:
    """Delete all of the job's Secrets."""

    job: ChaosJob


@dataclass(frozen=True)
class SetStatus:
    """Write the status of exactly this version of the job."""

    job: ChaosJob
    status: ChaosJobStatus


@dataclass(frozen=True)
class DeleteJob:
    """Delete the finished job: its time to live is over."""

    job: ChaosJob


@dataclass(frozen=True)
class RememberJob:
    """Let the job's record say that it existed: should it be created again, it does not start."""

    job: ChaosJob


@dataclass(frozen=True)
class ReleaseJob:
    """Let the deleted job go."""

    job: ChaosJob


Action = (
    CreatePod
    | Ungate
    | DeletePod
    | ReleasePod
    | DeleteSecrets
    | SetStatus
    | DeleteJob
    | RememberJob
    | ReleaseJob
)


@dataclass(frozen=True)
class Decision:
    """What to do now, in this order, and after how many seconds to look again in any case."""

    actions: tuple[Action, ...] = ()
    again_in: float | None = None


def is_as_requested(target: Target, job: ChaosJob) -> bool:
    """Whether the target is still the cluster that the caller of the job meant."""
    return (
        target.metadata.uid == job.spec.target_uid
        and target.spec.secret_uuid == job.spec.target_secret_uuid
        and target.spec.cluster_api_url == job.spec.cluster_api_url
    )


def is_ours(pod: Pod, job: ChaosJob) -> bool:
    """Whether the pod was made for this very job."""
    return pod.metadata.name == pod_for(job.metadata.name) and pod.metadata.is_owned_by(
        job.metadata.uid
    )


def is_of_predecessor(pod: Pod, job: ChaosJob) -> bool:
    """Whether the pod was made for an earlier job of this name, so that Kubernetes removes it."""
    return not is_ours(pod, job) and any(
        (owner.kind, owner.name) == (job.KIND.name, job.metadata.name)
        for owner in pod.metadata.owner_references
    )


def is_marked(pod: Pod) -> bool:
    """Whether it has our finalizer: it was made for some job, and nobody else lets it go."""
    return labels.FINALIZER in pod.metadata.finalizers


def is_held(pod: Pod) -> bool:
    """Whether our gate keeps the scheduler from it."""
    return any(gate.name == labels.START_GATE for gate in pod.spec.scheduling_gates)
