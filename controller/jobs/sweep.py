"""Removes what jobs left behind: Secrets that no job claimed or needs, records of old requests.

The server writes a job's inputs before the job, so those of a request that is under way belong
to nobody yet: only what is older than any request may take is looked at.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from controller.sweeping import keep_sweeping
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.errors import Conflict, NotFound, Unreadable
from krkn_grpc.kube.store import Store
from krkn_grpc.resources import labels, names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.ids import is_id
from krkn_grpc.resources.meta import ObjectMeta

_log = structlog.get_logger(__name__)

_JOB_SECRETS = f"{labels.APP}={labels.APP_SCENARIO},{labels.JOB_ID}"
_PAGE = 500


@dataclass(frozen=True)
class JobSweep:
    """Looks at all Secrets of jobs and all records of requests, at intervals.

    `look_again` is called with every job that is not finished: whatever was missed, a broken
    watch or a lost timer, is made good then.
    """

    jobs: WatchCache[ChaosJob]
    secrets: Store[Secret]
    leases: Store[Lease]
    look_again: Callable[[str], None]
    every_seconds: float
    unclaimed_seconds: float

    async def run(self) -> None:
        """Sweep until cancelled; a failure is tried again the next time."""
        await keep_sweeping(self.once, self.every_seconds)

    async def once(self) -> None:
        """Remove what nobody needs now."""
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
        job_id = secret.labels.get(labels.JOB_ID, "")
        if not is_id(job_id) or secret.name not in names.secrets_of(job_id):
            return False
        known = self.jobs.get(job_id)
        if known is not None and not known.status.is_final:
            return False
        try:
            job = await self.jobs.store.get(job_id)
        except NotFound:
            # With an owner that is gone, it is garbage that Kubernetes collects.
            age = timedelta(seconds=self.unclaimed_seconds)
            return not secret.owner_references and _is_older(secret, age)
        except Unreadable:
            return False
        is_its_own = secret.is_owned_by(job.metadata.uid) or not secret.owner_references
        return job.status.is_final and is_its_own

    async def _remove_records(self) -> None:
        after = ""
        while True:
            page = await self.leases.list(limit=_PAGE, after=after)
            for lease in page.items:
                kept_for = timedelta(seconds=lease.spec.lease_duration_seconds or 0)
                if names.is_request_record(lease.metadata.name) and _is_older(
                    lease.metadata, kept_for
                ):
                    with contextlib.suppress(NotFound, Conflict):
                        await self.leases.delete(lease.metadata.name, uid=lease.metadata.uid)
            if not (after := page.next):
                return


def _is_older(metadata: ObjectMeta, age: timedelta) -> bool:
    created = metadata.creation_timestamp
    return created is not None and datetime.now(UTC) - created > age
