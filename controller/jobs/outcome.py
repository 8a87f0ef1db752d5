"""What the end of a pod means for its job."""

from datetime import datetime, timedelta

import msgspec

from controller.jobs.model import Refusal
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus, Phase
from krkn_grpc.resources.meta import Condition, find_condition, with_condition
from krkn_grpc.resources.names import CONTAINER
from krkn_grpc.resources.pod import ContainerState, Pod, TerminatedState

DEADLINE_EXCEEDED = "DeadlineExceeded"
START_DEADLINE_EXCEEDED = "StartDeadlineExceeded"

# Why the controller ends the pod: written before the pod is deleted, it outlives the pod and
# stands over what the pod itself says.
ENDING = "Ending"

_KILLED = {
    "Evicted": "The node evicted the pod.",
    "Preempting": "The pod made room for another one.",
    "NodeShutdown": "The node was shut down.",
    "Terminated": "The node was shut down.",
    "NodeLost": "The node was lost.",
}


def container_state(pod: Pod) -> ContainerState:
    """Return the state of the scenario's container; empty while there is none."""
    for container in pod.status.container_statuses:
        if container.name == CONTAINER:
            return container.state
    return ContainerState()


def started_at(pod: Pod) -> datetime | None:
    """Return when the scenario's container started, None when it has not."""
    state = container_state(pod)
    if state.running is not None:
        return state.running.started_at
    return state.terminated.started_at if state.terminated is not None else None


def of_pod(job: ChaosJob, pod: Pod, now: datetime) -> ChaosJobStatus:
    """Return the final status of a job whose pod is terminal."""
    ended = container_state(pod).terminated
    phase, reason, message = _verdict(job, pod, ended)
    return _final(
        job,
        phase,
        Refusal(reason, message),
        now=(ended.finished_at if ended is not None else None) or now,
        exit_code=ended.exit_code if ended is not None else None,
        start_time=started_at(pod),
    )


def without_pod(job: ChaosJob, why: Refusal, now: datetime) -> ChaosJobStatus:
    """Return the final status of a job that has no pod to tell how it ended."""
    if job.spec.stop:
        before = "before" if job.status.start_time is None else "after"
        stopped = Refusal("StopRequested", f"The scenario was stopped {before} it started.")
        return _final(job, "Stopped", stopped, now=now)
    return failed(job, why, now)


def failed(job: ChaosJob, why: Refusal, now: datetime) -> ChaosJobStatus:
    """Return the final status of a job that failed for this reason and left no exit code."""
    return _final(job, "Failed", why, now=now)


def _final(
    job: ChaosJob,
    phase: Phase,
    why: Refusal,
    *,
    now: datetime,
    exit_code: int | None = None,
    start_time: datetime | None = None,
) -> ChaosJobStatus:
    return msgspec.structs.replace(
        job.status,
        phase=phase,
        reason=why.reason,
        message=why.message,
        exit_code=exit_code,
        start_time=job.status.start_time or start_time,
        completion_time=now,
        observed_generation=job.metadata.generation,
    )


def _verdict(job: ChaosJob, pod: Pod, ended: TerminatedState | None) -> tuple[Phase, str, str]:
    if job.spec.stop and _was_deleted_first(pod, ended):
        return "Stopped", "StopRequested", "The scenario was stopped."
    if (why := ending(job)) is not None:
        return "Failed", why.reason, why.message
    if pod.status.reason == DEADLINE_EXCEEDED:
        return "Failed", DEADLINE_EXCEEDED, ran_too_long(job)
    if pod.status.reason in _KILLED:
        return "Failed", pod.status.reason, _KILLED[pod.status.reason]
    if _was_deleted_first(pod, ended):
        return "Failed", "PodDeleted", "The pod was deleted while the scenario ran."
    if pod.status.phase == "Succeeded":
        return "Succeeded", "Completed", "The scenario ended with exit code 0."
    if ended is None:
        return "Failed", pod.status.reason or "Unknown", "The pod failed and left no exit code."
    if ended.reason == "OOMKilled":
        return "Failed", "OOMKilled", "The scenario used more memory than it may."
    return "Failed", "NonZeroExit", f"The scenario ended with exit code {ended.exit_code}."


def ending(job: ChaosJob) -> Refusal | None:
    """Return why the controller ends the job's pod, None when it does not."""
    condition = find_condition(job.status.conditions, ENDING)
    return None if condition is None else Refusal(condition.reason, condition.message)


def with_ending(job: ChaosJob, why: Refusal, now: datetime) -> ChaosJobStatus:
    """Return the status that says why the controller is about to end the job's pod."""
    condition = Condition(
        type=ENDING,
        status="True",
        reason=why.reason,
        message=why.message,
        last_transition_time=now,
        observed_generation=job.metadata.generation,
    )
    return msgspec.structs.replace(
        job.status,
        reason=why.reason,
        message=why.message,
        conditions=with_condition(job.status.conditions, condition),
    )


def ran_too_long(job: ChaosJob) -> str:
    """Return the sentence for a job whose time is over."""
    return f"The scenario ran longer than {job.spec.timeout_seconds} seconds."


def _was_deleted_first(pod: Pod, ended: TerminatedState | None) -> bool:
    """Whether someone deleted the pod before the scenario came to its own end."""
    due = pod.metadata.deletion_timestamp
    if due is None:
        return False
    if ended is None or ended.finished_at is None:
        return True
    # Kubernetes stores when the grace period is over, not when the deletion was asked for.
    grace = timedelta(seconds=pod.metadata.deletion_grace_period_seconds or 0)
    return ended.finished_at >= due - grace
