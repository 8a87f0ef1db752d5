"""The deadlines at which the controller acts by itself, and their clocks. Pure.

`now` is the API server's time, as are creation and deletion timestamps. A node stamps the start
and the end of a container by its own clock. Times of the two clocks are never compared: of the
node's only the duration of the run is used; `seen_since` is by the API server's clock.
"""

from datetime import datetime, timedelta

from controller.jobs import conditions, termination
from controller.jobs.model import Limits, Tombstone
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.pod import Pod

# The node enforces timeoutSeconds itself; the controller does so only when the node does not.
_NODE_FIRST = timedelta(seconds=5)

# A node needs a moment to notice that a pod was deleted, and to kill containers that do not end.
_KILLED = timedelta(seconds=5)

# A node reports the end of a container first, and the end of its pod after the cleanup.
_SETTLES = timedelta(seconds=10)


def start(job: ChaosJob, limits: Limits, now: datetime) -> datetime:
    """Return the deadline for the start; after it the job never starts.

    While a job waits for its turn, only the time in the queue counts.
    """
    if conditions.is_queued(job):
        return queue(job, now)
    since = conditions.turn_since(job) or job.metadata.creation_timestamp or now
    return since + timedelta(seconds=limits.start_deadline_seconds)


def queue(job: ChaosJob, now: datetime) -> datetime:
    """Return when a job that waits for its turn has waited long enough."""
    return (job.metadata.creation_timestamp or now) + timedelta(seconds=job.spec.queue_seconds)


def seen_since(job: ChaosJob, pod: Pod | None, now: datetime) -> datetime:
    """Return when the scenario was first seen to run, never earlier than its real start.

    The status keeps it, so that a later controller counts from the same moment.
    """
    ran = timedelta() if pod is None else termination.ran_for(pod)
    return conditions.started_since(job) or now - ran


def run(job: ChaosJob, pod: Pod | None, now: datetime) -> datetime:
    """Return the deadline at which the controller ends a scenario that its node has not ended."""
    return seen_since(job, pod, now) + timedelta(seconds=job.spec.timeout_seconds) + _NODE_FIRST


def is_overdue(job: ChaosJob, pod: Pod | None, grace_seconds: float, now: datetime) -> bool:
    """Whether a job still runs though its timeout, or the end of its pod, is over with its grace.

    `grace_seconds` is that of pods; the deletion timestamp of a deleted one has it already.
    """
    if job.status.phase != "Running":
        return False
    due = run(job, pod, now) + timedelta(seconds=grace_seconds)
    if pod is not None and pod.metadata.deletion_timestamp is not None:
        due = min(due, pod.metadata.deletion_timestamp)
    return now > due + _SETTLES


def settled(job: ChaosJob, pod: Pod, now: datetime) -> datetime | None:
    """Return when the pod of an ended scenario should have ended; None while the scenario runs."""
    if termination.ended_at(pod) is None:
        return None
    return seen_since(job, pod, now) + termination.ran_for(pod) + _SETTLES


def killed(stone: Tombstone) -> datetime:
    """Return when the containers of a deleted pod have certainly ended."""
    grace = timedelta(seconds=stone.pod.spec.termination_grace_period_seconds or 0)
    asked = stone.pod.metadata.deletion_timestamp
    if asked is not None:
        asked -= timedelta(seconds=stone.pod.metadata.deletion_grace_period_seconds or 0)
    return (asked or stone.gone_at) + grace + _KILLED


def lost(pod: Pod, limits: Limits, now: datetime) -> datetime:
    """Return when the node of a pod that is being deleted counts as lost."""
    due = pod.metadata.deletion_timestamp or now
    return due + timedelta(seconds=limits.node_lost_seconds)


def kept_until(job: ChaosJob) -> datetime | None:
    """Return when a finished job's time to live ends, None for never."""
    kept_for = job.spec.ttl_seconds_after_finished
    finished = conditions.finished_since(job) or job.status.completion_time
    if kept_for is None or finished is None:
        return None
    return finished + timedelta(seconds=kept_for)


def next_of(job: ChaosJob, limits: Limits, now: datetime) -> datetime | None:
    """Return the job's next deadline for a reconcile, whatever failed before; None for none."""
    if job.status.is_final or job.metadata.deletion_timestamp is not None:
        return None
    if job.status.start_time is None:
        return start(job, limits, now)
    return run(job, None, now)
