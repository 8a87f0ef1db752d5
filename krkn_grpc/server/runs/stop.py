"""Asks a job to stop: one field of its spec, which the controller heeds in every state."""

from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.errors import Conflict, Invalid, KubeError, NotFound, NotWritten, OutcomeUnknown
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
    while not (job.status.is_final or job.spec.stop):
        # Only as it was seen: a job that has ended meanwhile is not touched.
        unchanged = {
            "op": "test",
            "path": "/metadata/resourceVersion",
            "value": job.metadata.resource_version,
        }
        ask = {"op": "add", "path": "/spec/stop", "value": True}
        try:
            job = await jobs.store.patch(job_id, [unchanged, ask])
        except _LOOK_AGAIN as error:
            job = await _seen_again(jobs, job, error, attempt, deadline)
            attempt += 1
    jobs.remember(job)
    return job


async def _seen_again(
    jobs: WatchCache[ChaosJob], job: ChaosJob, error: KubeError, attempt: int, deadline: Deadline
) -> ChaosJob:
    """Return the job as it is now; after the first attempt with a pause."""
    if deadline.remaining <= 0:
        if isinstance(error, NotWritten | OutcomeUnknown):
            raise error
        raise Changed("the job was changed by others all the while") from error
    if attempt or isinstance(error, NotWritten | OutcomeUnknown):
        await pause(error, attempt, at_most=deadline.remaining)
    try:
        return await find_live(jobs, job.metadata.name)
    except (NotWritten, OutcomeUnknown):
        return job
