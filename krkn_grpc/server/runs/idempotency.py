"""Remembers requests by their id, so that a repeated call never starts anything twice.

The first thing that a call with a requestId writes is a record, named by the caller and the id.
It says what the call asked for (by a fingerprint, without the secrets), and its uid together
with a target gives the jobId: so every repetition, on any replica, means the same jobs, and the
API server lets each be created only once.

A job that is deleted leaves its id in the record (the controller writes it there before the job
may go): so a repetition that comes later starts nothing. The controller removes records when
they are a day old.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.errors import AlreadyExists, NotFound, NotWritten, OutcomeUnknown
from krkn_grpc.kube.store import Store
from krkn_grpc.kube.write import create
from krkn_grpc.resources import ids, labels, names
from krkn_grpc.resources.core import Lease, LeaseSpec, micro_time
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.server.errors import RequestIdReused, Unreachable
from krkn_grpc.server.runs.run import Run

_NO_RECORD = "the Kubernetes API cannot be reached now; no job was created, ask again"


@dataclass(frozen=True)
class Record:
    """What is remembered of a request."""

    lease: Lease
    is_new: bool

    def job_id(self, target_uuid: str) -> str:
        """Return the id that this request's job on a target has, always."""
        acquired = self.lease.spec.acquire_time
        assert acquired is not None, "a record says when it was made"
        return ids.derived_id(acquired, f"{self.lease.metadata.uid}/{target_uuid}")

    def is_gone(self, job_id: str) -> bool:
        """Whether this request's job was deleted."""
        return labels.gone(job_id) in self.lease.metadata.annotations


class Requests:
    """The records, one a caller and requestId."""

    def __init__(self, leases: Store[Lease], keep_seconds: int) -> None:
        """Keep records among `leases`; each says how long it is kept."""
        self._leases = leases
        self._keep_seconds = keep_seconds

    async def record(self, run: Run, caller: str, deadline: Deadline) -> Record:
        """Return the record of this request, the first one's if it is a repetition.

        Raises RequestIdReused when the id was used for another body, and Unreachable when it is
        not known whether there is a record: without one no job was created.
        """
        new = self._new(run, caller)
        while True:
            try:
                written = await create(self._leases, new, deadline)
            except AlreadyExists:
                written = None
            except (NotWritten, OutcomeUnknown) as error:
                raise Unreachable(_NO_RECORD) from error
            if (lease := written or await self._find(new)) is not None:
                _must_be_same(lease, new)
                return Record(lease, is_new=written is not None)
            # It was a day old and has just been removed.

    async def latest(self, record: Record) -> Record:
        """Return the record as it is now."""
        lease = await self._find(record.lease)
        if lease is None or lease.metadata.uid != record.lease.metadata.uid:
            raise Unreachable("the requestId is forgotten at this moment; no job was created")
        return Record(lease, is_new=False)

    async def check(self, run: Run, caller: str) -> None:
        """Raise RequestIdReused as `record` would; nothing is written."""
        new = self._new(run, caller)
        if (lease := await self._find(new)) is not None:
            _must_be_same(lease, new)

    def _new(self, run: Run, caller: str) -> Lease:
        return Lease(
            metadata=ObjectMeta(
                name=names.request_record(caller, run.request_id),
                namespace=self._leases.namespace,
                annotations={labels.FINGERPRINT: fingerprint(run)},
            ),
            spec=LeaseSpec(
                holder_identity=run.request_id,
                acquire_time=micro_time(datetime.now(UTC)),
                lease_duration_seconds=self._keep_seconds,
            ),
        )

    async def _find(self, lease: Lease) -> Lease | None:
        try:
            return await self._leases.get(lease.metadata.name)
        except NotFound:
            return None


def _must_be_same(lease: Lease, asked: Lease) -> None:
    wanted = asked.metadata.annotations[labels.FINGERPRINT]
    if lease.metadata.annotations.get(labels.FINGERPRINT) != wanted:
        raise RequestIdReused("the requestId was used before with another body")


def fingerprint(run: Run) -> str:
    """Return a digest of all that was asked for, but for values that are secret."""
    asked = {
        "targets": run.target_uuids,
        "image": run.scenario_image,
        "name": run.scenario_name,
        "path": run.kubeconfig_path,
        "environment": sorted(run.environment.items()),
        "secretEnvironment": sorted(run.secret_environment),
        "files": [(file.name, file.mount_path) for file in run.files],
        "registry": (run.registry_url, run.registry.username if run.registry else None),
        "limits": (run.timeout_seconds, run.ttl_seconds_after_finished, run.require_ready),
        "labels": sorted(run.labels.items()),
        "ignored": sorted(run.ignored.items()),
    }
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()
