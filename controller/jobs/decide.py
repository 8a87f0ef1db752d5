"""Says what one job needs now. Pure: the same input always gives the same answer.

    Pending --- CreatePod ---> gated pod --- SetStatus(podUID) ---> Ungate ---> Running
       |                          |                                   |            |
       +--- refused, stopped, too late: the pod goes first, then -----+------------+
       v                                                              v            v
    Failed | Stopped                                     Succeeded | Failed | Stopped

At most one start: a pod is made with a gate and a finalizer. The status names its uid, once, in
a write that is refused when the job changed meanwhile. Only that pod is ever ungated, and when a
uid is written no pod is made again. A final status is written when the pod can run no more.
"""

from datetime import datetime, timedelta

import msgspec

from controller.jobs import outcome
from controller.jobs.model import (
    CreatePod,
    Decision,
    DeleteJob,
    DeletePod,
    DeleteSecrets,
    Observed,
    Refusal,
    ReleaseJob,
    ReleasePod,
    SetStatus,
    Ungate,
    is_as_requested,
)
from krkn_grpc.resources import labels
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.names import pod_for
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import ADMITTED

_NOT_YET = 2.0

# The node alternates between the two; one word for both saves a write at every change.
_PULL_REASONS = {"ImagePullBackOff": "ErrImagePull"}
_WAITING = {
    "ErrImagePull": "The image could not be pulled.",
    "InvalidImageName": "The image's name is not valid.",
    "CreateContainerConfigError": "The container's configuration could not be made.",
}

# The node enforces timeoutSeconds itself; the controller only when the node does not.
_NODE_FIRST = timedelta(seconds=5)


def decide(seen: Observed) -> Decision:
    """Return what to do about a job now and when to look again."""
    job = seen.job
    if job is None or job.metadata.deletion_timestamp is not None:
        return _without_job(seen)
    if job.status.is_final:
        return _finished(seen, job)
    if not job.status.pod_uid:
        return _not_started(seen, job)
    if seen.pod is None or seen.pod.metadata.uid != job.status.pod_uid:
        return _pod_gone(seen, job)
    return _with_pod(seen, job, seen.pod)


def _without_job(seen: Observed) -> Decision:
    """A pod whose job was deleted gets its grace period and goes."""
    if seen.pod is not None:
        return _remove(seen.pod)
    if seen.job is not None and labels.REQUEST_FINALIZER in seen.job.metadata.finalizers:
        return Decision((ReleaseJob(seen.job),))
    return Decision()


def _finished(seen: Observed, job: ChaosJob) -> Decision:
    pod = seen.pod
    if pod is not None and pod.metadata.uid != job.status.pod_uid:
        # Made by a write that was thought lost, or by a leader that had been asleep.
        return _remove(pod) if _is_ours(pod, job) else Decision()
    if pod is not None and labels.FINALIZER in pod.metadata.finalizers:
        return Decision((ReleasePod(pod),))
    kept_for = job.spec.ttl_seconds_after_finished
    if kept_for is None or job.status.completion_time is None:
        return Decision()
    left = (job.status.completion_time + timedelta(seconds=kept_for) - seen.now).total_seconds()
    return Decision((DeleteJob(job),)) if left <= 0 else Decision(again_in=left)


def _not_started(seen: Observed, job: ChaosJob) -> Decision:
    """No pod of this job can have run: none was ever named in its status."""
    if (refusal := _start_refusal(seen, job)) is not None or job.spec.stop:
        refusal = refusal or Refusal("StopRequested", "")
        return Decision(
            (_end(job, outcome.without_pod(job, refusal, seen.now)), DeleteSecrets(job))
        )
    pod = seen.pod
    if pod is None:
        if isinstance(seen.credential, Refusal):
            status = outcome.without_pod(job, seen.credential, seen.now)
            return Decision((_end(job, status), DeleteSecrets(job)))
        if seen.credential is None:
            return Decision(again_in=_NOT_YET)
        return Decision((CreatePod(job, seen.credential),))
    if not _is_ours(pod, job) or not pod.is_gated:
        taken = Refusal(
            "NameTaken", f"A pod named {pod.metadata.name} exists and is not the job's."
        )
        return Decision((_end(job, outcome.without_pod(job, taken, seen.now)), DeleteSecrets(job)))
    if pod.metadata.deletion_timestamp is not None:
        return Decision((ReleasePod(pod),))
    status = msgspec.structs.replace(
        job.status,
        pod_uid=pod.metadata.uid,
        pod_name=pod.metadata.name,
        observed_generation=job.metadata.generation,
    )
    return Decision((SetStatus(job, status),))


def _pod_gone(seen: Observed, job: ChaosJob) -> Decision:
    """The pod was named and is no more; what it did is not known, and it is never made again."""
    why = outcome.ending(job)
    why = why or Refusal("PodDeleted", "The pod is gone, and its exit code with it.")
    return Decision((DeleteSecrets(job), _end(job, outcome.without_pod(job, why, seen.now))))


def _with_pod(seen: Observed, job: ChaosJob, pod: Pod) -> Decision:
    if pod.is_terminal:
        return Decision((DeleteSecrets(job), _end(job, outcome.of_pod(job, pod, seen.now))))
    if pod.metadata.deletion_timestamp is not None:
        return _going(seen, job, pod)
    if job.spec.stop:
        return Decision((DeletePod(pod),))
    has_started = outcome.started_at(pod) is not None
    if not has_started and (refusal := _start_refusal(seen, job)) is not None:
        return _end_pod(seen, job, DeletePod(pod, only_as_seen=True), refusal)
    if pod.is_gated:
        return Decision((Ungate(pod),))
    if not has_started:
        left = _seconds_until(_start_deadline(seen, job), seen.now)
        return Decision(_reported(job, _pending(job, pod)), again_in=left)
    return _running(seen, job, pod)


def _running(seen: Observed, job: ChaosJob, pod: Pod) -> Decision:
    began = outcome.started_at(pod) or seen.now
    deadline = began + timedelta(seconds=job.spec.timeout_seconds) + _NODE_FIRST
    if seen.now >= deadline:
        late = Refusal(outcome.DEADLINE_EXCEEDED, outcome.ran_too_long(job))
        return _end_pod(seen, job, DeletePod(pod), late)
    status = msgspec.structs.replace(
        job.status,
        phase="Running",
        reason="Started",
        message="The scenario runs.",
        start_time=job.status.start_time or began,
        observed_generation=job.metadata.generation,
    )
    return Decision(_reported(job, status), again_in=_seconds_until(deadline, seen.now))


def _going(seen: Observed, job: ChaosJob, pod: Pod) -> Decision:
    """The pod is being deleted: it is waited for, unless nothing of it can ever have run."""
    if not pod.is_bound:
        return Decision((ReleasePod(pod),))
    due = pod.metadata.deletion_timestamp or seen.now
    lost = due + timedelta(seconds=seen.limits.node_seconds)
    if seen.now < lost:
        return Decision(again_in=_seconds_until(lost, seen.now))
    until = (outcome.started_at(pod) or due) + timedelta(seconds=job.spec.timeout_seconds)
    why = Refusal(
        "NodeLost",
        f"Node {pod.spec.node_name} does not answer; the scenario may run there until "
        f"{until:%Y-%m-%dT%H:%M:%SZ}.",
    )
    return Decision((DeleteSecrets(job), _end(job, outcome.failed(job, why, seen.now))))


def _start_refusal(seen: Observed, job: ChaosJob) -> Refusal | None:
    """Return the first reason why the job must not start any more."""
    target = seen.target
    if target is None or target.metadata.deletion_timestamp is not None:
        return Refusal("TargetDeleted", "The target was deleted before the scenario started.")
    if not is_as_requested(target, job):
        return Refusal("TargetChanged", "The target is not what it was when the run was asked for.")
    admitted = find_condition(target.status.conditions, ADMITTED)
    if target.was_refused and admitted is not None:
        return Refusal(admitted.reason, admitted.message)
    if seen.now >= _start_deadline(seen, job):
        cause = _waiting_for(seen.pod)
        late = f"The scenario did not start within {seen.limits.start_seconds} seconds."
        reason = cause.reason or outcome.START_DEADLINE_EXCEEDED
        return Refusal(reason, f"{late} {cause.message}".rstrip())
    return None


def _pending(job: ChaosJob, pod: Pod) -> ChaosJobStatus:
    waiting = _waiting_for(pod)
    return msgspec.structs.replace(
        job.status,
        reason=waiting.reason,
        message=waiting.message,
        observed_generation=job.metadata.generation,
    )


def _waiting_for(pod: Pod | None) -> Refusal:
    """Return why a pod does not run yet, in Kubernetes' own word; empty when there is no news."""
    if pod is None:
        return Refusal("", "")
    waiting = outcome.container_state(pod).waiting
    if waiting is not None and waiting.reason not in ("", "ContainerCreating", "PodInitializing"):
        reason = _PULL_REASONS.get(waiting.reason, waiting.reason)
        return Refusal(reason, _WAITING.get(reason, "The container could not be started."))
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.reason == "Unschedulable":
            return Refusal("Unschedulable", "No node could take the pod.")
    return Refusal("", "")


def _remove(pod: Pod) -> Decision:
    """Delete a pod that nobody asks for; it goes when it is terminal or can never have run."""
    if pod.metadata.deletion_timestamp is None:
        return Decision((DeletePod(pod),))
    is_over = pod.is_terminal or not pod.is_bound
    if is_over and labels.FINALIZER in pod.metadata.finalizers:
        return Decision((ReleasePod(pod),))
    return Decision()


def _is_ours(pod: Pod, job: ChaosJob) -> bool:
    return pod.metadata.name == pod_for(job.metadata.name) and pod.metadata.is_owned_by(
        job.metadata.uid
    )


def _end_pod(seen: Observed, job: ChaosJob, delete: DeletePod, why: Refusal) -> Decision:
    """Delete the pod in the turn after the one that wrote down why."""
    if outcome.ending(job) is None:
        return Decision((SetStatus(job, outcome.with_ending(job, why, seen.now)),))
    return Decision((delete,))


def _reported(job: ChaosJob, status: ChaosJobStatus) -> tuple[SetStatus, ...]:
    """Write a status only when it says something new."""
    return () if status == job.status else (SetStatus(job, status),)


def _end(job: ChaosJob, status: ChaosJobStatus) -> SetStatus:
    return SetStatus(job, status)


def _start_deadline(seen: Observed, job: ChaosJob) -> datetime:
    created = job.metadata.creation_timestamp or seen.now
    return created + timedelta(seconds=seen.limits.start_seconds)


def _seconds_until(moment: datetime, now: datetime) -> float:
    return max((moment - now).total_seconds(), 0.1)
