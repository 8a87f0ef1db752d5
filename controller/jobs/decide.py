"""Decides the next actions for one job. Pure: the same input always gives the same answer.

    Pending --- Claim, CreatePod ---> gated pod --- SetStatus(podUID) ---> Ungate ---> Running
       |                                 |                                   |            |
       +-- refused, stopped, halted, too late: the pod goes first, then -----+------------+
       v                                                                     v            v
    Failed | Stopped                                            Succeeded | Failed | Stopped

At most one start: the job's id is claimed for its uid, permanently. Its pod is created with a
scheduling gate. The status names the pod's uid, once, in a write that is refused when the job
changed meanwhile. Only that pod is ever ungated, and once a uid is written no pod is created
again. A final status is written when the pod can no longer run. There are no finalizers.

A halt is obeyed before each of these steps, and nothing starts while it is not known which there
are. It only ends jobs: nothing here depends on a halt that is gone. In a blackout a job waits
before CreatePod, before its pod is named, or before Ungate.
"""

from dataclasses import replace
from datetime import timedelta

from controller.jobs import conditions, deadlines, preconditions, statuses, termination, waits
from controller.jobs.decisions import (
    NOTHING,
    after,
    after_log,
    end,
    end_pod,
    ended,
    never_started,
    remove,
    reported,
    seconds_until,
)
from controller.jobs.model import (
    Claim,
    CreatePod,
    Decision,
    DeleteJob,
    DeletePod,
    DeleteSecrets,
    Depart,
    Observed,
    RequestCredential,
    SetStatus,
    Ungate,
    is_held,
    is_of_some_job,
    is_ours,
)
from controller.reason import Reason
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.pod import Pod

_NOT_YET = 2.0
# The run of a job may be told only every two seconds what became of it.
_COUNTED = 10.0

# How long the status Running may be put off while other jobs start; times are whole seconds.
_TOLD_WITHIN = timedelta(seconds=2)
_PUT_OFF = 0.5

_NAME_TAKEN = "NameTaken"
_GATE_REMOVED = Reason("GateRemoved", "Someone else let the pod start before it was its turn.")
_NOT_ADMITTED = Reason("TargetNotAdmitted", "The target is not admitted yet.")
_REFRESHING = Reason(
    "RefreshingCredential", "The target's provider is asked for a newer credential."
)
_PREDECESSOR = Reason("PodExists", "A pod of the same name still exists, and is going.")


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
    """Delete the pod of a deleted job, with its grace period, and then the job's Secrets."""
    job, pod = seen.job, seen.pod
    if pod is not None and is_of_some_job(pod, seen.job_id):
        return remove(pod)
    # A foreign finalizer may keep a deleted job; without one, the garbage collector deletes the
    # objects that it owned.
    return NOTHING if job is None else Decision((DeleteSecrets(job),))


def _finished(seen: Observed, job: ChaosJob) -> Decision:
    pod = seen.pod
    if pod is not None and is_of_some_job(pod, seen.job_id):
        is_kept = pod.metadata.uid == job.status.pod_uid and pod.is_terminal
        # Else created by a write that was thought lost, or by a leader that had been frozen.
        if not is_kept and (removal := remove(pod)) != NOTHING:
            return removal
    over = deadlines.kept_until(job)
    if over is None:
        return NOTHING
    if seen.now >= over:
        # The write of the run's status looks at this job again.
        is_counted = seen.run is None or seen.run.is_departed
        action = DeleteJob(job) if is_counted else Depart(job)
        return Decision((action,), None if is_counted else _COUNTED)
    return Decision(again_in=seconds_until(over, seen.now))


def _not_named(seen: Observed, job: ChaosJob) -> Decision:
    """No pod of this job can have run: its status never named one."""
    if not seen.is_claimed:
        return Decision((Claim(job),))
    pod = seen.pod
    if pod is not None and is_ours(pod, job) and not is_held(pod):
        return _gate_removed(seen, job, pod)
    if job.spec.stop:
        return never_started(seen, job, Reason(termination.STOP_REQUESTED, ""))
    if (held := _held_back(seen, job)) is not None:
        return held
    decision = _towards_a_pod(seen, job)
    if conditions.is_queued(job) and not decision.leads_to_a_pod:
        # From now on the start deadline counts: what hinders the start must not hold the turn.
        return Decision((SetStatus(job, statuses.turn_came(job, seen.now)),))
    return decision


def _towards_a_pod(seen: Observed, job: ChaosJob) -> Decision:
    """Make the pod of a job whose turn it is, or name the one that was made."""
    if (pod := seen.pod) is None:
        return _make_pod(seen, job)
    if pod.metadata.deletion_timestamp is not None:
        return after(Decision(again_in=_NOT_YET), job, _PREDECESSOR)
    if not is_ours(pod, job):
        if is_of_some_job(pod, seen.job_id):
            return after(remove(pod), job, _PREDECESSOR)
        taken = f"A pod named {pod.metadata.name} exists and is not the job's."
        return never_started(seen, job, Reason(_NAME_TAKEN, taken))
    return Decision((SetStatus(job, statuses.named(job, pod, seen.now)),))


def _held_back(seen: Observed, job: ChaosJob) -> Decision | None:
    """Return what to do with a job that must not start any more, or not yet."""
    run = seen.run
    if (halt := preconditions.halt(seen)) is not None:
        return end(job, statuses.stopped(job, halt, seen.now))
    if run is not None and run.end is not None:
        return _run_ended(seen, job, run.end)
    if (refusal := preconditions.refusal(seen, job)) is not None:
        return never_started(seen, job, refusal)
    wait = waits.of(seen, job)
    return None if wait is None else _wait(seen, job, wait)


def _run_ended(seen: Observed, job: ChaosJob, why: Reason) -> Decision:
    """The run of a job that has not started lets no job start any more, or is not there."""
    if seen.run is not None and seen.run.fails:
        return never_started(seen, job, why)
    return end(job, statuses.stopped(job, why, seen.now))


def _wait(seen: Observed, job: ChaosJob, wait: waits.Wait) -> Decision:
    if wait.why.reason == waits.TARGET_BUSY and job.spec.on_busy == "Refuse":
        return never_started(seen, job, wait.why)
    # The end of another job or of the blackout wakes this one.
    over = deadlines.queue(job, seen.now)
    again = Decision(again_in=seconds_until(min(over, wait.look_at or over), seen.now))
    told = reported(again, job, statuses.queued(job, wait.why, seen.now))
    pod = seen.pod
    is_spare = pod is not None and is_ours(pod, job) and not job.status.pod_uid
    if is_spare and pod is not None and wait.is_long and told is again:
        # Its turn may come tomorrow, and with other credentials. No other leader can name it now.
        is_going = pod.metadata.deletion_timestamp is not None
        return again if is_going else replace(again, actions=(DeletePod(pod, only_as_seen=True),))
    return told


def _make_pod(seen: Observed, job: ChaosJob) -> Decision:
    if seen.target is not None and (asked := preconditions.provider_to_ask(seen, seen.target)):
        request = RequestCredential(asked)
        waiting = after(Decision(again_in=_NOT_YET), job, _REFRESHING)
        # The status first: it is the cause if the request cannot be made.
        return replace(waiting, actions=(*waiting.actions, request))
    if isinstance(seen.credential, Reason):
        return never_started(seen, job, seen.credential)
    if seen.credential is None:
        return after(Decision(again_in=_NOT_YET), job, _NOT_ADMITTED)
    if seen.target is not None and (unproven := preconditions.unproven(seen.target)) is not None:
        return after(Decision(again_in=_NOT_YET), job, unproven)
    if seen.target is None or not seen.target.is_checked or seen.target.unfit is not None:
        # Only a probe of the target finds out whether its address may be contacted.
        return after(Decision(again_in=_NOT_YET), job, preconditions.NOT_CHECKED)
    if (unknown := preconditions.not_known(seen)) is not None:
        return after(Decision(again_in=_NOT_YET), job, unknown)
    return Decision((CreatePod(job, seen.credential),))


def _gate_removed(seen: Observed, job: ChaosJob, pod: Pod) -> Decision:
    """Someone ungated a pod that was not named: it may have run, so it is the only one."""
    if not job.spec.stop:
        why = preconditions.halt(seen) or _GATE_REMOVED
        status = statuses.named(
            job, pod, seen.now, ending=conditions.with_ending(job, why, seen.now)
        )
        return Decision((SetStatus(job, status),))
    # A job that is being stopped gets no pod: this one must have ended before the job does.
    if pod.is_terminal:
        return never_started(seen, job, _GATE_REMOVED)
    return remove(pod)


def _pod_gone(seen: Observed, job: ChaosJob) -> Decision:
    """The status names a pod that no longer exists; it is never created again."""
    stone = seen.tombstone
    if stone is not None and stone.pod.is_terminal:
        return ended(seen, job, stone.pod)
    if stone is not None and stone.pod.is_bound and seen.now < (over := deadlines.killed(stone)):
        # Deleted by force: the node is ending its containers, and nothing reports their end.
        return Decision(again_in=seconds_until(over, seen.now))
    why = conditions.ending(job)
    why = why or Reason("PodDeleted", "The pod is gone, and its exit code with it.")
    return after_log(seen, job, statuses.without_pod(job, why, seen.now))


def _named(seen: Observed, job: ChaosJob, pod: Pod) -> Decision:
    if pod.is_terminal:
        return ended(seen, job, pod)
    is_ending = job.spec.stop or job.is_being_stopped
    if not is_ending and (halt := preconditions.halt(seen)) is not None:
        # Before the pod is deleted: the job ends as halted, also if the halt is lifted meanwhile.
        return Decision((SetStatus(job, statuses.ending(job, halt, seen.now)),))
    has_started = job.status.start_time is not None or termination.started_at(pod) is not None
    if not is_ending and (why := _end_by_run(seen, has_started=has_started)) is not None:
        return Decision((SetStatus(job, statuses.ending(job, why, seen.now)),))
    if pod.metadata.deletion_timestamp is not None:
        return _going(seen, job, pod)
    if is_ending or conditions.ending(job) == _GATE_REMOVED:
        return Decision((DeletePod(pod),))
    is_free = not is_held(pod) and conditions.ending(job) is None
    if is_free and (stop := waits.stop(seen)) is not None:
        return Decision((SetStatus(job, statuses.ending(job, stop, seen.now)),))
    if not has_started and (refusal := preconditions.refusal(seen, job)) is not None:
        return end_pod(seen, job, DeletePod(pod, only_as_seen=True), refusal)
    if is_held(pod):
        if (wait := waits.of(seen, job)) is not None:
            return _wait(seen, job, wait)
        if (unknown := preconditions.not_known(seen)) is not None:
            return after(Decision(again_in=_NOT_YET), job, unknown)
        if conditions.is_queued(job):
            return Decision((SetStatus(job, statuses.turn_came(job, seen.now)),))
        return Decision((Ungate(pod),))
    if not has_started:
        left = seconds_until(deadlines.start(job, seen.limits, seen.now), seen.now)
        return after(Decision(again_in=left), job, preconditions.waiting_for(pod))
    return _running(seen, job, pod)


def _end_by_run(seen: Observed, *, has_started: bool) -> Reason | None:
    if seen.run is None:
        return None
    return seen.run.end_of(is_named=True, has_started=has_started)


def _running(seen: Observed, job: ChaosJob, pod: Pod) -> Decision:
    began = termination.started_at(pod) or job.status.start_time or seen.now
    deadline = deadlines.run(job, pod, seen.now)
    settled = deadlines.settled(job, pod, seen.now)
    if settled is not None and seen.now >= settled:
        # Another container keeps running in the pod, as the proxy of a service mesh does.
        return Decision((DeletePod(pod),))
    if seen.now >= deadline:
        return end_pod(seen, job, DeletePod(pod), termination.ran_too_long(job))
    again = Decision(again_in=seconds_until(min(settled or deadline, deadline), seen.now))
    is_told = job.status.start_time is not None
    told = reported(
        again, job, statuses.running(job, began, deadlines.seen_since(job, pod, seen.now))
    )
    if not is_told and timedelta() <= seen.now - began < _TOLD_WITHIN:
        return replace(told, may_wait=_PUT_OFF)
    return told


def _going(seen: Observed, job: ChaosJob, pod: Pod) -> Decision:
    """The pod is being deleted: wait until it ends or its node counts as lost, if it has one."""
    if not pod.is_bound:
        return _pod_gone(seen, job)
    lost = deadlines.lost(pod, seen.limits, seen.now)
    if seen.now < lost:
        return Decision(again_in=seconds_until(lost, seen.now))
    why = termination.node_lost(job, pod)
    status = statuses.failed(job, why, seen.now, termination.started_at(pod))
    return after_log(seen, job, status)
