"""The statuses of a job: pod named, waiting, running, ending, final. Pure."""

from datetime import datetime

import msgspec

from controller.jobs import conditions, termination
from controller.reason import Reason
from krkn_grpc.resources import bounds
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus, Phase
from krkn_grpc.resources.durations import short
from krkn_grpc.resources.meta import Condition
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.reported_result import ReportedResult

# As many as tell the runs of a page apart; the whole id of 36 would leave no room for the rest.
_RUN_CHARACTERS = 7


def named(
    job: ChaosJob, pod: Pod, now: datetime, ending: list[Condition] | None = None
) -> ChaosJobStatus:
    """Return the status that makes this pod the only one that may ever run the scenario.

    `ending` are the conditions of a pod that is to be ended as soon as it is named.
    """
    told = _with_turn(job, now) if ending is None else ending
    name, uid = pod.metadata.name, pod.metadata.uid
    return _changed(job, pod_uid=uid, pod_name=name, reason="", message="", conditions=told)


def waiting(job: ChaosJob, why: Reason) -> ChaosJobStatus:
    """Return the status of a job that has not started, with the reason."""
    return _changed(job, reason=why.reason, message=why.message)


def delayed(job: ChaosJob, why: Reason, now: datetime) -> ChaosJobStatus:
    """Return the status of a job whose turn it is, and which cannot have its pod now."""
    return _changed(job, reason=why.reason, message=why.message, conditions=_with_turn(job, now))


def queued(job: ChaosJob, why: Reason, now: datetime) -> ChaosJobStatus:
    """Return the status of a job that waits for its turn."""
    return _changed(
        job,
        reason=why.reason,
        message=why.message,
        conditions=conditions.with_queue(job, why, now),
    )


def turn_came(job: ChaosJob, now: datetime) -> ChaosJobStatus:
    """Return the status of a job that has waited: its start deadline counts from now on."""
    return _changed(job, reason="", message="", conditions=conditions.with_turn(job, now))


def running(job: ChaosJob, began: datetime, since: datetime) -> ChaosJobStatus:
    """Return the status of a job whose scenario runs.

    `began` is its start by the node's clock; `since` is when it was seen, by the API server's.
    """
    return _changed(
        job,
        phase="Running",
        reason="Started",
        message="The scenario runs.",
        start_time=job.status.start_time or began,
        conditions=conditions.with_start(job, since),
    )


def ending(job: ChaosJob, why: Reason, now: datetime) -> ChaosJobStatus:
    """Return the status that says why the controller is about to end the job's pod."""
    return _changed(
        job,
        reason=why.reason,
        message=why.message,
        conditions=conditions.with_ending(job, why, now),
    )


def of_pod(
    job: ChaosJob, pod: Pod, now: datetime, result: ReportedResult | None = None
) -> ChaosJobStatus:
    """Return the final status of a job whose pod is terminal; `result` is what its log says."""
    phase, why = termination.of_pod(job, pod)
    return _final(
        job,
        phase,
        why,
        now,
        at=termination.ended_at(pod),
        exit_code=termination.exit_code(pod),
        start=termination.started_at(pod),
        result=result,
    )


def without_pod(job: ChaosJob, why: Reason, now: datetime) -> ChaosJobStatus:
    """Return the final status of a job without a pod that shows how it ended."""
    if job.is_being_stopped:
        return stopped(job, conditions.ending(job) or why, now)
    if not job.spec.stop:
        return failed(job, why, now)
    message = "The scenario was stopped."
    if not job.status.pod_uid:
        message = "The scenario was stopped before it started."
    return stopped(job, Reason(termination.STOP_REQUESTED, message), now)


def stopped(job: ChaosJob, why: Reason, now: datetime) -> ChaosJobStatus:
    """Return the final status of a job that was stopped for this reason and left no exit code."""
    return _final(job, "Stopped", why, now)


def failed(
    job: ChaosJob, why: Reason, now: datetime, start: datetime | None = None
) -> ChaosJobStatus:
    """Return the final status of a job that failed for this reason and left no exit code."""
    return _final(job, "Failed", why, now, start=start)


def without_log(job: ChaosJob, final: ChaosJobStatus, why: Reason, now: datetime) -> ChaosJobStatus:
    """Return the final status, with the reason why the scenario's log was not kept."""
    told = conditions.with_log_not_kept(job, final.conditions, why, now)
    return msgspec.structs.replace(final, conditions=told)


def _final(
    job: ChaosJob,
    phase: Phase,
    why: Reason,
    now: datetime,
    *,
    at: datetime | None = None,
    exit_code: int | None = None,
    start: datetime | None = None,
    result: ReportedResult | None = None,
) -> ChaosJobStatus:
    start = job.status.start_time or start
    final = _changed(
        job,
        phase=phase,
        reason=why.reason,
        message=why.message,
        exit_code=exit_code,
        start_time=start,
        completion_time=at or now,
        result=result,
        conditions=conditions.with_end(job, why, now, start),
    )
    seconds = final.duration_seconds
    return msgspec.structs.replace(final, duration="" if seconds is None else short(seconds))


def plain(status: ChaosJobStatus) -> ChaosJobStatus:
    """Return the status without foreign text, for when the API server refused it with that."""
    return msgspec.structs.replace(
        status,
        reason=bounds.plain_reason(status.reason),
        message=bounds.plain_message(status.message),
        result=None,
        conditions=bounds.plain_conditions(status.conditions),
    )


def _with_turn(job: ChaosJob, now: datetime) -> list[Condition]:
    if not conditions.is_queued(job):
        return job.status.conditions
    return conditions.with_turn(job, now)


def _changed(job: ChaosJob, *, reason: str, message: str, **changes: object) -> ChaosJobStatus:
    return msgspec.structs.replace(
        job.status,
        observed_generation=job.metadata.generation,
        run=job.spec.run_id[-_RUN_CHARACTERS:],
        reason=bounds.fitting_reason(reason),
        message=bounds.fitting_message(message),
        **changes,
    )
