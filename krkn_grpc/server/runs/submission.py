"""Writes one job a target, concurrently; one target's failure never touches another's."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import structlog

from krkn_grpc.kube import errors
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.store import Store
from krkn_grpc.kube.write import create
from krkn_grpc.resources import ids, names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.target import Target
from krkn_grpc.server import trace
from krkn_grpc.server.auth.permission import Permission
from krkn_grpc.server.errors import NO_SUCH_TARGET, CallError, NoSuch, Unreachable, answer_for
from krkn_grpc.server.runs import blueprint, runnable
from krkn_grpc.server.runs.requests import Record, Requests
from krkn_grpc.server.runs.run import Run
from krkn_grpc.server.targets.registration import Registry

_CONCURRENT_WRITES = 64
_NOT_CONFIRMED = "the write was not confirmed: the job may exist; stop it by its jobId"
_TOO_LATE = "the time of the call was over"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class JobResult:
    """What became of the run on one target.

    Created: `Pending`. Refused: `Failed`, and nothing exists. Unknown: `Unknown`, and a job of
    this id may exist.
    """

    target_uuid: str
    status: Literal["Pending", "Failed", "Unknown"]
    job_id: str = ""
    error: str | None = None
    job: ChaosJob | None = None

    @property
    def pod_name(self) -> str:
        """The name that the job's pod has or will have."""
        return names.pod_for(self.job_id) if self.job_id else ""


class Submission:
    """Turns runs into jobs."""

    def __init__(
        self,
        registry: Registry,
        jobs: WatchCache[ChaosJob],
        secrets: Store[Secret],
        requests: Requests,
    ) -> None:
        """Find targets in `registry`; write jobs and the Secrets of their inputs."""
        self._registry = registry
        self._cache = jobs
        self._jobs = jobs.store
        self._secrets = secrets
        self._requests = requests
        self._writes = asyncio.Semaphore(_CONCURRENT_WRITES)

    async def submit(self, run: Run, caller: Permission, deadline: Deadline) -> list[JobResult]:
        """Return a result for each target, in the order of the request.

        Raises RequestIdReused, and Unreachable when the API server could not be asked at all and
        nothing was written.
        """
        asked_at = self._cache.revision
        record: Record | None = None
        known: dict[str, JobResult] = {}
        if run.request_id and run.validate_only:
            await self._requests.check(run, caller.user)
        elif run.request_id:
            record, known = await self._recorded(run, caller, deadline)
        new = [uuid for uuid in run.target_uuids if uuid not in known]
        outcomes = await asyncio.gather(
            *(self._one(run, uuid, caller, record, asked_at, deadline) for uuid in new),
            return_exceptions=True,
        )
        if not known and all(isinstance(outcome, errors.NotWritten) for outcome in outcomes):
            raise Unreachable("the Kubernetes API cannot be reached now; no job was created")
        known |= {uuid: _result(uuid, outcome) for uuid, outcome in zip(new, outcomes, strict=True)}
        return [known[uuid] for uuid in run.target_uuids]

    async def _recorded(
        self, run: Run, caller: Permission, deadline: Deadline
    ) -> tuple[Record, dict[str, JobResult]]:
        """Return the request's record, and what earlier calls have come to, by target."""
        record = await self._requests.record(run, caller.user, deadline)
        if record.is_new:
            return record, {}
        found = await asyncio.gather(*(self._earlier(record, uuid) for uuid in run.target_uuids))
        # Only now: a job that was not found has left its id in the record before it went.
        record = await self._requests.latest(record)
        known = {result.target_uuid: result for result in found if result is not None}
        for uuid in run.target_uuids:
            if record.is_gone(job_id := record.job_id(uuid)):
                known.setdefault(uuid, JobResult(uuid, "Pending", job_id))
        return record, known

    async def _earlier(self, record: Record, uuid: str) -> JobResult | None:
        """Return what an earlier call has come to on this target, None when there is no job."""
        job_id = record.job_id(uuid)
        async with self._writes:
            try:
                job = self._cache.get(job_id) or await self._jobs.get(job_id)
            except errors.NotFound:
                return None
            except errors.KubeError as error:
                _log.warning("a job could not be looked up", job=job_id, error=str(error))
                return JobResult(uuid, "Unknown", job_id, _NOT_CONFIRMED)
        self._cache.remember(job)
        return JobResult(uuid, "Pending", job_id, job=job)

    async def _one(
        self,
        run: Run,
        uuid: str,
        caller: Permission,
        record: Record | None,
        asked_at: int,
        deadline: Deadline,
    ) -> JobResult:
        job_id = record.job_id(uuid) if record is not None else ids.new_id()
        async with self._writes:
            if deadline.remaining <= 0:
                raise errors.NotWritten(_TOO_LATE)
            try:
                async with asyncio.timeout(deadline.remaining):
                    target = await self._target(run, uuid, caller)
            except TimeoutError:
                raise errors.NotWritten(_TOO_LATE) from None
            if run.validate_only:
                return JobResult(uuid, "Pending")
            job = blueprint.job(run, target, job_id, caller.user, trace.current(), asked_at)
            return await self._write(run, job, deadline)

    async def _target(self, run: Run, uuid: str, caller: Permission) -> Target:
        if not await caller.may_run(uuid):
            raise NoSuch(NO_SUCH_TARGET)
        target = await self._registry.get(uuid)
        runnable.check(target, run)
        return target

    async def _write(self, run: Run, job: ChaosJob, deadline: Deadline) -> JobResult:
        uuid, job_id = job.spec.target_uuid, job.metadata.name
        for secret in blueprint.secrets(run, job):
            # A repetition finds what the first call wrote: the names are this job's alone.
            with suppress(errors.AlreadyExists):
                await create(self._secrets, secret, deadline)
        written = None
        try:
            # The commit: what is written before it is swept up when no job claims it.
            written = await create(self._jobs, job, deadline)
        except errors.AlreadyExists:
            pass  # Another call with the same requestId was faster, with the same job.
        except errors.OutcomeUnknown:
            return JobResult(uuid, "Unknown", job_id, _NOT_CONFIRMED)
        if written is None:
            with suppress(errors.KubeError):
                written = await self._jobs.get(job_id)
        if written is not None:
            self._cache.remember(written)
        return JobResult(uuid, "Pending", job_id, job=written)


def _result(uuid: str, outcome: JobResult | BaseException) -> JobResult:
    if isinstance(outcome, JobResult):
        return outcome
    if not isinstance(outcome, Exception):
        raise outcome
    # A CallError's own text is meant for the caller; of any other the table says what may be told.
    if isinstance(outcome, CallError):
        return JobResult(uuid, "Failed", error=str(outcome))
    _log.warning("a target got no job", target=uuid, exc_info=outcome)
    return JobResult(uuid, "Failed", error=answer_for(outcome).message)
