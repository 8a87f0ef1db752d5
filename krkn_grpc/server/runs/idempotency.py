"""Writes the runs, so that a repeated call never starts a job twice.

Each call first writes its run (`record`): so every repetition, on any replica, has the same job
ids, and the API server creates each job only once. Before the controller does anything for a job,
it claims the job's id: it writes the job's uid into the run's status. A job that is created again,
after an earlier one of its id was deleted, finds the id claimed and does not start. The controller
removes a run when its last job is gone and no repetition has to be recognised any more.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.errors import AlreadyExists, NotFound, NotWritten, OutcomeUnknown
from krkn_grpc.kube.retry import create_until_known
from krkn_grpc.resources import ids
from krkn_grpc.resources.bounds import cut
from krkn_grpc.resources.chaos_run import ChaosRun, ClaimedRun, RefusedTarget, RunTarget
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.server import correlation_id
from krkn_grpc.server.errors import RequestIdReused, RetryNotSafe, Unreachable, answer_for
from krkn_grpc.server.limits import CALL_SECONDS
from krkn_grpc.server.offload import offload_digest
from krkn_grpc.server.runs import builders
from krkn_grpc.server.runs.idempotency_record import Identity, Record, identity
from krkn_grpc.server.runs.model import Run

_UNKNOWN_ATTEMPT = (
    "this is a retry, and it is not known whether the attempt before it started the scenario:"
    " list the jobs, and send a requestId with each call to make retries safe"
)
# In bytes. A run may have a thousand errors, and an object of the API server 1.5 MiB.
_LONGEST_ERROR = 512
_LONGEST_NAME = 253


class IdempotencyRecords:
    """The stored runs, one for each call that is not a repetition."""

    def __init__(
        self,
        runs: ResourceClient[ChaosRun],
        claims: ResourceClient[ClaimedRun],
        keep_seconds: int,
        default_ttl_seconds: int | None,
    ) -> None:
        """Keep records among `runs`; those with a requestId are kept `keep_seconds`.

        `default_ttl_seconds` is the time to live of finished jobs whose run gives none.
        """
        self._runs = runs
        self._claims = claims
        self._keep_seconds = keep_seconds
        self._default_ttl_seconds = default_ttl_seconds

    async def record(
        self,
        run: Run,
        caller: str,
        refused: Mapping[str, str],
        deadline: Deadline,
        *,
        is_retry: bool = False,
    ) -> Record:
        """Return the record of this call; for a repetition, that of the first call.

        `refused` has the error of each target that gets no job. `is_retry`: the caller's gRPC
        library has sent the call before. Raises RequestIdReused when the requestId was used for
        another body, RetryNotSafe when a retry has no record that identifies its earlier attempt,
        and Unreachable when it is not known whether the record was written: no job was created
        then.
        """
        call = await self._identity(run, caller)
        if is_retry and not run.request_id and await self._find(call) is None:
            raise RetryNotSafe(_UNKNOWN_ATTEMPT)
        new = self._new(run, call, refused, caller)
        while True:
            try:
                written = await create_until_known(self._runs, new, deadline)
            except AlreadyExists:
                written = None
            except (NotWritten, OutcomeUnknown) as error:
                why = answer_for(error).message
                raise Unreachable(f"{why}; no job was created; try again") from error
            if (stored := written or await self._find(call)) is not None:
                return Record(stored, is_new=written is not None)
            # The record had expired and was removed just now: create it again.

    async def claims(self, record: Record) -> Mapping[str, str]:
        """Return the ids that the controller has claimed: no other job of such an id starts.

        Raises Unreachable when the record was removed.
        """
        try:
            found = await self._claims.get(record.run.metadata.name)
        except NotFound:
            found = None
        if found is None or found.metadata.uid != record.uid:
            raise Unreachable("the requestId is forgotten at this moment; no job was created")
        return found.status.claims

    async def existing(self, run: Run, caller: str, *, is_retry: bool = False) -> Record | None:
        """Return the record of an earlier attempt of this call, None when there was none.

        Raises RequestIdReused and RetryNotSafe as `record` does.
        """
        found = await self._find(await self._identity(run, caller))
        if found is None and is_retry and not run.request_id:
            raise RetryNotSafe(_UNKNOWN_ATTEMPT)
        return None if found is None else Record(found, is_new=False)

    async def _identity(self, run: Run, caller: str) -> Identity:
        of_call = partial(identity, run, caller, correlation_id.current())
        return await offload_digest(of_call) if run.has_secrets else of_call()

    def _new(self, run: Run, call: Identity, refused: Mapping[str, str], caller: str) -> ChaosRun:
        return builders.chaos_run(
            run,
            ObjectMeta(name=call.run_id, namespace=self._runs.namespace),
            _targets([uuid for uuid in run.target_uuids if uuid not in refused]),
            [
                RefusedTarget(
                    target_uuid=cut(uuid, _LONGEST_NAME), error=cut(refused[uuid], _LONGEST_ERROR)
                )
                for uuid in run.target_uuids
                if uuid in refused
            ],
            fingerprint=call.fingerprint,
            idempotency_seconds=self._keep_seconds if run.request_id else CALL_SECONDS,
            default_ttl_seconds=self._default_ttl_seconds,
            caller=caller,
            trace=correlation_id.current(),
        )

    async def _find(self, call: Identity) -> ChaosRun | None:
        """Return the stored run of the call; raises RequestIdReused for another body's."""
        try:
            found = await self._runs.get(call.run_id)
        except NotFound:
            return None
        if found.spec.fingerprint != call.fingerprint:
            raise RequestIdReused("the requestId was used before with another body")
        return found


def _targets(uuids: Sequence[str]) -> list[RunTarget]:
    """Return the targets, each with a fresh job id; the ids are in their order."""
    job_ids = sorted(ids.new_id() for _ in uuids)
    return [
        RunTarget(target_uuid=uuid, job_id=job_id)
        for uuid, job_id in zip(uuids, job_ids, strict=True)
    ]
