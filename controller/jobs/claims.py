"""Claims the id of each job in its call's record, so that no second job of the id ever starts.

A job's name is free again when the job is deleted, and the call that made it may be repeated later:
by its caller, by a proxy, or by a server whose write was not answered. The record outlives the
jobs. It keeps, per id, the uid of the first job that a controller reconciles, and no other uid.
"""

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from cachetools import LRUCache

from controller.jobs.create_errors import StartRefused
from controller.reason import Reason
from controller.work_queue import Requeue
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import Conflict, NotFound
from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Lease
from krkn_grpc.resources.meta import ObjectMeta

_MOST_KNOWN = 65_536
_ALREADY_RAN = Reason("AlreadyRan", "A job of this id was there before and was deleted.")
_NO_RECORD = Reason("RunDeleted", "The record of the call that made the job is gone.")


@dataclass
class _Batch:
    """The job uids, by job id, that one write claims, and the record after that write."""

    uids: dict[str, str] = field(default_factory=dict)
    record: ObjectMeta | None = None
    is_written: bool = False


@dataclass
class _Line:
    """The queue of claims for one record, and the record as it was last seen."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    next: _Batch = field(default_factory=_Batch)
    record: ObjectMeta | None = None


class Claims:
    """The claims that this process has made or found.

    A thousand jobs of one call have one record. If each job wrote by itself, each write would
    carry all ids so far: so all waiting claims go into one write.
    """

    def __init__(self, leases: ResourceClient[Lease]) -> None:
        """Find the records among `leases`."""
        self._leases = leases
        self._lines: WeakValueDictionary[str, _Line] = WeakValueDictionary()
        self._known: MutableMapping[str, bool] = LRUCache(_MOST_KNOWN)

    def has(self, job: ChaosJob) -> bool:
        """Whether the job is known to hold its id; a job without a record always does."""
        return not job.spec.run_id or job.metadata.uid in self._known

    async def claim(self, job: ChaosJob) -> None:
        """Claim the job's id for it.

        Raises StartRefused when another job has it or the record is gone, and Requeue when the
        shared write, made for another job too, failed.
        """
        name = names.request_record(job.spec.run_id)
        line = self._lines.setdefault(name, _Line())
        batch = line.next
        batch.uids.setdefault(job.metadata.name, job.metadata.uid)
        async with line.turn:
            if line.next is batch:
                line.next = _Batch()
                batch.record = await self._write(name, line, batch.uids)
                batch.is_written = True
        if not batch.is_written:
            raise Requeue("the write that was to claim the job's id failed")
        if batch.record is None or batch.record.uid != job.spec.run_uid:
            raise StartRefused(_NO_RECORD)
        if batch.record.annotations.get(well_known.claimed(job.metadata.name)) != job.metadata.uid:
            raise StartRefused(_ALREADY_RAN)
        self._known[job.metadata.uid] = True

    async def _write(self, name: str, line: _Line, uids: dict[str, str]) -> ObjectMeta | None:
        """Return the record with these claims added; earlier claims stay. None: no record."""
        while True:
            try:
                seen = line.record or await self._leases.get_metadata(name)
                claims = {well_known.claimed(job_id): uid for job_id, uid in uids.items()}
                new = {key: uid for key, uid in claims.items() if key not in seen.annotations}
                if not new:
                    return seen
                # Field managers would double the size of the stored record.
                metadata = {
                    "resourceVersion": seen.resource_version,
                    "annotations": new,
                    "managedFields": [{}],
                }
                line.record = await self._leases.merge(name, {"metadata": metadata})
                return line.record
            except NotFound:
                line.record = None
                return None
            except Conflict:
                line.record = None
