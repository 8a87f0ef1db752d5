"""What a deleted job leaves: its id, where a repetition of its call finds it and starts nothing."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from controller.queue import NotYet
from krkn_grpc.kube.errors import AlreadyExists, NotFound
from krkn_grpc.kube.store import Store
from krkn_grpc.resources import labels, names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Lease, LeaseSpec
from krkn_grpc.resources.meta import ObjectMeta

# How long a deleted job is remembered whose caller gave no id to repeat it by.
_SECONDS = 3_600


@dataclass
class _Batch:
    """Jobs that are noted with one write."""

    job_ids: set[str] = field(default_factory=set)
    is_written: bool = False


@dataclass
class _Line:
    """Who waits to write to a record."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    next: _Batch = field(default_factory=_Batch)


class Records:
    """The records of requests, and of jobs that came without a requestId.

    All jobs of a request have one record. Of a thousand that go at the same time each would write
    to it, and each write would carry all ids so far: so those that wait are written together.
    """

    def __init__(self, leases: Store[Lease]) -> None:
        """Keep the records among `leases`."""
        self._leases = leases
        self._lines: WeakValueDictionary[str, _Line] = WeakValueDictionary()

    async def leave(self, job: ChaosJob) -> None:
        """Note that the job is gone; NotYet when another's write that was to note it failed."""
        if job.spec.request_id:
            await self._note(names.record_of(job), job.metadata.name)
        else:
            await self._create(job)

    async def _note(self, record: str, job_id: str) -> None:
        line = self._lines.setdefault(record, _Line())
        batch = line.next
        batch.job_ids.add(job_id)
        async with line.turn:
            if line.next is batch:
                line.next = _Batch()
                await self._write(record, batch.job_ids)
                batch.is_written = True
        if not batch.is_written:
            raise NotYet("the write that was to note the job's end failed")

    async def _write(self, record: str, job_ids: set[str]) -> None:
        gone = {labels.gone(job_id): "true" for job_id in job_ids}
        # To note who wrote which id would double what the API server keeps.
        metadata = {"annotations": gone, "managedFields": [{}]}
        # Without a record its time is over, and the id means another request by now.
        with contextlib.suppress(NotFound):
            await self._leases.merge(record, {"metadata": metadata})

    async def _create(self, job: ChaosJob) -> None:
        metadata = ObjectMeta(
            name=names.record_of(job),
            namespace=job.metadata.namespace,
            annotations={labels.gone(job.metadata.name): "true"},
        )
        with contextlib.suppress(AlreadyExists):
            await self._leases.create(
                Lease(metadata=metadata, spec=LeaseSpec(lease_duration_seconds=_SECONDS))
            )
