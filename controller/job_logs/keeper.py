"""Writes kept logs, and deletes those that are too many or that nobody owns."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from controller.job_logs import reasons
from controller.job_logs.compression import Compressed
from controller.job_logs.room import Room
from controller.reason import Reason
from controller.sweeping import keep_sweeping
from krkn_grpc.kube import errors
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.retry import create_until_known
from krkn_grpc.resources import kept_log, well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.kept_log import KeptLog, KeptLogHead, KeptLogSpec
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.told import told

_log = structlog.get_logger(__name__)

# A job waits for them, one after the other.
_SYNC_SECONDS = 2.0
_EVICT_SECONDS = 3.0
_WRITE_SECONDS = 5.0
# The first that fits; an error's own text may repeat the log.
_REFUSALS: tuple[tuple[type[errors.KubeError], Reason], ...] = (
    (errors.QuotaExceeded, reasons.QUOTA),
    (errors.Forbidden, reasons.FORBIDDEN),
    (errors.NotFound, reasons.NO_SUCH_KIND),
    (errors.Invalid, reasons.INVALID),
)


@dataclass(frozen=True)
class LogKeeper:
    """Keeps logs as KrknChaosJobLogs, within the room that there is for all of them."""

    logs: ResourceClient[KeptLog]
    room: Room
    jobs: Callable[[str], ChaosJob | None]
    most_bytes: int
    """Of one log, compressed; 0: none is kept."""
    clock: Callable[[], datetime]

    @property
    def kept(self) -> Informer[KeptLogHead]:
        """Their metadata alone: no cache has a log."""
        return self.room.kept

    async def keep(self, job: ChaosJob, compressed: Compressed) -> Reason | None:
        """Write the log of the job's pod; return why not, None when it is kept.

        Never raises a KubeError; takes about 15 seconds at most, mostly a few milliseconds.
        """
        new = _kept_log(job, compressed)
        try:
            # Without them nobody knows how much there is.
            async with asyncio.timeout(_SYNC_SECONDS):
                await self.kept.synced()
            size = kept_log.stored_bytes(compressed.content)
            async with self.room.made(size, _EVICT_SECONDS) as has_room:
                return await self._write(job, new) if has_room else reasons.NO_ROOM
        except TimeoutError:
            _log.warning("log not kept", job=job.metadata.name, error="no answer in time")
            return reasons.NOT_WRITTEN
        except errors.KubeError as error:
            _log.warning("log not kept", job=job.metadata.name, error=told(error))
            fits = (why for kind, why in _REFUSALS if isinstance(error, kind))
            return next(fits, reasons.NOT_WRITTEN)

    async def sweep(self, every_seconds: float, unowned_seconds: float) -> None:
        """Delete what is too much, also after the limit was lowered; until cancelled."""
        await self.kept.synced()

        async def once() -> None:
            await self.room.keep_to_limit()
            for log in list(self.kept.values()):
                if self._is_unowned(log, timedelta(seconds=unowned_seconds)):
                    await self.room.delete(log)

        await keep_sweeping(once, every_seconds)

    async def _write(self, job: ChaosJob, new: KeptLog) -> Reason | None:
        try:
            written = await create_until_known(self.logs, new, Deadline.within(_WRITE_SECONDS))
        except errors.AlreadyExists:
            # By a controller that ended before it wrote the job's end, or by nobody of ours.
            try:
                async with asyncio.timeout(_WRITE_SECONDS):
                    found = await self.logs.get_metadata(new.metadata.name)
            except errors.NotFound:
                # Deleted since, to make room for others.
                return reasons.NOT_WRITTEN
            return None if kept_log.is_of(found, job) else reasons.NAME_TAKEN
        if written is not None:
            self.kept.remember(KeptLogHead(metadata=written.metadata))
        return None

    def _is_unowned(self, log: KeptLogHead, age: timedelta) -> bool:
        """Whether its job was deleted with `--cascade=orphan`: no garbage collector removes it."""
        if log.metadata.owner_references or self.jobs(log.metadata.name) is not None:
            return False
        created = log.metadata.creation_timestamp
        return created is not None and self.clock() - created > age


def _kept_log(job: ChaosJob, compressed: Compressed) -> KeptLog:
    size = kept_log.stored_bytes(compressed.content)
    return KeptLog(
        metadata=ObjectMeta(
            name=job.metadata.name,
            namespace=job.metadata.namespace,
            annotations={well_known.STORED_BYTES: str(size)},
            owner_references=[owner_of(job)],
        ),
        spec=KeptLogSpec(
            job_uid=job.metadata.uid,
            pod_uid=job.status.pod_uid,
            content=compressed.content,
            size=compressed.size,
            truncated=compressed.truncated,
        ),
    )
