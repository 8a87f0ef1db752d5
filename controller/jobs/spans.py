"""The spans of a job, from its final status alone, so that a repetition gives the same. Pure.

Their ids are hashes of the job's uid, so that a controller that takes over after a crash sends the
same spans again. Starts and ends of the scenario are by the node's clock, all else by the API
server's (`deadlines`).
"""

import hashlib
from datetime import datetime

from controller.jobs import conditions
from krkn_grpc.resources import well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.trace_context import EndedSpan, Traceparent, parse

JOB, WAITING, SCHEDULING, RUNNING, STOPPING = "job", "waiting", "scheduling", "running", "stopping"


def of_call(job: ChaosJob) -> Traceparent | None:
    """Return the place in a trace of the call that made the job; None without a trace."""
    return parse(job.metadata.annotations.get(well_known.TRACEPARENT))


def for_scenario(job: ChaosJob, *, is_traced: bool) -> Traceparent | None:
    """Return where in the trace the scenario's own spans belong.

    `is_traced`: the controller sends the job's spans, so they belong below the one of its run.
    """
    call = of_call(job)
    if call is None or not is_traced or not call.is_sampled:
        return call
    return _at(job, call, RUNNING)


def ended(job: ChaosJob, reason: str, ending_since: datetime | None) -> tuple[EndedSpan, ...]:
    """Return the spans of a job that has a final status; none if its call has no sampled trace.

    `reason` is the status' own if it may be shown. `ending_since` is when the end of the pod began,
    which a final status does not tell any more.
    """
    call, created, status = of_call(job), job.metadata.creation_timestamp, job.status
    if call is None or not call.is_sampled or created is None or not status.is_final:
        return ()
    end = conditions.finished_since(job) or status.completion_time or created
    turn = conditions.turn_since(job)
    began, over = status.start_time, status.completion_time or end
    times: dict[str, tuple[datetime, datetime]] = {JOB: (created, end)}
    if turn is not None or not status.pod_uid:
        times[WAITING] = (created, turn or end)
    if status.pod_uid:
        times[SCHEDULING] = (turn or created, began or end)
    if began is not None:
        times[RUNNING] = (began, over)
    if ending_since is not None:
        times[STOPPING] = (ending_since, end)
    whole = _at(job, call, JOB)
    has_failed = status.phase == "Failed"
    return tuple(
        EndedSpan(
            name=name,
            at=_at(job, call, name),
            parent=call if name == JOB else whole,
            start=since,
            end=max(since, until),
            attributes=_attributes(job, reason) if name == JOB else {},
            has_failed=has_failed and name == JOB,
        )
        for name, (since, until) in times.items()
    )


def _attributes(job: ChaosJob, reason: str) -> dict[str, str | int]:
    status, spec = job.status, job.spec
    told: dict[str, str | int] = {
        "krkn.job_id": job.metadata.name,
        "krkn.run_id": spec.run_id,
        "krkn.target_uuid": spec.target_uuid,
        "krkn.phase": status.phase,
        "krkn.reason": reason,
    }
    if status.exit_code is not None:
        told["krkn.exit_code"] = status.exit_code
    return {name: value for name, value in told.items() if value != ""}


def _at(job: ChaosJob, call: Traceparent, name: str) -> Traceparent:
    digest = hashlib.sha256(f"{job.metadata.uid}/{name}".encode()).hexdigest()
    return Traceparent(call.trace_id, digest[:16], call.is_sampled)
