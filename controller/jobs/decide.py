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

from controller.jobs import conditions, outcome, start, verdict
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
    RememberJob,
    SetStatus,
    Ungate,
    is_held,
    is_marked,
    is_of_predecessor,
    is_ours,
)
from krkn_grpc.resources import labels
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus
from krkn_grpc.resources.pod import Pod

_NOT_YET = 2.0
_NOTHING = Decision()

# The node enforces timeoutSeconds itself; the controller only when the node does not.
_NODE_FIRST = timedelta(seconds=5)

# A node reports the end of a container first and that of its pod when all is cleared away.
_SETTLES = timedelta(seconds=10)

# Longer than any write may be on its way, or clocks differ.
_ON_ITS_WAY = timedelta(minutes=2)

# How long others may keep a job from being told to run; moments are whole seconds.
_TOLD_WITHIN = timedelta(seconds=2)
_PUT_OFF = 0.5

_NAME_TAKEN = "NameTaken"
_GATE_REMOVED = Refusal("GateRemoved", "Someone else let the pod start before it was its turn.")
_NOT_ADMITTED = Refusal("TargetNotAdmitted", "The target is not admitted yet.")
_PREDECESSOR = Refusal("PodExists", "A pod of the same name still exists, and is going.")


def decide(seen: Observed) -> Decision:
    """Return what to do about a job now and when to look again."""
    job, pod = seen.job, seen.pod
    if job is None or job.metadata.deletion_timestamp is not None:
        return _without_job(seen)
    if job.status.is_final:
        return _finished(seen, job)
    if not job.status.pod_uid:
        return _not_named(seen, job)
    if pod is None or pod.metadata.uid != job.status.pod_uid:
        return _pod_gone(seen, job)
    return _named(seen, job, pod)


def _without_job(seen: Observed) -> Decision:
    """A pod whose job was deleted gets its grace period and goes; then the job may go."""
    job, pod = seen.job, seen.pod
    if pod is not None and (is_marked(pod) or (job is not None and is_ours(pod, job))):
        removal = _remove(seen, pod)
        if removal != _NOTHING:
            return removal
    if job is None:
        return _NOTHING
    if labels.REQUEST_FINALIZER not in job.metadata.finalizers:
        return Decision((DeleteSecrets(job),))
    free = _free_at(seen, job)
    if free is None or seen.now < free:
        return Decision((DeleteSecrets(job), RememberJob(job), ReleaseJob(job)))
    return Decision((DeleteSecrets(job), ReleaseJob(job)))


def _free_at(seen: Observed, job: ChaosJob) -> datetime | None:
    """Return when a job may go without a record of it: nobody can create it again any more.

    None for a job that was free from the start, and for one whose caller has an id to repeat it by.
    """
    if labels.REQUEST_FINALIZER not in job.metadata.finalizers or job.spec.request_id:
        return None
    created = job.metadata.creation_timestamp or seen.now
    return created + timedelta(seconds=seen.limits.write_seconds) + _ON_ITS_WAY


def _finished(seen: Observed, job: ChaosJob) -> Decision:
    pod = seen.pod
    if pod is not None:
        is_named = pod.metadata.uid == job.status.pod_uid
        if is_named and pod.is_terminal and pod.metadata.deletion_timestamp is None:
            if is_marked(pod):
                return Decision((ReleasePod(pod),))
        elif is_named or is_marked(pod) or is_ours(pod, job):
            # Made by a write that was thought lost, or by a leader that had been asleep.
            removal = _remove(seen, pod)
            if removal != _NOTHING:
                return removal
    return _kept(seen, job)


def _kept(seen: Observed, job: ChaosJob) -> Decision:
    """A finished job stays until its time to live is over."""
    over, free = _over_at(job), _free_at(seen, job)
    if over is not None and seen.now >= over:
        return Decision((DeleteJob(job),))
    if free is not None and seen.now >= free:
        # From now on no controller has to be there when it is deleted.
        return Decision((ReleaseJob(job),))
    left = [_seconds_until(moment, seen.now) for moment in (over, free) if moment is not None]
    return Decision(again_in=min(left, default=None))


def _over_at(job: ChaosJob) -> datetime | None:
    """Return when a finished job's time to live is over, None for never."""
    kept_for = job.spec.ttl_seconds_after_finished
    if kept_for is None or job.status.completion_time is None:
        return None
    return job.status.completion_time + timedelta(seconds=kept_for)


def _not_named(seen: Observed, job: ChaosJob) -> Decision:
    """No pod of this job can have run: none was ever named in its status."""
    pod = seen.pod
    if pod is not None and is_ours(pod, job) and not is_held(pod):
        return _gate_removed(seen, job, pod)
    if job.spec.stop:
        return _never_started(seen, job, Refusal(verdict.STOP_REQUESTED, ""))
    if (refusal := start.refusal(seen, job)) is not None:
        return _never_started(seen, job, refusal)
    if pod is None:
        return _make_pod(seen, job)
    if not is_ours(pod, job):
        if is_marked(pod):
            return _after(_remove(seen, pod), job, _PREDECESSOR)
        if pod.metadata.deletion_timestamp is not None or is_of_predecessor(pod, job):
            return _after(Decision(again_in=_NOT_YET), job, _PREDECESSOR)
        taken = f"A pod named {pod.metadata.name} exists and is not the job's."
        return _never_started(seen, job, Refusal(_NAME_TAKEN, taken))
    if pod.metadata.deletion_timestamp is not None:
        return Decision((ReleasePod(pod),))
    return Decision((SetStatus(job, outcome.named(job, pod)),))


def _make_pod(seen: Observed, job: ChaosJob) -> Decision:
    if isinstance(seen.credential, Refusal):
        return _never_started(seen, job, seen.credential)
    if seen.credential is None:
        return _after(Decision(again_in=_NOT_YET), job, _NOT_ADMITTED)
    return Decision((CreatePod(job, seen.credential),))


def _gate_removed(seen: Observed, job: ChaosJob, pod: Pod) -> Decision:
    """Someone ungated a pod that was not named: it may have run, so it is the only one."""
    if not job.spec.stop:
        status = outcome.named(
            job, pod, ending=conditions.with_ending(job, _GATE_REMOVED, seen.now)
        )
        return Decision((SetStatus(job, status),))
    # A job that is being stopped gets no pod: this one must have ended before the job does.
    if pod.is_terminal:
        return _never_started(seen, job, _GATE_REMOVED)
    return _remove(seen, pod)


def _never_started(seen: Observed, job: ChaosJob, why: Refusal) -> Decision:
    # The status first: it may lose against another leader, whose pod then needs the Secrets.
    status = outcome.without_pod(job, why, seen.now)
    return Decision((SetStatus(job, status), DeleteSecrets(job)))


def _pod_gone(seen: Observed, job: ChaosJob) -> Decision:
    """The pod was named and is no more; what it did is not known, and it is never made again."""
    why = conditions.ending(job)
    why = why or Refusal("PodDeleted", "The pod is gone, and its exit code with it.")
    return _end(job, outcome.without_pod(job, why, seen.now))


def _named(seen: Observed, job: ChaosJob, pod: Pod) -> Decision:
    if pod.is_terminal:
        return _end(job, outcome.of_pod(job, pod, seen.now))
    if pod.metadata.deletion_timestamp is not None:
        return _going(seen, job, pod)
    if job.spec.stop or conditions.ending(job) == _GATE_REMOVED:
        return Decision((DeletePod(pod),))
    has_started = job.status.start_time is not None or verdict.started_at(pod) is not None
    if not has_started and (refusal := start.refusal(seen, job)) is not None:
        return _end_pod(seen, job, DeletePod(pod, only_as_seen=True), refusal)
    if is_held(pod):
        return Decision((Ungate(pod),))
    if not has_started:
        left = _seconds_until(start.deadline(seen, job), seen.now)
        return _after(Decision(again_in=left), job, start.waiting_for(pod))
    return _running(seen, job, pod)


def _running(seen: Observed, job: ChaosJob, pod: Pod) -> Decision:
    began = verdict.started_at(pod) or job.status.start_time or seen.now
    deadline = began + timedelta(seconds=job.spec.timeout_seconds) + _NODE_FIRST
    settled = _settled_at(pod)
    if settled is not None and seen.now >= settled:
        # Something else runs on in the pod, as the proxy of a service mesh does.
        return Decision((DeletePod(pod),))
    if seen.now >= deadline:
        return _end_pod(seen, job, DeletePod(pod), verdict.ran_too_long(job))
    again = Decision(again_in=_seconds_until(min(settled or deadline, deadline), seen.now))
    is_told = job.status.start_time is not None
    if seen.is_crowded and not is_told and timedelta() <= seen.now - began < _TOLD_WITHIN:
        # Those that are still to be started go first.
        return Decision(again_in=_PUT_OFF)
    return _reported(again, job, outcome.running(job, began))


def _going(seen: Observed, job: ChaosJob, pod: Pod) -> Decision:
    """The pod is being deleted: it is waited for, unless nothing of it can ever have run."""
    if not pod.is_bound:
        return Decision((ReleasePod(pod),))
    lost = _lost_at(seen, pod)
    if seen.now < lost:
        return Decision(again_in=_seconds_until(lost, seen.now))
    why = verdict.node_lost(job, pod)
    return _end(job, outcome.failed(job, why, seen.now, verdict.started_at(pod)))


def _remove(seen: Observed, pod: Pod) -> Decision:
    """Delete a pod that nobody asks for; it goes when it is terminal or can never have run."""
    if pod.metadata.deletion_timestamp is None:
        return Decision((DeletePod(pod),))
    if not is_marked(pod):
        return _NOTHING
    lost = _lost_at(seen, pod)
    if pod.is_terminal or not pod.is_bound or seen.now >= lost:
        return Decision((ReleasePod(pod),))
    return Decision(again_in=_seconds_until(lost, seen.now))


def _end(job: ChaosJob, status: ChaosJobStatus) -> Decision:
    return Decision((DeleteSecrets(job), SetStatus(job, status)))


def _end_pod(seen: Observed, job: ChaosJob, delete: DeletePod, why: Refusal) -> Decision:
    """Delete the pod in the turn after the one that wrote down why."""
    if conditions.ending(job) is None:
        return Decision((SetStatus(job, outcome.ending(job, why, seen.now)),))
    return Decision((delete,))


def _after(decision: Decision, job: ChaosJob, why: Refusal) -> Decision:
    """Do what was decided, and let the status say what the job waits for."""
    return _reported(decision, job, outcome.waiting(job, why))


def _reported(decision: Decision, job: ChaosJob, status: ChaosJobStatus) -> Decision:
    """Add a status only when it says something new."""
    if status == job.status:
        return decision
    return Decision((*decision.actions, SetStatus(job, status)), decision.again_in)


def _settled_at(pod: Pod) -> datetime | None:
    """Return when a pod should have ended whose scenario has; None while that runs."""
    ended = verdict.container_state(pod).terminated
    return None if ended is None or ended.finished_at is None else ended.finished_at + _SETTLES


def _lost_at(seen: Observed, pod: Pod) -> datetime:
    due = pod.metadata.deletion_timestamp or seen.now
    return due + timedelta(seconds=seen.limits.node_seconds)


def _seconds_until(moment: datetime, now: datetime) -> float:
    return max((moment - now).total_seconds(), 0.1)
