"""The statuses of a job on its way: named, waiting, running, ending, final. Pure."""

from datetime import datetime

import msgspec

from controller.jobs import conditions, verdict
from controller.jobs.model import Refusal
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus, Phase
from krkn_grpc.resources.meta import Condition
from krkn_grpc.resources.pod import Pod


def named(job: ChaosJob, pod: Pod, ending: list[Condition] | None = None) -> ChaosJobStatus:
    """Return the status that makes this pod the only one that may ever run the scenario.

    `ending` are the conditions of a pod that is to be ended as soon as it is named.
    """
    conditions = job.status.conditions if ending is None else ending
    name, uid = pod.metadata.name, pod.metadata.uid
    return _changed(job, pod_uid=uid, pod_name=name, reason="", message="", conditions=conditions)


def waiting(job: ChaosJob, why: Refusal) -> ChaosJobStatus:
    """Return the status of a job that has not started, with what keeps it."""
    return _changed(job, reason=why.reason, message=why.message)


def running(job: ChaosJob, began: datetime) -> ChaosJobStatus:
    """Return the status of a job whose scenario runs."""
    return _changed(
        job,
        phase="Running",
        reason="Started",
        message="The scenario runs.",
        start_time=job.status.start_time or began,
        conditions=conditions.with_start(job, began),
    )


def ending(job: ChaosJob, why: Refusal, now: datetime) -> ChaosJobStatus:
    """Return the status that says why the controller is about to end the job's pod."""
    return _changed(
        job,
        reason=why.reason,
        message=why.message,
        conditions=conditions.with_ending(job, why, now),
    )


def of_pod(job: ChaosJob, pod: Pod, now: datetime) -> ChaosJobStatus:
    """Return the final status of a job whose pod is terminal."""
    ended = verdict.container_state(pod).terminated
    phase, why = verdict.of_pod(job, pod)
    return _final(
        job,
        phase,
        why,
        at=(ended.finished_at if ended is not None else None) or now,
        exit_code=verdict.exit_code(pod),
        start=verdict.started_at(pod),
    )


def without_pod(job: ChaosJob, why: Refusal, now: datetime) -> ChaosJobStatus:
    """Return the final status of a job that has no pod to tell how it ended."""
    if not job.spec.stop:
        return failed(job, why, now)
    message = "The scenario was stopped."
    if not job.status.pod_uid:
        message = "The scenario was stopped before it started."
    return _final(job, "Stopped", Refusal(verdict.STOP_REQUESTED, message), at=now)


def failed(
    job: ChaosJob, why: Refusal, now: datetime, start: datetime | None = None
) -> ChaosJobStatus:
    """Return the final status of a job that failed for this reason and left no exit code."""
    return _final(job, "Failed", why, at=now, start=start)


def _final(
    job: ChaosJob,
    phase: Phase,
    why: Refusal,
    *,
    at: datetime,
    exit_code: int | None = None,
    start: datetime | None = None,
) -> ChaosJobStatus:
    start = job.status.start_time or start
    return _changed(
        job,
        phase=phase,
        reason=why.reason,
        message=why.message,
        exit_code=exit_code,
        start_time=start,
        completion_time=at,
        conditions=conditions.with_end(job, why, at, start),
    )


def _changed(job: ChaosJob, **changes: object) -> ChaosJobStatus:
    seen = {"observed_generation": job.metadata.generation}
    return msgspec.structs.replace(job.status, **seen, **changes)
