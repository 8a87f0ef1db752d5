"""Derives a job's final phase and reason (a word and a sentence) from the end of its pod. Pure."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from controller.jobs.conditions import ending, started_since
from controller.reason import Reason
from krkn_grpc.resources.chaos_job import ChaosJob, Phase
from krkn_grpc.resources.names import CONTAINER
from krkn_grpc.resources.pod import Pod, TerminatedState

DEADLINE_EXCEEDED = "DeadlineExceeded"
STOP_REQUESTED = "StopRequested"

_KILLED = {
    "Evicted": Reason("Evicted", "The node evicted the pod."),
    "Preempting": Reason("Preempted", "The pod made room for another one."),
    "NodeShutdown": Reason("NodeShutdown", "The node was shut down."),
    "Terminated": Reason("NodeShutdown", "The node was shut down."),
}
# Why Kubernetes itself deleted a pod: the reasons of its condition DisruptionTarget.
_DISRUPTED = {
    "EvictionByEvictionAPI": Reason("Evicted", "The pod was evicted, as when a node is drained."),
    "DeletionByTaintManager": Reason("Evicted", "The pod had to leave its tainted node."),
    "PreemptionByScheduler": Reason("Preempted", "The pod made room for another one."),
}
# The container never ran: its exit code is not the scenario's.
_NOT_RUN = ("StartError", "ContainerCannotRun", "CreateContainerError", "RunContainerError")

# The end was not observed, as after a node's reboot. The kubelet reports the first (137),
# containerd the second (255); CRI-O reports Error, with -1 or with an end before 1970.
_LOST_TRACK = ("ContainerStatusUnknown", "Unknown")
_UNKNOWN = Reason(
    "ContainerStatusUnknown", "Nobody knows how the scenario ended: its node lost it."
)
_EXIT_CODES = range(256)

_BY_SIGNAL = (137, 143)
# What krkn says by its exit code. A shell says by others that it ran no program, or that a signal
# ended the one it ran.
_SAID = {
    1: Reason("ScenarioFailed", "that the scenario failed"),
    2: Reason("CriticalAlerts", "that alerts fire"),
    255: Reason(
        "ConfigurationError",
        "that its configuration is wrong, or that it does not reach what it needs",
    ),
}
_HEALTH_CHECK = Reason("HealthCheckFailed", "that a health check failed")
_HEALTH_CHECKS = range(3, 255)
_NOT_KRKNS = frozenset({126, 127, *range(129, 160)})
# Difference up to which a node's clock is trusted against the API server's.
_CLOCK_SKEW = timedelta(seconds=5)


class Termination(NamedTuple):
    """How a job ended."""

    phase: Phase
    why: Reason


def started_at(pod: Pod) -> datetime | None:
    """Return when the scenario's container started, None when it has not."""
    state = pod.container_state(CONTAINER)
    began = state.running or state.terminated
    return None if began is None else _real(began.started_at)


def ended_at(pod: Pod) -> datetime | None:
    """Return when the scenario's container ended, None when it has not or that is not known."""
    ended = pod.container_state(CONTAINER).terminated
    return None if ended is None else _real(ended.finished_at)


def ran_for(pod: Pod) -> timedelta:
    """Return how long the scenario ran, by its node's clock; zero while it runs or if unknown."""
    began, ended = started_at(pod), ended_at(pod)
    return timedelta() if began is None or ended is None else max(ended - began, timedelta())


def exit_code(pod: Pod) -> int | None:
    """Return the scenario's own exit code, None when it has none or it is not known."""
    ended = pod.container_state(CONTAINER).terminated
    if ended is None or ended.reason in _NOT_RUN or _is_unknown(ended):
        return None
    return ended.exit_code


def has_log(job: ChaosJob, pod: Pod) -> bool:
    """Whether the scenario may have printed something."""
    has_run = started_at(pod) is not None or job.status.start_time is not None
    return pod.is_bound and has_run


def of_pod(job: ChaosJob, pod: Pod) -> Termination:
    """Return how a job ended whose pod is terminal."""
    ended = pod.container_state(CONTAINER).terminated
    if _was_deleted_first(job, pod, ended):
        if job.is_being_stopped and (why := ending(job)) is not None:
            return Termination("Stopped", why)
        if job.spec.stop:
            return Termination("Stopped", Reason(STOP_REQUESTED, "The scenario was stopped."))
        if (why := ending(job)) is not None:
            return Termination("Failed", why)
    if _is_on_lost_node(pod):
        return Termination("Failed", node_lost(job, pod))
    if (killed := _kill(job, pod, ended)) is not None:
        return Termination("Failed", killed)
    # Other containers of the pod may have been killed: that is not a failure of the scenario.
    if pod.status.phase == "Succeeded" or exit_code(pod) == 0:
        done = Reason("Completed", "The scenario ended with exit code 0.")
        return Termination("Succeeded", done)
    return Termination("Failed", _failure(pod, ended))


def node_lost(job: ChaosJob, pod: Pod) -> Reason:
    """Return the reason for a job that a lost node may still run: names the node and the end."""
    due = pod.metadata.deletion_timestamp
    began = started_at(pod) or pod.status.start_time or due
    until = "nobody knows when"
    if began is not None:
        # The node ends the pod by itself then, even if it is unreachable.
        grace = pod.spec.termination_grace_period_seconds or 0
        last = began + timedelta(seconds=job.spec.timeout_seconds + grace)
        until = f"{last.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    node = pod.spec.node_name
    message = f"Node {node} does not answer; the scenario may run there until {until}."
    return Reason("NodeLost", message)


def ran_too_long(job: ChaosJob) -> Reason:
    """Return the reason for a job that exceeded its time limit."""
    message = f"The scenario ran longer than {job.spec.timeout_seconds} seconds."
    return Reason(DEADLINE_EXCEEDED, message)


def _kill(job: ChaosJob, pod: Pod, ended: TerminatedState | None) -> Reason | None:
    """Return why Kubernetes or a person ended the pod, None when it ended by itself."""
    if pod.status.reason == DEADLINE_EXCEEDED:
        if started_at(pod) is not None:
            return ran_too_long(job)
        limit = job.spec.timeout_seconds
        late = f"The scenario did not start within its {limit} seconds. {job.status.message}"
        return Reason(job.status.reason or DEADLINE_EXCEEDED, late.rstrip())
    if pod.status.reason in _KILLED:
        return _KILLED[pod.status.reason]
    if _was_deleted_first(job, pod, ended):
        deleted = Reason("PodDeleted", "Someone deleted the pod before the scenario ended.")
        return _DISRUPTED.get(_disruption(pod), deleted)
    return None


def _failure(pod: Pod, ended: TerminatedState | None) -> Reason:
    if started_at(pod) is None and (first := _failed_init(pod)) is not None:
        return first
    if ended is None:
        return Reason(pod.status.reason or "Unknown", "The pod failed and left no exit code.")
    if ended.reason == "OOMKilled":
        return Reason("OOMKilled", "The scenario used more memory than it may.")
    if ended.reason in _NOT_RUN:
        return Reason(ended.reason, "The container could not be started.")
    if _is_unknown(ended):
        return _UNKNOWN
    return _by_exit_code(ended.exit_code)


def _by_exit_code(code: int) -> Reason:
    told = f"The scenario ended with exit code {code}"
    said = _SAID.get(code)
    if said is None and code in _HEALTH_CHECKS and code not in _NOT_KRKNS:
        said = _HEALTH_CHECK
    if said is None:
        return Reason("NonZeroExit", f"{told}.")
    return Reason(said.reason, f"{told}, by which krkn says {said.message}.")


def _failed_init(pod: Pod) -> Reason | None:
    """Return why the scenario never ran: an injected init container failed. None if none did."""
    for container in pod.status.init_container_statuses:
        ended = container.state.terminated
        if ended is None or ended.exit_code == 0:
            continue
        how = "and nobody knows how" if _is_unknown(ended) else f"with exit code {ended.exit_code}"
        message = f"Init container {container.name} ended {how}; the scenario never ran."
        return Reason("InitContainerFailed", message)
    return None


def _is_unknown(ended: TerminatedState) -> bool:
    """Whether the exit code is made up, because the end of the container was not observed."""
    if ended.reason in _LOST_TRACK or ended.exit_code not in _EXIT_CODES:
        return True
    # A success is never made up.
    return ended.exit_code != 0 and _real(ended.finished_at) is None


def _real(moment: datetime | None) -> datetime | None:
    """Return a node's timestamp; None for a placeholder.

    Kubernetes and runtimes write 1970 or an earlier year when they have no time.
    """
    return None if moment is None or moment.year <= 1970 else moment


def _is_on_lost_node(pod: Pod) -> bool:
    """Whether another component than its node marked the pod failed; the node may still run it."""
    given_up = pod.status.reason == "NodeLost" or _disruption(pod) == "DeletionByPodGC"
    return given_up and pod.is_bound and pod.container_state(CONTAINER).terminated is None


def _disruption(pod: Pod) -> str:
    for condition in pod.status.conditions:
        if condition.type == "DisruptionTarget" and condition.status == "True":
            return condition.reason
    return ""


def _was_deleted_first(job: ChaosJob, pod: Pod, ended: TerminatedState | None) -> bool:
    """Whether the pod was deleted before the scenario ended by itself.

    Both times are whole seconds. Within the same second, an end by a signal counts as caused by
    the deletion, and so does any other end that the controller requested: a process may exit
    within milliseconds of SIGTERM, with any exit code.
    """
    due = pod.metadata.deletion_timestamp
    if due is None:
        return False
    finished = _finished(job, pod)
    if ended is None or finished is None:
        return True
    # Kubernetes stores when the grace period is over, not when the deletion was asked for.
    deleted = due - timedelta(seconds=pod.metadata.deletion_grace_period_seconds or 0)
    if ended.reason == "OOMKilled":
        return finished > deleted
    if ended.exit_code in _BY_SIGNAL:
        return finished >= deleted - _CLOCK_SKEW
    if job.spec.stop or ending(job) is not None:
        return finished >= deleted
    return finished > deleted


def _finished(job: ChaosJob, pod: Pod) -> datetime | None:
    """Return when the scenario ended, by the API server's clock as far as that can be known.

    The node's time is used, unless by it the scenario began before the pod was created, or after
    it was seen to run. Then the duration by the node's clock is added to that moment.
    """
    began, ended = started_at(pod), ended_at(pod)
    made, seen = pod.metadata.creation_timestamp, started_since(job)
    if began is None or ended is None:
        return ended
    if made is not None and began < made - _CLOCK_SKEW:
        return (seen or made) + ran_for(pod)
    if seen is not None and began > seen + _CLOCK_SKEW:
        return seen + ran_for(pod)
    return ended
