"""Writes idempotency records, so that a repeated call never starts a job twice.

Each call first writes its record (`record`): so every repetition, on any replica, has the same job
ids, and the API server creates each job only once. Before the controller does anything for a job,
it claims the job's id: it writes the job's uid into the record. A job that is created again, after
an earlier one of its id was deleted, finds the id claimed and does not start. The controller
removes expired records.
"""

from datetime import UTC, datetime
from functools import partial

from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.errors import AlreadyExists, NotFound, NotWritten, OutcomeUnknown
from krkn_grpc.kube.retry import create_until_known
from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.core import Lease, LeaseSpec, micro_time
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.server import correlation_id
from krkn_grpc.server.errors import RequestIdReused, RetryNotSafe, Unreachable, answer_for
from krkn_grpc.server.limits import CALL_SECONDS
from krkn_grpc.server.offload import offload_digest
from krkn_grpc.server.runs.idempotency_record import Identity, Record, identity
from krkn_grpc.server.runs.model import Run

_UNKNOWN_ATTEMPT = (
    "this is a retry, and it is not known whether the attempt before it started the scenario:"
    " list the jobs, and send a requestId with each call to make retries safe"
)


class IdempotencyRecords:
    """The records, one for each call that is not a repetition."""

    def __init__(self, leases: ResourceClient[Lease], keep_seconds: int) -> None:
        """Keep records among `leases`; those with a requestId are kept `keep_seconds`."""
        self._leases = leases
        self._keep_seconds = keep_seconds

    async def record(
        self, run: Run, caller: str, deadline: Deadline, *, is_retry: bool = False
    ) -> Record:
        """Return the record of this call; for a repetition, that of the first call.

        `is_retry`: the caller's gRPC library has sent the call before. Raises RequestIdReused when
        the requestId was used for another body, RetryNotSafe when a retry has no record that
        identifies its earlier attempt, and Unreachable when it is not known whether the record was
        written: no job was created then.
        """
        new = self._new(run, await self._identity(run, caller))
        if is_retry and not run.request_id and await self._find(new) is None:
            raise RetryNotSafe(_UNKNOWN_ATTEMPT)
        while True:
            try:
                written = await create_until_known(self._leases, new, deadline)
            except AlreadyExists:
                written = None
            except (NotWritten, OutcomeUnknown) as error:
                why = answer_for(error).message
                raise Unreachable(f"{why}; no job was created, ask again") from error
            if (lease := written or await self._find(new)) is not None:
                _must_be_same(lease, new)
                return Record(lease, is_new=written is not None)
            # The record had expired and was removed just now: create it again.

    async def latest(self, record: Record) -> Record:
        """Return the record from the API server; raises Unreachable when it was removed."""
        lease = await self._find(record.lease)
        if lease is None or lease.metadata.uid != record.uid:
            raise Unreachable("the requestId is forgotten at this moment; no job was created")
        return Record(lease, is_new=False)

    async def existing(self, run: Run, caller: str) -> Record | None:
        """Return the record of an earlier attempt of this call, None when there was none."""
        new = self._new(run, await self._identity(run, caller))
        if (lease := await self._find(new)) is None:
            return None
        _must_be_same(lease, new)
        return Record(lease, is_new=False)

    async def check(self, run: Run, caller: str) -> None:
        """Raise RequestIdReused as `record` would, without writing."""
        await self.existing(run, caller)

    async def _identity(self, run: Run, caller: str) -> Identity:
        of_call = partial(identity, run, caller, correlation_id.current())
        return await offload_digest(of_call) if run.has_secrets else of_call()

    def _new(self, run: Run, call: Identity) -> Lease:
        return Lease(
            metadata=ObjectMeta(
                name=names.request_record(call.run_id),
                namespace=self._leases.namespace,
                annotations={well_known.FINGERPRINT: call.fingerprint},
            ),
            spec=LeaseSpec(
                holder_identity=call.holder,
                acquire_time=micro_time(datetime.now(UTC)),
                lease_duration_seconds=self._keep_seconds if run.request_id else CALL_SECONDS,
            ),
        )

    async def _find(self, lease: Lease) -> Lease | None:
        try:
            return await self._leases.get(lease.metadata.name)
        except NotFound:
            return None


def _must_be_same(lease: Lease, asked: Lease) -> None:
    wanted = asked.metadata.annotations[well_known.FINGERPRINT]
    if lease.metadata.annotations.get(well_known.FINGERPRINT) != wanted:
        raise RequestIdReused("the requestId was used before with another body")
