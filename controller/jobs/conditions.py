"""The conditions of a job, for `kubectl wait --for=condition=...`. Pure."""

import re
from datetime import datetime
from typing import Literal

from controller.reason import Reason
from krkn_grpc.resources.bounds import bounded
from krkn_grpc.resources.chaos_job import ENDING, LOG_NOT_KEPT, ChaosJob
from krkn_grpc.resources.meta import Condition, find_condition, with_condition

STARTED = "Started"
FINISHED = "Finished"

# Whether the job waits for its turn; only of jobs that have waited.
QUEUED = "Queued"

_ITS_TURN = Reason("TurnCame", "")

# A node may report any text as the reason of a failure; a condition's reason allows less.
_NOT_IN_A_REASON = re.compile(r"[^A-Za-z]")


def ending(job: ChaosJob) -> Reason | None:
    """Return why the controller is ending the job's pod, None when it is not."""
    condition = find_condition(job.status.conditions, ENDING)
    return None if condition is None else Reason(condition.reason, condition.message)


def started_since(job: ChaosJob) -> datetime | None:
    """Return when the scenario was seen to run, by the API server's clock; None when it was not."""
    return _since(job, STARTED)


def finished_since(job: ChaosJob) -> datetime | None:
    """Return when the outcome was written, by the API server's clock; None when it was not."""
    return _since(job, FINISHED)


def is_queued(job: ChaosJob) -> bool:
    """Whether the job waits for its turn."""
    condition = find_condition(job.status.conditions, QUEUED)
    return condition is not None and condition.status == "True"


def turn_since(job: ChaosJob) -> datetime | None:
    """Return when the turn of a job came that had waited for it; None for any other job."""
    condition = find_condition(job.status.conditions, QUEUED)
    if condition is None or condition.status == "True":
        return None
    return condition.last_transition_time


def with_queue(job: ChaosJob, why: Reason, now: datetime) -> list[Condition]:
    """Return the conditions of a job that waits for its turn."""
    return _with(job, job.status.conditions, QUEUED, "True", why, now)


def with_turn(job: ChaosJob, now: datetime) -> list[Condition]:
    """Return the conditions of a job that has waited, and whose turn has come."""
    return _with(job, job.status.conditions, QUEUED, "False", _ITS_TURN, now)


def with_ending(job: ChaosJob, why: Reason, now: datetime) -> list[Condition]:
    """Return the conditions that say why the controller is about to end the job's pod."""
    return _with(job, job.status.conditions, ENDING, "True", why, now)


def with_start(job: ChaosJob, since: datetime) -> list[Condition]:
    """Return the conditions of a job whose scenario runs, without the condition Ending.

    `since` is when the start was seen, by the API server's clock.
    """
    kept = [condition for condition in job.status.conditions if condition.type != ENDING]
    return _with(job, kept, STARTED, "True", Reason("ContainerStarted", ""), since)


def with_end(job: ChaosJob, why: Reason, now: datetime, start: datetime | None) -> list[Condition]:
    """Return the conditions of a finished job; `start` is when its scenario started, if it did."""
    waits = (ENDING, QUEUED) if is_queued(job) else (ENDING,)
    conditions = [condition for condition in job.status.conditions if condition.type not in waits]
    if start is not None:
        started = Reason("ContainerStarted", "")
        conditions = _with(job, conditions, STARTED, "True", started, start)
    else:
        conditions = _with(job, conditions, STARTED, "False", Reason(why.reason, ""), now)
    return _with(job, conditions, FINISHED, "True", why, now)


def with_log_not_kept(
    job: ChaosJob, conditions: list[Condition], why: Reason, now: datetime
) -> list[Condition]:
    """Add to the conditions why the log of a finished job was not kept."""
    return _with(job, conditions, LOG_NOT_KEPT, "True", why, now)


def _since(job: ChaosJob, kind: str) -> datetime | None:
    condition = find_condition(job.status.conditions, kind)
    if condition is None or condition.status != "True":
        return None
    return condition.last_transition_time


def _with(
    job: ChaosJob,
    conditions: list[Condition],
    kind: str,
    status: Literal["True", "False"],
    why: Reason,
    now: datetime,
) -> list[Condition]:
    condition = Condition(
        type=kind,
        status=status,
        reason=_NOT_IN_A_REASON.sub("", why.reason) or "Unknown",
        message=why.message,
        last_transition_time=now,
        observed_generation=job.metadata.generation,
    )
    return with_condition(conditions, bounded(condition))
