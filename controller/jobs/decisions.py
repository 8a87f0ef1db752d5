"""The parts that decisions about a job are made of. Pure."""

from datetime import datetime

from controller.jobs import conditions, statuses
from controller.jobs.model import Decision, DeletePod, DeleteSecrets, Observed, SetStatus
from controller.reason import Reason
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus
from krkn_grpc.resources.pod import Pod

NOTHING = Decision()

# The end of the read wakes the job before.
_READ = 5.0


def never_started(seen: Observed, job: ChaosJob, why: Reason) -> Decision:
    """End a job of which no pod can have run."""
    # If this write loses against another leader's, that leader's pod needs the Secrets.
    return end(job, statuses.without_pod(job, why, seen.now))


def remove(pod: Pod) -> Decision:
    """Delete a pod that no job needs, unless it is being deleted already."""
    return NOTHING if pod.metadata.deletion_timestamp is not None else Decision((DeletePod(pod),))


def end(job: ChaosJob, status: ChaosJobStatus) -> Decision:
    """Write the final status, and then delete the Secrets."""
    # The outcome first: a forbidden deletion of a Secret must not keep it from being written.
    return Decision((SetStatus(job, status), DeleteSecrets(job)))


def ended(seen: Observed, job: ChaosJob, pod: Pod) -> Decision:
    """End a job whose pod has ended, with what its log says: there is one final status."""
    result = None if seen.log is None else seen.log.result
    return after_log(seen, job, statuses.of_pod(job, pod, seen.now, result))


def after_log(seen: Observed, job: ChaosJob, status: ChaosJobStatus) -> Decision:
    """End a job whose log has been read and kept, or about which it is said why it was not."""
    if seen.log is None:
        return Decision(again_in=_READ)
    if status.start_time is not None and seen.log.why_not_kept is not None:
        status = statuses.without_log(job, status, seen.log.why_not_kept, seen.now)
    return end(job, status)


def end_pod(seen: Observed, job: ChaosJob, delete: DeletePod, why: Reason) -> Decision:
    """Write the reason into the status first; delete the pod in the next reconcile."""
    if conditions.ending(job) is None:
        return Decision((SetStatus(job, statuses.ending(job, why, seen.now)),))
    return Decision((delete,))


def after(decision: Decision, job: ChaosJob, why: Reason) -> Decision:
    """Add to the decision a status that says what the job waits for."""
    return reported(decision, job, statuses.waiting(job, why))


def reported(decision: Decision, job: ChaosJob, status: ChaosJobStatus) -> Decision:
    """Add the status to the decision if it differs from the current one."""
    if status == job.status:
        return decision
    return Decision((*decision.actions, SetStatus(job, status)), decision.again_in)


def seconds_until(moment: datetime, now: datetime) -> float:
    """Return the seconds until the moment, at least a tenth."""
    return max((moment - now).total_seconds(), 0.1)
