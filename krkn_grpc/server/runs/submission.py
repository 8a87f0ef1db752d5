"""Writes a run and its jobs, concurrently; a target's failure does not affect the others."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from krkn_grpc.kube import errors
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.retry import create_until_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.target import Target
from krkn_grpc.server import correlation_id
from krkn_grpc.server.auth.authorization import Permission
from krkn_grpc.server.errors import (
    INTERNAL,
    TOO_LATE,
    Halted,
    NoSuch,
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
from krkn_grpc.server.runs.results import (
    JobResult,
    Submitted,
    checked,
    result,
    submitted,
    told_to_caller,
    was_away,
)
from krkn_grpc.server.runs.rights import refusals
from krkn_grpc.server.runs.tombstones import Tombstones
from krkn_grpc.server.targets.registration import Registry
from krkn_grpc.telemetry import tracing
from krkn_grpc.told import told

_CONCURRENT_WRITES = 64
# Targets that are looked at before other calls have their turn; some microseconds each.
_IN_ONE_PIECE = 100
# For targets that are changed at this moment; half of the call's time at most.
_SETTLE_SECONDS = 3.0
_NOT_CONFIRMED = "the write was not confirmed: the job may exist; stop it by its jobId"
_ID_TAKEN = "somebody else has created a job of this job's id"
_REFUSALS = (NoSuch, runnable.NotRunnable, Halted)
_NEVER_CREATED = "the job was not created in the time of its run, and is not created any more"

_log = structlog.get_logger(__name__)


class Submission:
    """Creates the runs and their jobs."""

    def __init__(
        self,
        registry: Registry,
        halts: Halts,
        jobs: Informer[ChaosJob],
        secrets: ResourceClient[Secret],
        requests: IdempotencyRecords,
        clock: Callable[[], datetime],
        longest_call: timedelta,
    ) -> None:
        """Read targets from `registry` and `halts`; write to `jobs`, `secrets` and `requests`.

        `clock` is the time as the API server has it, `longest_call` the longest time of a call's
        writes.
        """
        self._registry = registry
        self._halts = halts
        self._cache = jobs
        self._jobs = jobs.client
        self._secrets = secrets
        self._requests = requests
        self._clock = clock
        self._longest_call = longest_call
        self._deleted = Tombstones(jobs)
        self._writes = FairSemaphore(_CONCURRENT_WRITES)

    async def submit(
        self, run: Run, caller: Permission, deadline: Deadline, *, is_retry: bool = False
    ) -> Submitted:
        """Return a result for each target, in the order of the request.

        Raises RequestIdReused and RetryNotSafe, Halted when all targets are halted, and Unreachable
        when the API server could not be asked at all and no job was written.
        """
        refused = await refusals(caller, run.target_uuids, deadline)
        allowed = [uuid for uuid in run.target_uuids if uuid not in refused]
        targets, unfit = await self._targets(run, allowed, caller.user, deadline)
        refused |= unfit
        if run.validate_only:
            return await self._validated(run, refused, caller.user)
        record = await self._record(run, targets, refused, caller.user, deadline, is_retry)
        if record is None:
            results = [result(uuid, refused[uuid]) for uuid in run.target_uuids]
            return submitted(results, refused, None)
        known = await self._known(run, record, caller.user)

        async def one(uuid: str) -> JobResult | Exception:
            if uuid in refused:
                return _refusal(uuid, refused[uuid], record)
            try:
                return await self._one(run, targets[uuid], caller, record, deadline)
            except Exception as error:
                # There may be 1,000 errors: only internal ones keep their frames, for the log.
                return error if answer_for(error) is INTERNAL else without_frames(error)

        outcomes = await self._writes.each(
            caller.user,
            [uuid for uuid in run.target_uuids if uuid not in known],
            one,
            seconds=deadline.remaining,
            late=errors.NotWritten(TOO_LATE),
        )
        if not known and all(was_away(outcome) for outcome in outcomes.values()):
            raise Unreachable("the Kubernetes API cannot be reached now; no job was created")
        known |= {uuid: result(uuid, outcome) for uuid, outcome in outcomes.items()}
        return submitted([known[uuid] for uuid in run.target_uuids], {}, record)

    async def _validated(self, run: Run, refused: Mapping[str, Exception], user: str) -> Submitted:
        """Return what would become of the run; of a requestId's run that exists, what it has.

        Raises RequestIdReused.
        """
        record = await self._requests.existing(run, user) if run.request_id else None
        if record is None:
            return submitted([checked(uuid, refused) for uuid in run.target_uuids], refused, None)
        known = await self._known(run, record, user)
        results = [known.get(uuid) or checked(uuid, refused) for uuid in run.target_uuids]
        return submitted(results, {}, record)

    async def _targets(
        self, run: Run, uuids: Sequence[str], user: str, deadline: Deadline
    ) -> tuple[dict[str, Target], dict[str, Exception]]:
        """Return the targets that can be run, and the errors of the others."""
        settled_by = Deadline.within(min(_SETTLE_SECONDS, deadline.remaining / 2))

        async def one(uuid: str) -> Target | Exception:
            try:
                async with asyncio.timeout(deadline.remaining):
                    return self._fit(run, await self._registry.settled(uuid, settled_by))
            except TimeoutError:
                return errors.NotWritten(TOO_LATE)
            except Exception as error:
                return error if answer_for(error) is INTERNAL else without_frames(error)

        found: dict[str, Target | Exception] = {}
        for index, uuid in enumerate(uuids, start=1):
            if (known := self._registry.known(uuid)) is not None:
                try:
                    found[uuid] = self._fit(run, known)
                except (Halted, runnable.NotRunnable) as error:
                    found[uuid] = without_frames(error)
            if index % _IN_ONE_PIECE == 0:
                await asyncio.sleep(0)
        found |= await self._writes.each(
            user,
            [uuid for uuid in uuids if uuid not in found],
            one,
            seconds=deadline.remaining,
            late=errors.NotWritten(TOO_LATE),
        )
        targets = {uuid: each for uuid, each in found.items() if isinstance(each, Target)}
        return targets, {uuid: each for uuid, each in found.items() if not isinstance(each, Target)}

    async def _record(
        self,
        run: Run,
        targets: Mapping[str, Target],
        refused: Mapping[str, Exception],
        user: str,
        deadline: Deadline,
        is_retry: bool,
    ) -> Record | None:
        """Return the record of the call, or None: it is not a repetition, and nothing can start."""
        if targets:
            # An error that may pass is no refusal: a repetition of the call may write the job.
            final = {
                uuid: told_to_caller(uuid, error)
                for uuid, error in refused.items()
                if isinstance(error, _REFUSALS)
            }
            return await self._requests.record(run, user, final, deadline, is_retry=is_retry)
        if all(map(was_away, refused.values())):
            return None
        # A call that starts nothing writes nothing. An earlier attempt may have started jobs.
        return await self._requests.existing(run, user, is_retry=is_retry)

    async def _known(self, run: Run, record: Record, user: str) -> dict[str, JobResult]:
        """Return what is known of earlier attempts, by target; of this one, what is refused."""
        known = {
            uuid: JobResult(uuid, "Failed", error=error) for uuid, error in record.refused.items()
        }
        if record.is_new:
            return known
        # A name that is too long to be stored whole names no target: it is refused again.
        uuids = [uuid for uuid in run.target_uuids if uuid in record.job_ids]
        found = await asyncio.gather(*(self._earlier(record, uuid, user) for uuid in uuids))
        known |= {result.target_uuid: result for result in found if result is not None}
        if len(known) == len(run.target_uuids):
            return known
        # Read after the lookup: a job that existed and was not found was deleted before this.
        claims = await self._requests.claims(record)
        with suppress(errors.KubeError):
            await self._deleted.catch_up()
        is_closed = record.is_closed(self._clock(), self._longest_call)
        for uuid in uuids:
            job_id = record.job_ids[uuid]
            if job_id in claims or job_id in self._deleted:
                known.setdefault(uuid, JobResult(uuid, "Pending", job_id))
            elif is_closed:
                known.setdefault(uuid, JobResult(uuid, "Failed", error=_NEVER_CREATED))
        return known

    async def _earlier(self, record: Record, uuid: str, user: str) -> JobResult | None:
        """Return the result of an earlier attempt on this target, None when there is no job."""
        job_id = record.job_ids[uuid]
        async with self._writes.turn(user):
            try:
                job = self._cache.get(job_id) or await self._jobs.get(job_id)
            except errors.NotFound:
                return None
            except errors.KubeError as error:
                _log.warning("a job could not be looked up", job=job_id, error=told(error))
                return JobResult(uuid, "Unknown", job_id, _NOT_CONFIRMED)
        if job.spec.run_uid != record.uid:
            # Another client's: the call's own job is gone, or was never created.
            return None
        self._cache.remember(job)
        return JobResult(uuid, "Pending", job_id, job=job)

    async def _one(
        self, run: Run, target: Target, caller: Permission, record: Record, deadline: Deadline
    ) -> JobResult:
        if deadline.remaining <= 0:
            raise errors.NotWritten(TOO_LATE)
        job_id = record.job_ids[target.metadata.name]
        here = tracing.current()
        job = builders.job(
            run,
            target,
            record.run,
            job_id,
            caller.user,
            correlation_id.current(),
            "" if here is None else str(here),
        )
        return await self._write(run, job, deadline)

    def _fit(self, run: Run, target: Target) -> Target:
        """Return the target; raises Halted and NotRunnable."""
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
        if written is not None and written.spec.run_uid != job.spec.run_uid:
            return JobResult(uuid, "Failed", error=_ID_TAKEN)
        if written is not None:
            self._cache.remember(written)
        return JobResult(uuid, "Pending", job_id, job=written)


def _refusal(uuid: str, error: Exception, record: Record) -> JobResult | Exception:
    """Return the error; of a repetition, that another attempt may still write the job."""
    if record.is_new or uuid not in record.job_ids:
        return error
    return JobResult(uuid, "Unknown", record.job_ids[uuid], told_to_caller(uuid, error))
