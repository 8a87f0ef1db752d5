"""Jobs whose deletion this process saw: a repetition of their call does not create them again.

The controller claims the id of each job that it works on, for good. This covers the time before
the claim: a job that is deleted right after its creation.
"""

from collections.abc import MutableMapping

from cachetools import LRUCache

from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.resources.chaos_job import ChaosJob

_MOST = 16_384
# A watch is milliseconds behind. Without events it sends no revision, so a longer wait is useless.
_LONGEST_WAIT_SECONDS = 0.25


class Tombstones:
    """The names of the latest deleted jobs."""

    def __init__(self, jobs: Informer[ChaosJob], most: int = _MOST) -> None:
        """Follow `jobs`; remember the last `most` deletions."""
        self._jobs = jobs
        self._names: MutableMapping[str, bool] = LRUCache(most)
        jobs.listen(self._look)

    async def catch_up(self) -> None:
        """Wait until the watch has reached the current revision, for 0.25 s at most."""
        newest = await self._jobs.client.list(limit=1)
        await self._jobs.reached(newest.revision, _LONGEST_WAIT_SECONDS)

    def __contains__(self, job_id: str) -> bool:
        """Whether the deletion of a job of this id was seen."""
        return job_id in self._names

    def _look(self, seen: CacheChange[ChaosJob]) -> None:
        old = seen.old
        if old is not None and (seen.new is None or seen.new.metadata.uid != old.metadata.uid):
            self._names[old.metadata.name] = True
