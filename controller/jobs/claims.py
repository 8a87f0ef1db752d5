"""Claims the id of each job in its run's status, so that no second job of the id ever starts.

A job's name is free again when the job is deleted, and the call that made it may be repeated later:
by its caller, by a proxy, or by a server whose write was not answered. The run outlives the jobs.
It keeps, per id, the uid of the first job that a controller reconciles, and no other uid.
"""

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import msgspec
from cachetools import LRUCache

from controller.jobs.create_errors import StartRefused
from controller.reason import Reason
from controller.runs.model import RUN_DELETED
from controller.work_queue import Requeue
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import Conflict, NotFound
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ClaimedRun

_MOST_KNOWN = 65_536
_ALREADY_RAN = Reason("AlreadyRan", "A job of this id was there before and was deleted.")


@dataclass
class _Batch:
    """The job uids, by job id, that one write claims, and the run after that write."""

    uids: dict[str, str] = field(default_factory=dict)
    run: ClaimedRun | None = None
    is_written: bool = False


@dataclass
class _Line:
    """The queue of claims in one run, and the run as it was last seen."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    next: _Batch = field(default_factory=_Batch)
    run: ClaimedRun | None = None


class Claims:
    """The claims that this process has made or found.

    A thousand jobs may have one run. If each job wrote by itself, each write would
    carry all ids so far: so all waiting claims go into one write.
    """

    def __init__(self, runs: ResourceClient[ClaimedRun]) -> None:
        """Claim ids in `runs`."""
        self._runs = runs
        self._lines: WeakValueDictionary[str, _Line] = WeakValueDictionary()
        self._known: MutableMapping[str, bool] = LRUCache(_MOST_KNOWN)

    def has(self, job: ChaosJob) -> bool:
        """Whether the job is known to hold its id; a job without a run always does."""
        return not job.spec.run_id or job.metadata.uid in self._known

    async def claim(self, job: ChaosJob) -> None:
        """Claim the job's id for it.

        Raises StartRefused when another job has it or the run is gone, and Requeue when the
        shared write, made for another job too, failed.
        """
        name = job.spec.run_id
        line = self._lines.setdefault(name, _Line())
        batch = line.next
        batch.uids.setdefault(job.metadata.name, job.metadata.uid)
        async with line.turn:
            if line.next is batch:
                line.next = _Batch()
                batch.run = await self._write(name, line, batch.uids)
                batch.is_written = True
        if not batch.is_written:
            raise Requeue("the write that was to claim the job's id failed")
        if batch.run is None or batch.run.metadata.uid != job.spec.run_uid:
            raise StartRefused(RUN_DELETED)
        if batch.run.status.claims.get(job.metadata.name) != job.metadata.uid:
            raise StartRefused(_ALREADY_RAN)
        self._known[job.metadata.uid] = True

    async def _write(self, name: str, line: _Line, uids: dict[str, str]) -> ClaimedRun | None:
        """Return the run with these claims added; earlier claims stay. None: no run."""
        while True:
            try:
                seen = line.run or await self._runs.get(name)
                claims = seen.status.claims
                new = {job_id: uid for job_id, uid in uids.items() if job_id not in claims}
                if not new:
                    return seen
                # Field managers would double the size of the stored run.
                metadata = {
                    "resourceVersion": seen.metadata.resource_version,
                    "managedFields": [{}],
                }
                written = await self._runs.merge_status(
                    name, {"metadata": metadata, "status": {"claims": new}}
                )
                status = msgspec.structs.replace(seen.status, claims=claims | new)
                line.run = msgspec.structs.replace(seen, metadata=written, status=status)
                return line.run
            except NotFound:
                line.run = None
                return None
            except Conflict:
                line.run = None
