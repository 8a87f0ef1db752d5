"""What the end of a pod means for its job: the phase, and why in one word and a sentence. Pure."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from controller.jobs.conditions import ending
from controller.jobs.model import Refusal
from krkn_grpc.resources.chaos_job import ChaosJob, Phase
from krkn_grpc.resources.names import CONTAINER
from krkn_grpc.resources.pod import ContainerState, Pod, TerminatedState

DEADLINE_EXCEEDED = "DeadlineExceeded"
STOP_REQUESTED = "StopRequested"

_KILLED = {
    "Evicted": Refusal("Evicted", "The node evicted the pod."),
    "Preempting": Refusal("Preempted", "The pod made room for another one."),
    "NodeShutdown": Refusal("NodeShutdown", "The node was shut down."),
    "Terminated": Refusal("NodeShutdown", "The node was shut down."),
}
# Why Kubernetes itself deleted a pod: the reasons of its condition DisruptionTarget.
_DISRUPTED = {
    "EvictionByEvictionAPI": Refusal("Evicted", "The pod was evicted, as when a node is drained."),
    "DeletionByTaintManager": Refusal("Evicted", "The pod had to leave its tainted node."),
    "PreemptionByScheduler": Refusal("Preempted", "The pod made room for another one."),
}
# The container never ran, or nobody knows how it ended: its exit code is not the scenario's.
_NOT_RUN = ("StartError", "ContainerCannotRun", "CreateContainerError", "RunContainerError")
_UNKNOWN = "ContainerStatusUnknown"

_BY_SIGNAL = (137, 143)
# How far a node's clock may be behind the API server's.
_CLOCK_SKEW = timedelta(seconds=5)


class Verdict(NamedTuple):
    """How a job ended."""

    phase: Phase
    why: Refusal


def container_state(pod: Pod) -> ContainerState:
    """Return the state of the scenario's container; empty while there is none."""
    for container in pod.status.container_statuses:
        if container.name == CONTAINER:
            return container.state
    return ContainerState()


def started_at(pod: Pod) -> datetime | None:
    """Return when the scenario's container started, None when it has not."""
    state = container_state(pod)
    began = state.running or state.terminated
    if began is None or began.started_at is None or began.started_at.year <= 1970:
        return None  # Kubernetes says 1970 of a container that could not be started.
    return began.started_at


def exit_code(pod: Pod) -> int | None:
    """Return the scenario's own exit code, None when it has none or nobody knows it."""
    ended = container_state(pod).terminated
    if ended is None or ended.reason == _UNKNOWN or ended.reason in _NOT_RUN:
        return None
    return ended.exit_code


def of_pod(job: ChaosJob, pod: Pod) -> Verdict:
    """Return how a job ended whose pod is terminal."""
    ended = container_state(pod).terminated
    if _was_deleted_first(job, pod, ended):
        if job.spec.stop:
            return Verdict("Stopped", Refusal(STOP_REQUESTED, "The scenario was stopped."))
        if (why := ending(job)) is not None:
            return Verdict("Failed", why)
    if _is_on_lost_node(pod):
        return Verdict("Failed", node_lost(job, pod))
    if (killed := _kill(job, pod, ended)) is not None:
        return Verdict("Failed", killed)
    # What else runs in the pod may have had to be ended: that is no failure of the scenario.
    if pod.status.phase == "Succeeded" or exit_code(pod) == 0:
        done = Refusal("Completed", "The scenario ended with exit code 0.")
        return Verdict("Succeeded", done)
    return Verdict("Failed", _failure(pod, ended))


def node_lost(job: ChaosJob, pod: Pod) -> Refusal:
    """Return the reason for a job whose node may still run it, with node and last moment."""
    due = pod.metadata.deletion_timestamp
    began = started_at(pod) or pod.status.start_time or due
    until = "nobody knows when"
    if began is not None:
        # The node ends the pod then by itself, though nobody can reach it.
        grace = pod.spec.termination_grace_period_seconds or 0
        last = began + timedelta(seconds=job.spec.timeout_seconds + grace)
        until = f"{last.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    node = pod.spec.node_name
    message = f"Node {node} does not answer; the scenario may run there until {until}."
    return Refusal("NodeLost", message)


def ran_too_long(job: ChaosJob) -> Refusal:
    """Return the reason for a job whose time is over."""
    message = f"The scenario ran longer than {job.spec.timeout_seconds} seconds."
    return Refusal(DEADLINE_EXCEEDED, message)


def _kill(job: ChaosJob, pod: Pod, ended: TerminatedState | None) -> Refusal | None:
    """Return why Kubernetes or a person ended the pod, None when it ended by itself."""
    if pod.status.reason == DEADLINE_EXCEEDED:
        if started_at(pod) is not None:
            return ran_too_long(job)
        limit = job.spec.timeout_seconds
        late = f"The scenario did not start within its {limit} seconds. {job.status.message}"
        return Refusal(job.status.reason or DEADLINE_EXCEEDED, late.rstrip())
    if pod.status.reason in _KILLED:
        return _KILLED[pod.status.reason]
    if _was_deleted_first(job, pod, ended):
        deleted = Refusal("PodDeleted", "Someone deleted the pod before the scenario ended.")
        return _DISRUPTED.get(_disruption(pod), deleted)
    return None


def _failure(pod: Pod, ended: TerminatedState | None) -> Refusal:
    if ended is None:
        return Refusal(pod.status.reason or "Unknown", "The pod failed and left no exit code.")
    if ended.reason == "OOMKilled":
        return Refusal("OOMKilled", "The scenario used more memory than it may.")
    if ended.reason in _NOT_RUN:
        return Refusal(ended.reason, "The container could not be started.")
    if ended.reason == _UNKNOWN:
        return Refusal(_UNKNOWN, "The node does not know how the scenario ended.")
    return Refusal("NonZeroExit", f"The scenario ended with exit code {ended.exit_code}.")


def _is_on_lost_node(pod: Pod) -> bool:
    """Whether the pod was declared failed by others than its node, which may still run it."""
    given_up = pod.status.reason == "NodeLost" or _disruption(pod) == "DeletionByPodGC"
    return given_up and pod.is_bound and container_state(pod).terminated is None


def _disruption(pod: Pod) -> str:
    for condition in pod.status.conditions:
        if condition.type == "DisruptionTarget" and condition.status == "True":
            return condition.reason
    return ""


def _was_deleted_first(job: ChaosJob, pod: Pod, ended: TerminatedState | None) -> bool:
    """Whether someone deleted the pod before the scenario came to its own end.

    Both moments are whole seconds, of two clocks. Within the same second, an end by a signal
    counts as the deletion's work, and so does any other that the controller meant to bring about:
    who hears SIGTERM may be gone in milliseconds, with any exit code.
    """
    due = pod.metadata.deletion_timestamp
    if due is None:
        return False
    if ended is None or ended.finished_at is None:
        return True
    # Kubernetes stores when the grace period is over, not when the deletion was asked for.
    deleted = due - timedelta(seconds=pod.metadata.deletion_grace_period_seconds or 0)
    if ended.reason == "OOMKilled":
        return ended.finished_at > deleted
    if ended.exit_code in _BY_SIGNAL:
        return ended.finished_at >= deleted - _CLOCK_SKEW
    if job.spec.stop or ending(job) is not None:
        return ended.finished_at >= deleted
    return ended.finished_at > deleted
