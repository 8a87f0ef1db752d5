"""Asks a job to stop: one field of its spec, which the controller heeds in every state."""

from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.errors import Conflict, Invalid, NotFound
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.server.errors import Changed
from krkn_grpc.server.runs.listing import find, find_live


async def stop(jobs: WatchCache[ChaosJob], job_id: str, deadline: Deadline) -> ChaosJob:
    """Return the job with the stop asked for; one that is final or stopping, as it is."""
    job = await find(jobs, job_id)
    while deadline.remaining > 0:
        if job.status.is_final or job.spec.stop:
            return job
        # Only as it was seen: a job that has ended meanwhile is not touched.
        unchanged = {
            "op": "test",
            "path": "/metadata/resourceVersion",
            "value": job.metadata.resource_version,
        }
        try:
            ask = {"op": "add", "path": "/spec/stop", "value": True}
            job = await jobs.store.patch(job_id, [unchanged, ask])
        except (Conflict, Invalid, NotFound):
            job = await find_live(jobs, job_id)
        else:
            jobs.remember(job)
            return job
    raise Changed("the job was changed by others all the while")
