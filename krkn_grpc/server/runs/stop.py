"""Asks a job to stop: one field of its spec, which the controller heeds in every state."""

import msgspec

from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.errors import Conflict, Invalid, NotFound, NotWritten, OutcomeUnknown
from krkn_grpc.kube.session import pause
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.server.errors import Changed
from krkn_grpc.server.runs.listing import find, find_live

# What may have changed since it was seen, and what may have been done though nobody said so.
_LOOK_AGAIN = (Conflict, Invalid, NotFound, NotWritten, OutcomeUnknown)


async def stop(jobs: WatchCache[ChaosJob], job_id: str, deadline: Deadline) -> ChaosJob:
    """Return the job with the stop asked for; one that is final or stopping, as it is.

    Asking twice does no harm, so it is tried until it is known to be done, or the deadline.
    """
    job = await find(jobs, job_id)
    attempt = 0
    while not _is_settled(job):
        # Only as it was seen: a job that has ended meanwhile is not touched.
        unchanged = {
            "op": "test",
            "path": "/metadata/resourceVersion",
            "value": job.metadata.resource_version,
        }
        ask = {"op": "add", "path": "/spec/stop", "value": True}
        try:
            metadata = await jobs.store.patch(job_id, [unchanged, ask])
            spec = msgspec.structs.replace(job.spec, stop=True)
            job = msgspec.structs.replace(job, metadata=metadata, spec=spec)
        except _LOOK_AGAIN as error:
            is_unanswered = isinstance(error, NotWritten | OutcomeUnknown)
            # The first time at once: mostly it has changed just now.
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
