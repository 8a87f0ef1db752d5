"""Removes leftovers of jobs: Secrets that no job claimed or needs, records of old requests.

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
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.ids import is_id
from krkn_grpc.resources.meta import ObjectMeta

_log = structlog.get_logger(__name__)

_JOB_SECRETS = f"{well_known.APP}={well_known.APP_SCENARIO},{well_known.JOB_ID}"
# A record may have a thousand claims, and 100 KiB.
_RECORDS_PAGE = 50
# How long after its call a job, or its start, may still be written.
_STARTS = timedelta(minutes=2)


@dataclass(frozen=True)
class JobSweep:
    """Checks all Secrets of jobs and all records of requests, at intervals.

    `look_again` is called with the id of every unfinished job: its reconcile makes up for a broken
    watch or a lost timer.
    """

    jobs: Informer[ChaosJob]
    secrets: ResourceClient[Secret]
    leases: ResourceClient[Lease]
    look_again: Callable[[str], None]
    every_seconds: float
    unclaimed_seconds: float
    start_deadline_seconds: float
    clock: Callable[[], datetime]
    """The time as the API server has it."""

    async def run(self) -> None:
        """Sweep until cancelled; the next sweep retries what failed."""
        await keep_sweeping(self.once, self.every_seconds)

    async def once(self) -> None:
        """Requeue unfinished jobs, and remove Secrets and records that are not needed."""
        for job in list(self.jobs.values()):
            if not job.status.is_final:
                self.look_again(job.metadata.name)
        for secret in await self.secrets.list_metadata(labels=_JOB_SECRETS):
            if await self._is_left_over(secret):
                with contextlib.suppress(NotFound, Conflict):
                    await self.secrets.delete(secret.name, uid=secret.uid)
                    _log.info("secret of no job removed", secret=secret.name)
        await self._remove_records()

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

    async def _remove_records(self) -> None:
        after = ""
        # A job may wait for its turn longer than its record is kept.
        needed = {job.spec.run_id for job in self.jobs.values() if not job.status.is_final}
        while True:
            page = await self.leases.list(limit=_RECORDS_PAGE, after=after)
            for lease in page.items:
                kept_for = timedelta(seconds=lease.spec.lease_duration_seconds or 0)
                # A job that waits to start needs its record.
                kept_for = max(kept_for, timedelta(seconds=self.start_deadline_seconds) + _STARTS)
                if not names.is_request_record(lease.metadata.name):
                    continue
                run_id = lease.metadata.name.removeprefix(names.REQUEST_RECORD)
                if run_id not in needed and self._is_older(lease.metadata, kept_for):
                    with contextlib.suppress(NotFound, Conflict):
                        await self.leases.delete(lease.metadata.name, uid=lease.metadata.uid)
            if not (after := page.next):
                return

    def _is_older(self, metadata: ObjectMeta, age: timedelta) -> bool:
        created = metadata.creation_timestamp
        return created is not None and self.clock() - created > age
