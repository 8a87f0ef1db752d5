"""Writes the status of a run, and deletes a run that nobody needs any more."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import structlog

from controller.jobs.model import is_of_some_job
from controller.runs.departures import Departures, outcome_of
from controller.runs.limits import unfinished_group
from controller.runs.model import Outcome
from controller.runs.progress import as_patch, status_of
from controller.work_queue import Requeue
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import Conflict, NotFound
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.paths import BadName
from krkn_grpc.resources import names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun, ChaosRunStatus, ClaimedRun
from krkn_grpc.resources.pod import Pod

_BETWEEN_WRITES_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 2.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RunReconciler:
    """Reconciles runs."""

    runs: Informer[ChaosRun]
    jobs: Informer[ChaosJob]
    pods: Informer[Pod]
    claims: ResourceClient[ClaimedRun]
    departures: Departures
    longest_call: timedelta
    """The longest time of a call's writes."""

    node_lost: timedelta
    """How long after its grace period a pod that does not end counts as running."""

    clock: Callable[[], datetime]
    """The time as the API server has it."""

    # When the status was last written, by run.
    _written: dict[str, float] = field(default_factory=dict)

    async def reconcile(self, run_id: str) -> float | None:
        """Write the run's status if it is due; return the seconds until the next look, if any.

        Raises Requeue when the run was not as it was seen.
        """
        run = self.runs.get(run_id)
        if run is None:
            return await self._absent(run_id)
        if run.metadata.deletion_timestamp is not None:
            self._forget(run_id)
            return None
        # A look at a thousand jobs for each change of one would be a million.
        if (left := self._wait(run_id)) > 0 and self.jobs.count(unfinished_group(run_id)):
            return left
        jobs = self._jobs(run)
        known = jobs.keys() | frozenset(run.status.departed)
        missing = [each.job_id for each in run.spec.targets if each.job_id not in known]
        departing = await self._departing(run, jobs, missing)
        now = self.clock().replace(microsecond=0)
        status = status_of(run, jobs, departing, now)
        if status != run.status and not _has_not_begun(run, status):
            if left > 0 and status.phase == run.status.phase:
                return left
            await self._write(run, status)
        if any(job_id not in departing for job_id in missing):
            return _LOOK_AGAIN_SECONDS
        if not jobs and status.is_final and self._is_forgettable(run):
            await self._delete(run_id)
        return None

    async def _absent(self, run_id: str) -> float | None:
        """Forget a run that is gone; one that is only missing in the cache comes."""
        try:
            await self.runs.client.get_metadata(run_id)
        except (NotFound, BadName):
            self._forget(run_id)
            return None
        return _LOOK_AGAIN_SECONDS

    def is_due(self, run: ChaosRun) -> bool:
        """Whether a sweep should look at the run."""
        return not run.status.is_final or self._is_forgettable(run)

    def _jobs(self, run: ChaosRun) -> dict[str, ChaosJob]:
        found = (self.jobs.get(each.job_id) for each in run.spec.targets)
        return {job.metadata.name: job for job in found if job is not None and _is_of(run, job)}

    async def _departing(
        self, run: ChaosRun, jobs: Mapping[str, ChaosJob], missing: list[str]
    ) -> dict[str, Outcome]:
        """Return the outcomes of the jobs that count as gone from now on."""
        seen = self.departures.of(run.metadata.name)
        departing: dict[str, Outcome] = {
            job_id: outcome_of(job)
            for job_id, job in jobs.items()
            if job_id in seen and job.status.is_final
        }
        unexplained = []
        for job_id in missing:
            if job_id not in seen:
                unexplained.append(job_id)
            # The end of a final job is known; one that was deleted before has its grace period.
            elif seen[job_id] != "stopped" or not await self._can_run(job_id):
                departing[job_id] = seen[job_id]
        written_by = run.written_by(self.longest_call)
        if unexplained and written_by is not None and self.clock() > written_by:
            departing |= await self._looked_up(run, unexplained)
        return departing

    async def _can_run(self, job_id: str) -> bool:
        """Whether a pod of a job that is gone may still run; one that is not seen is read."""
        name = names.pod_for(job_id)
        pod = self.pods.get(name)
        if pod is None:
            try:
                pod = await self.pods.client.get(name)
            except NotFound:
                return False
        if pod.is_terminal or not is_of_some_job(pod, job_id):
            return False
        asked = pod.metadata.deletion_timestamp
        return asked is None or self.clock() < asked + self.node_lost

    async def _looked_up(self, run: ChaosRun, job_ids: list[str]) -> dict[str, Outcome]:
        """Return the outcomes of jobs that nobody saw go: never created, or not known."""
        gone = []
        for job_id in job_ids:
            try:
                job = await self.jobs.client.get(job_id)
            except NotFound:
                job = None
            # Another job of the id, made by hand, is no job of the run.
            if (job is None or not _is_of(run, job)) and not await self._can_run(job_id):
                gone.append(job_id)
        try:
            # After the jobs: what is claimed was there.
            claimed = await self.claims.get(run.metadata.name)
        except NotFound:
            raise Requeue("the run is gone") from None
        claims = claimed.status.claims
        return {job_id: "unknown" if job_id in claims else "refused" for job_id in gone}

    def _wait(self, run_id: str) -> float:
        """Return for how many seconds a write is put off, unless the phase changes."""
        last = self._written.get(run_id)
        return 0.0 if last is None else last + _BETWEEN_WRITES_SECONDS - time.monotonic()

    async def _write(self, run: ChaosRun, status: ChaosRunStatus) -> None:
        name = run.metadata.name
        # A merge, because the claims in the same status are written by themselves.
        metadata = {"resourceVersion": run.metadata.resource_version, "managedFields": [{}]}
        part = {"metadata": metadata, "status": as_patch(status)}
        try:
            written = await self.runs.client.merge_status(name, part)
        except (Conflict, NotFound) as error:
            raise Requeue(str(error)) from error
        self._written[name] = time.monotonic()
        self.runs.remember(msgspec.structs.replace(run, metadata=written, status=status))
        self.departures.forget(name, status.departed)

    def _is_forgettable(self, run: ChaosRun) -> bool:
        """Whether no repetition of the call has to be recognised any more."""
        created, written_by = run.metadata.creation_timestamp, run.written_by(self.longest_call)
        if created is None or written_by is None:
            return False
        known_until = created + timedelta(seconds=run.spec.idempotency_seconds)
        return self.clock() > max(known_until, written_by)

    async def _delete(self, run_id: str) -> None:
        run = self.runs.get(run_id)
        if run is None:
            return
        seen = run.metadata
        try:
            await self.runs.client.delete(
                seen.name, uid=seen.uid, resource_version=seen.resource_version
            )
        except NotFound:
            return
        except Conflict as error:
            raise Requeue(str(error)) from error
        _log.info("run of no jobs removed", run=run_id)

    def _forget(self, run_id: str) -> None:
        self._written.pop(run_id, None)
        self.departures.forget(run_id)


def _is_of(run: ChaosRun, job: ChaosJob) -> bool:
    return job.spec.run_uid == run.metadata.uid


def _has_not_begun(run: ChaosRun, status: ChaosRunStatus) -> bool:
    """Whether there is nothing to write yet: who reads the run counts its list."""
    is_as_it_began = run.status.counts is None and status.counts == run.counts
    return is_as_it_began and status.phase == "Pending" and not status.departed
