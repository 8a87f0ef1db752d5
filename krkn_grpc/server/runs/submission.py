"""Writes one job per target, concurrently; a target's failure does not affect the others."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple

import structlog

from krkn_grpc.kube import errors
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.retry import create_until_known
from krkn_grpc.resources import names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.target import Target
from krkn_grpc.server import correlation_id
from krkn_grpc.server.auth.authorization import Permission
from krkn_grpc.server.errors import (
    INTERNAL,
    TOO_LATE,
    CallError,
    Halted,
    Unreachable,
    answer_for,
    without_frames,
)
from krkn_grpc.server.fair_semaphore import FairSemaphore
from krkn_grpc.server.halts.halts import Halts
from krkn_grpc.server.runs import builders, runnable
from krkn_grpc.server.runs.idempotency import IdempotencyRecords
from krkn_grpc.server.runs.idempotency_record import Record
from krkn_grpc.server.runs.model import Run
from krkn_grpc.server.runs.rights import refusals
from krkn_grpc.server.runs.tombstones import Tombstones
from krkn_grpc.server.targets.registration import Registry
from krkn_grpc.told import told

_CONCURRENT_WRITES = 64
_NOT_CONFIRMED = "the write was not confirmed: the job may exist; stop it by its jobId"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class JobResult:
    """The result of the run on one target.

    Created: `Pending`. Refused: `Failed`, and no job exists. Unknown: `Unknown`, and a job of
    this id may exist.
    """

    target_uuid: str
    status: Literal["Pending", "Failed", "Unknown"]
    job_id: str = ""
    error: str | None = None
    job: ChaosJob | None = None

    @property
    def pod_name(self) -> str:
        """The name of the job's pod, also before it exists."""
        return names.pod_for(self.job_id) if self.job_id else ""


class Submitted(NamedTuple):
    """The results of a call; `is_repeated` when an earlier call wrote its record."""

    results: list[JobResult]
    is_repeated: bool


class Submission:
    """Creates the jobs of runs."""

    def __init__(
        self,
        registry: Registry,
        halts: Halts,
        jobs: Informer[ChaosJob],
        secrets: ResourceClient[Secret],
        requests: IdempotencyRecords,
        default_ttl_seconds: int | None,
    ) -> None:
        """Read targets from `registry` and `halts`; write to `jobs`, `secrets` and `requests`.

        `default_ttl_seconds` is the time to live of finished jobs whose run gives none.
        """
        self._registry = registry
        self._halts = halts
        self._cache = jobs
        self._jobs = jobs.client
        self._secrets = secrets
        self._requests = requests
        self._default_ttl_seconds = default_ttl_seconds
        self._deleted = Tombstones(jobs)
        self._writes = FairSemaphore(_CONCURRENT_WRITES)

    async def submit(
        self, run: Run, caller: Permission, deadline: Deadline, *, is_retry: bool = False
    ) -> Submitted:
        """Return a result for each target, in the order of the request.

        Raises RequestIdReused and RetryNotSafe, Halted when all targets are halted, and Unreachable
        when the API server could not be asked at all and no job was written.
        """
        record: Record | None = None
        known: dict[str, JobResult] = {}
        refused = await refusals(caller, run.target_uuids, deadline)
        if not run.request_id and not run.validate_only:
            allowed = [uuid for uuid in run.target_uuids if uuid not in refused]
            refused |= await self._not_runnable(run, allowed, caller.user, deadline)
        if run.validate_only:
            if run.request_id:
                await self._requests.check(run, caller.user)
        # Without a target that can start, no record is written.
        elif run.request_id or len(refused) < len(run.target_uuids):
            record = await self._requests.record(run, caller.user, deadline, is_retry=is_retry)
        elif any(isinstance(error, Halted) for error in refused.values()):
            # The jobs of a call that is repeated may be what the halt was meant for.
            record = await self._requests.existing(run, caller.user)
        if record is not None:
            record, known = await self._known(run, record, caller.user)
        new = [uuid for uuid in run.target_uuids if uuid not in known]

        async def one(uuid: str) -> JobResult | Exception:
            try:
                return await self._one(run, uuid, caller, record, deadline)
            except Exception as error:
                # There may be 1,000 errors: only internal ones keep their frames, for the log.
                return error if answer_for(error) is INTERNAL else without_frames(error)

        allowed = [uuid for uuid in new if uuid not in refused]
        done = await self._writes.each(
            caller.user,
            allowed,
            one,
            seconds=deadline.remaining,
            late=errors.NotWritten(TOO_LATE),
        )
        outcomes = [refused.get(uuid) or done[uuid] for uuid in new]
        if not known and all(_was_away(outcome) for outcome in outcomes):
            raise Unreachable("the Kubernetes API cannot be reached now; no job was created")
        halted = [outcome for outcome in outcomes if isinstance(outcome, Halted)]
        if len(halted) == len(run.target_uuids):
            raise Halted(str(halted[0]))
        known |= {uuid: _result(uuid, outcome) for uuid, outcome in zip(new, outcomes, strict=True)}
        is_repeated = record is not None and not record.is_new
        return Submitted([known[uuid] for uuid in run.target_uuids], is_repeated)

    async def _not_runnable(
        self, run: Run, uuids: list[str], user: str, deadline: Deadline
    ) -> dict[str, Exception]:
        """Return an error for each target that cannot be run; none when the first can be run.

        So a call that starts nothing writes nothing, and most calls read one target more. A target
        that the API server did not return counts as runnable; its write finds the error.
        """

        async def refusal(uuid: str) -> Exception | None:
            try:
                async with asyncio.timeout(deadline.remaining):
                    await self._target(run, uuid)
            except CallError as error:
                return without_frames(error)
            except (errors.KubeError, TimeoutError):
                pass
            return None

        if not uuids or (first := await refusal(uuids[0])) is None:
            return {}
        others = await self._writes.each(
            user, uuids[1:], refusal, seconds=deadline.remaining, late=errors.NotWritten(TOO_LATE)
        )
        refused = {uuids[0]: first} | others
        return {uuid: error for uuid, error in refused.items() if error is not None}

    async def _known(
        self, run: Run, record: Record, user: str
    ) -> tuple[Record, dict[str, JobResult]]:
        """Return the current record, and the results of earlier attempts by target."""
        if record.is_new:
            return record, {}
        found = await asyncio.gather(
            *(self._earlier(record, uuid, user) for uuid in run.target_uuids)
        )
        known = {result.target_uuid: result for result in found if result is not None}
        if len(known) == len(run.target_uuids):
            return record, known
        # Read after the lookup: a job that existed and was not found was deleted before this.
        latest = await self._requests.latest(record)
        with suppress(errors.KubeError):
            await self._deleted.catch_up()
        for uuid in run.target_uuids:
            job_id = latest.job_id(uuid)
            if latest.is_claimed(job_id) or job_id in self._deleted:
                known.setdefault(uuid, JobResult(uuid, "Pending", job_id))
        return latest, known

    async def _earlier(self, record: Record, uuid: str, user: str) -> JobResult | None:
        """Return the result of an earlier attempt on this target, None when there is no job."""
        job_id = record.job_id(uuid)
        async with self._writes.turn(user):
            try:
                job = self._cache.get(job_id) or await self._jobs.get(job_id)
            except errors.NotFound:
                return None
            except errors.KubeError as error:
                _log.warning("a job could not be looked up", job=job_id, error=told(error))
                return JobResult(uuid, "Unknown", job_id, _NOT_CONFIRMED)
        if job.spec.run_uid != record.uid:
            # Another client has created a job of this id since: the call's own job is gone.
            return JobResult(uuid, "Pending", job_id)
        self._cache.remember(job)
        return JobResult(uuid, "Pending", job_id, job=job)

    async def _one(
        self,
        run: Run,
        uuid: str,
        caller: Permission,
        record: Record | None,
        deadline: Deadline,
    ) -> JobResult:
        if deadline.remaining <= 0:
            raise errors.NotWritten(TOO_LATE)
        try:
            async with asyncio.timeout(deadline.remaining):
                target = await self._target(run, uuid)
        except TimeoutError:
            raise errors.NotWritten(TOO_LATE) from None
        if record is None:
            return JobResult(uuid, "Pending")
        job_id = record.job_id(uuid)
        job = builders.job(
            run,
            target,
            record,
            job_id,
            caller.user,
            correlation_id.current(),
            default_ttl_seconds=self._default_ttl_seconds,
        )
        return await self._write(run, job, deadline)

    async def _target(self, run: Run, uuid: str) -> Target:
        target = await self._registry.get(uuid)
        if (halt := self._halts.over(target)) is not None:
            raise Halted(halt.message)
        runnable.check(target, run)
        return target

    async def _write(self, run: Run, job: ChaosJob, deadline: Deadline) -> JobResult:
        uuid, job_id = job.spec.target_uuid, job.metadata.name
        for secret in builders.secrets(run, job):
            # A repetition finds the Secrets of the first call: their names belong to this job only.
            with suppress(errors.AlreadyExists):
                await create_until_known(self._secrets, secret, deadline)
        written = None
        try:
            # This commits the run: a sweep removes Secrets without a job.
            written = await create_until_known(self._jobs, job, deadline)
        except errors.AlreadyExists:
            pass  # Another attempt of the same call has created the same job.
        except errors.OutcomeUnknown:
            return JobResult(uuid, "Unknown", job_id, _NOT_CONFIRMED)
        if written is None:
            with suppress(errors.KubeError):
                written = await self._jobs.get(job_id)
        if written is not None:
            self._cache.remember(written)
        return JobResult(uuid, "Pending", job_id, job=written)


def _was_away(outcome: JobResult | BaseException) -> bool:
    """Whether the API server could not be reached; a busy quota or webhook is an answer."""
    answered = errors.QuotaBusy | errors.WebhookAway
    return isinstance(outcome, errors.NotWritten) and not isinstance(outcome, answered)


def _result(uuid: str, outcome: JobResult | BaseException) -> JobResult:
    if isinstance(outcome, JobResult):
        return outcome
    if not isinstance(outcome, Exception):
        raise outcome
    # A CallError's own text is meant for the caller; other errors get the text from the table.
    if isinstance(outcome, CallError):
        return JobResult(uuid, "Failed", error=str(outcome))
    if answer_for(outcome) is INTERNAL:
        _log.warning("a target got no job", target=uuid, exc_info=outcome)
    else:
        _log.warning("a target got no job", target=uuid, error=told(outcome))
    return JobResult(uuid, "Failed", error=answer_for(outcome).message)
