"""Removes leftovers of jobs: Secrets that no job claimed or needs.

The server writes a job's inputs before the job, so inputs of a request in progress have no owner
yet: those without a job are removed only when they are older than any request may take.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from controller.sweeping import keep_sweeping
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import Conflict, NotFound, Unreadable
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.ids import is_id
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.telemetry import metrics

_log = structlog.get_logger(__name__)

_JOB_SECRETS = f"{well_known.APP}={well_known.APP_SCENARIO},{well_known.JOB_ID}"


@dataclass(frozen=True)
class JobSweep:
    """Checks all Secrets of jobs, at intervals.

    `look_again` is called with the id of every unfinished job: its reconcile makes up for a broken
    watch or a lost timer.
    """

    jobs: Informer[ChaosJob]
    secrets: ResourceClient[Secret]
    look_again: Callable[[str], None]
    is_overdue: Callable[[ChaosJob], bool]
    """Whether a job runs longer than it may."""
    every_seconds: float
    unclaimed_seconds: float
    clock: Callable[[], datetime]
    """The time as the API server has it."""

    async def run(self) -> None:
        """Sweep until cancelled; the next sweep retries what failed."""
        try:
            await keep_sweeping(self.once, self.every_seconds)
        finally:
            metrics.JOBS_OVERDUE.set(0)

    async def once(self) -> None:
        """Requeue unfinished jobs, and remove Secrets that are not needed."""
        unfinished = [job for job in self.jobs.values() if not job.status.is_final]
        for job in unfinished:
            self.look_again(job.metadata.name)
        metrics.JOBS_OVERDUE.set(sum(map(self.is_overdue, unfinished)))
        for secret in await self.secrets.list_metadata(labels=_JOB_SECRETS):
            if await self._is_left_over(secret):
                with contextlib.suppress(NotFound, Conflict):
                    await self.secrets.delete(secret.name, uid=secret.uid)
                    metrics.SWEPT.labels("Secret").inc()
                    _log.info("secret of no job removed", secret=secret.name)

    async def _is_left_over(self, secret: ObjectMeta) -> bool:
        job_id = secret.labels.get(well_known.JOB_ID, "")
        if not is_id(job_id) or secret.name not in names.secrets_of(job_id):
            return False
        known = self.jobs.get(job_id)
        if known is not None and not known.status.is_final:
            return False
        try:
            job = await self.jobs.client.get(job_id)
        except NotFound:
            # If its owner is gone, Kubernetes' garbage collector deletes it.
            age = timedelta(seconds=self.unclaimed_seconds)
            return not secret.owner_references and self._is_older(secret, age)
        except Unreadable:
            return False
        is_its_own = secret.is_owned_by(job.metadata.uid) or not secret.owner_references
        return job.status.is_final and is_its_own

    def _is_older(self, metadata: ObjectMeta, age: timedelta) -> bool:
        created = metadata.creation_timestamp
        return created is not None and self.clock() - created > age
