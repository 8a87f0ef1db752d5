"""Requests a job's stop: a field of its spec that the controller obeys in every state."""

import msgspec

from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.errors import (
    Conflict,
    Invalid,
    NotFound,
    NotWritten,
    OutcomeUnknown,
    RuleBroken,
)
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.session import pause
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.server.errors import Changed
from krkn_grpc.server.runs.filters import find, find_live

# The job may have changed since it was read, or an unanswered write may have succeeded.
_LOOK_AGAIN = (Conflict, Invalid, NotFound, NotWritten, OutcomeUnknown)


async def stop(jobs: Informer[ChaosJob], job_id: str, deadline: Deadline) -> ChaosJob:
    """Set `spec.stop` and return the job; a job that is final or stopping is returned unchanged.

    The write is idempotent, so it is retried until it is confirmed or the deadline is over.
    """
    job = await find(jobs, job_id)
    attempt = 0
    while not _is_settled(job):
        # Only at the revision that was read: a job that has ended meanwhile stays unchanged.
        unchanged = {
            "op": "test",
            "path": "/metadata/resourceVersion",
            "value": job.metadata.resource_version,
        }
        ask = {"op": "add", "path": "/spec/stop", "value": True}
        try:
            metadata = await jobs.client.patch(job_id, [unchanged, ask])
            spec = msgspec.structs.replace(job.spec, stop=True)
            job = msgspec.structs.replace(job, metadata=metadata, spec=spec)
        except RuleBroken:
            raise
        except _LOOK_AGAIN as error:
            is_unanswered = isinstance(error, NotWritten | OutcomeUnknown)
            # The first retry after a conflict is immediate: mostly the job has just changed.
            if attempt or is_unanswered:
                await pause(error, attempt, at_most=deadline.remaining)
            job = await find_live(jobs, job_id)
            if deadline.remaining <= 0 and not _is_settled(job):
                if is_unanswered:
                    raise
                raise Changed("the job was changed by others all the while") from error
            attempt += 1
    jobs.remember(job)
    return job


def _is_settled(job: ChaosJob) -> bool:
    return job.status.is_final or job.spec.stop
