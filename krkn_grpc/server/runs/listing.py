"""Which jobs a list shows."""

from collections.abc import Iterable

from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.resources import ids
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.server.errors import NoSuch

BY_TARGET = "target"
_ABSENT = "there is no such job"


def target_of(job: ChaosJob) -> str:
    """Return the key of the index BY_TARGET."""
    return job.spec.target_uuid


def candidates(jobs: WatchCache[ChaosJob], target_uuid: str) -> Iterable[ChaosJob]:
    """Return the jobs on a target, or all of them when none is named."""
    if not target_uuid:
        return jobs.values()
    return jobs.indexed(BY_TARGET, target_uuid) if ids.is_id(target_uuid) else ()


async def find(jobs: WatchCache[ChaosJob], job_id: str) -> ChaosJob:
    """Return a job; what the cache does not have yet is asked of the API server."""
    if not ids.is_id(job_id):
        raise NoSuch(_ABSENT)
    if (known := jobs.get(job_id)) is not None:
        return known
    try:
        return await jobs.store.get(job_id)
    except NotFound:
        raise NoSuch(_ABSENT) from None
