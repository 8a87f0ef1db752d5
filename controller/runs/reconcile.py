"""Writes the status of a run, and deletes a run that nobody needs any more."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import structlog

from controller.runs.departures import Departures
from controller.runs.limits import unfinished_group
from controller.runs.model import Outcome
from controller.runs.progress import as_patch, status_of
from controller.work_queue import Requeue
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import Conflict, NotFound
from krkn_grpc.kube.informer import Informer
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

    clock: Callable[[], datetime]
    """The time as the API server has it."""

    # When the status was last written, by run, of those that are not final.
    _written: dict[str, float] = field(default_factory=dict)

    async def reconcile(self, run_id: str) -> float | None:
        """Write the run's status if it is due; return the seconds until the next look, if any.

        Raises Requeue when the run was not as it was seen.
        """
        run = self.runs.get(run_id)
        if run is None or run.metadata.deletion_timestamp is not None:
            self._forget(run_id)
            return None
        # A look at a thousand jobs for each change of one would be a million.
        if (left := self._wait(run_id)) > 0 and self.jobs.count(unfinished_group(run_id)):
            return left
        jobs = self._jobs(run)
        missing = [
            each.job_id
            for each in run.spec.targets
            if each.job_id not in jobs and each.job_id not in run.status.departed
        ]
        departing = await self._departing(run, jobs, missing)
        now = self.clock().replace(microsecond=0)
        status = status_of(run, jobs, departing, now)
        if status != run.status and not _has_not_begun(run, status):
            if left > 0 and status.phase == run.status.phase:
                return left
            await self._write(run, status)
        if not status.is_final:
            return _LOOK_AGAIN_SECONDS if missing else None
        self._written.pop(run_id, None)
        if not jobs and self._is_forgettable(run):
            await self._delete(run_id)
        return None

    def is_due(self, run: ChaosRun) -> bool:
        """Whether a sweep should look at the run."""
        return not run.status.is_final or self._is_forgettable(run)

    def _jobs(self, run: ChaosRun) -> dict[str, ChaosJob]:
        found = (self.jobs.get(each.job_id) for each in run.spec.targets)
        uid = run.metadata.uid
        return {
            job.metadata.name: job for job in found if job is not None and job.spec.run_uid == uid
        }

    async def _departing(
        self, run: ChaosRun, jobs: Mapping[str, ChaosJob], missing: list[str]
    ) -> dict[str, Outcome]:
        """Return the outcomes of the jobs that count as gone from now on."""
        seen = self.departures.of(run.metadata.name)
        departing: dict[str, Outcome] = {
            job_id: seen[job_id]
            for job_id in jobs
            if job_id in seen and jobs[job_id].status.is_final
        }
        unexplained = []
        for job_id in missing:
            if self._can_run(job_id):
                continue
            if job_id in seen:
                departing[job_id] = seen[job_id]
            else:
                unexplained.append(job_id)
        written_by = run.written_by(self.longest_call)
        if unexplained and written_by is not None and self.clock() > written_by:
            departing |= await self._looked_up(run, unexplained)
        return departing

    def _can_run(self, job_id: str) -> bool:
        """Whether a pod of a job that is gone is left: it has its grace period."""
        pod = self.pods.get(names.pod_for(job_id))
        return pod is not None and not pod.is_terminal

    async def _looked_up(self, run: ChaosRun, job_ids: list[str]) -> dict[str, Outcome]:
        """Return the outcomes of jobs that nobody saw go: never created, or not known."""
        try:
            claimed = await self.claims.get(run.metadata.name)
        except NotFound:
            raise Requeue("the run is gone") from None
        found: dict[str, Outcome] = {}
        for job_id in job_ids:
            try:
                await self.jobs.client.get_metadata(job_id)
            except NotFound:
                # One whose outcome is not known counts as failed, as far as a limit asks.
                found[job_id] = "failed" if job_id in claimed.status.claims else "refused"
        return found

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


def _has_not_begun(run: ChaosRun, status: ChaosRunStatus) -> bool:
    """Whether there is nothing to write yet: who reads the run counts its list."""
    return run.status.counts is None and status.phase == "Pending" and not status.departed
