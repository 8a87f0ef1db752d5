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
from krkn_grpc.server import trace
from krkn_grpc.server.auth.permission import Permission
from krkn_grpc.server.errors import NO_SUCH_TARGET, CallError, NoSuch, Unreachable, answer_for
from krkn_grpc.server.runs import blueprint, runnable
from krkn_grpc.server.runs.requests import Record, Requests
from krkn_grpc.server.runs.run import Run
from krkn_grpc.server.targets.registration import Registry

_CONCURRENT_WRITES = 32

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
        record = None
        if run.request_id and not run.validate_only:
            record = await self._requests.record(run, caller.user, deadline)
        outcomes = await asyncio.gather(
            *(self._one(run, uuid, caller, record, deadline) for uuid in run.target_uuids),
            return_exceptions=True,
        )
        if all(isinstance(outcome, errors.NotWritten) for outcome in outcomes):
            raise Unreachable("the Kubernetes API cannot be reached now; no job was created")
        return [
            _refused(uuid, outcome) if isinstance(outcome, BaseException) else outcome
            for uuid, outcome in zip(run.target_uuids, outcomes, strict=True)
        ]

    async def _one(
        self, run: Run, uuid: str, caller: Permission, record: Record | None, deadline: Deadline
    ) -> JobResult:
        async with self._writes:
            job_id = record.job_id(uuid) if record is not None else ids.new_id()
            if record is not None and (earlier := await self._earlier(record, uuid, job_id)):
                return earlier
            if not await caller.may_run(uuid):
                raise NoSuch(NO_SUCH_TARGET)
            target = await self._registry.get(uuid)
            runnable.check(target, run)
            if run.validate_only:
                return JobResult(uuid, "Pending")
            job = blueprint.job(run, target, job_id, caller.user, trace.current())
            return await self._write(run, job, deadline)

    async def _earlier(self, record: Record, uuid: str, job_id: str) -> JobResult | None:
        """Return what an earlier call with the same requestId has come to on this target."""
        if record.is_gone(job_id):
            return JobResult(uuid, "Pending", job_id)
        if record.is_new:
            return None
        try:
            job = self._cache.get(job_id) or await self._jobs.get(job_id)
        except errors.NotFound:
            return None
        return JobResult(uuid, "Pending", job_id, job=job)

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
            sentence = "the write was not confirmed: the job may exist; stop it by its jobId"
            return JobResult(uuid, "Unknown", job_id, sentence)
        if written is not None:
            self._cache.remember(written)
        return JobResult(uuid, "Pending", job_id, job=written)


def _refused(uuid: str, error: BaseException) -> JobResult:
    if not isinstance(error, Exception):
        raise error
    # A CallError's own text is meant for the caller; of any other the table says what may be told.
    sentence = str(error) if isinstance(error, CallError) else answer_for(error).message
    if not isinstance(error, CallError):
        _log.warning("a target got no job", target=uuid, exc_info=error)
    return JobResult(uuid, "Failed", error=sentence)
