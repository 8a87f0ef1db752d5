"""The conditions of a job: what `kubectl wait --for=condition=...` can wait for. Pure."""

import re
from datetime import datetime
from typing import Literal

from controller.jobs.model import Refusal
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.meta import Condition, find_condition, with_condition

STARTED = "Started"
FINISHED = "Finished"

# Why the controller ends the pod: written before the pod is deleted, it outlives the pod.
ENDING = "Ending"

# A node's word for what went wrong may be any text; a condition's reason may not.
_NOT_IN_A_REASON = re.compile(r"[^A-Za-z]")


def ending(job: ChaosJob) -> Refusal | None:
    """Return why the controller is ending the job's pod, None when it is not."""
    condition = find_condition(job.status.conditions, ENDING)
    return None if condition is None else Refusal(condition.reason, condition.message)


def with_ending(job: ChaosJob, why: Refusal, now: datetime) -> list[Condition]:
    """Return the conditions that say why the controller is about to end the job's pod."""
    return _with(job, job.status.conditions, ENDING, "True", why, now)


def with_start(job: ChaosJob, at: datetime) -> list[Condition]:
    """Return the conditions of a job whose scenario runs; that it was to be ended is over."""
    kept = [condition for condition in job.status.conditions if condition.type != ENDING]
    return _with(job, kept, STARTED, "True", Refusal("ContainerStarted", ""), at)


def with_end(job: ChaosJob, why: Refusal, now: datetime, start: datetime | None) -> list[Condition]:
    """Return the conditions of a finished job; `start` is when its scenario started, if it did."""
    conditions = [condition for condition in job.status.conditions if condition.type != ENDING]
    if start is not None:
        started = Refusal("ContainerStarted", "")
        conditions = _with(job, conditions, STARTED, "True", started, start)
    else:
        conditions = _with(job, conditions, STARTED, "False", Refusal(why.reason, ""), now)
    return _with(job, conditions, FINISHED, "True", why, now)


def _with(
    job: ChaosJob,
    conditions: list[Condition],
    kind: str,
    status: Literal["True", "False"],
    why: Refusal,
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
    return with_condition(conditions, condition)
