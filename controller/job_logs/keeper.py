"""Writes kept logs, and deletes the oldest ones so that all together take no more than they may."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from controller.job_logs import eviction, reasons
from controller.job_logs.compression import Compressed
from controller.reason import Reason
from controller.sweeping import keep_sweeping
from krkn_grpc.kube import errors, index
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.retry import create_until_known
from krkn_grpc.resources import kept_log, well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.kept_log import KeptLog, KeptLogHead, KeptLogSpec
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.telemetry import metrics
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


@dataclass
class _Stored:
    """The bytes of the logs that the watch has reported, and of those that are being written.

    A log that ends must not take longer the more are kept: so they are counted as they change.
    """

    seen: int = 0
    coming: int = 0

    def changed(self, change: CacheChange[KeptLogHead]) -> None:
        """Count a change that the watch reports."""
        self.seen += _bytes(change.new) - _bytes(change.old)
        metrics.KEPT_LOG_BYTES.set(self.seen)


@dataclass(frozen=True)
class LogKeeper:
    """Keeps logs as KrknChaosJobLogs, within `total_bytes` for all of them as they are stored."""

    logs: ResourceClient[KeptLog]
    kept: Informer[KeptLogHead]
    """Their metadata alone, in one group: no cache has a log."""
    jobs: Callable[[str], ChaosJob | None]
    most_bytes: int
    """Of one log, compressed; 0: none is kept."""
    total_bytes: int
    clock: Callable[[], datetime]
    stored: _Stored = field(default_factory=_Stored)

    def __post_init__(self) -> None:
        """Count what is kept from now on: before the first list."""
        self.kept.listen(self.stored.changed)

    async def keep(self, job: ChaosJob, compressed: Compressed) -> Reason | None:
        """Write the log of the job's pod; return why not, None when it is kept.

        Never raises a KubeError; takes about 15 seconds at most, mostly a few milliseconds.
        """
        new = _kept_log(job, compressed)
        try:
            # Without them nobody knows how much there is.
            async with asyncio.timeout(_SYNC_SECONDS):
                await self.kept.synced()
            async with self._room(kept_log.stored_bytes(compressed.content)) as has_room:
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
            await self._evict()
            for log in list(self.kept.values()):
                if self._is_unowned(log, timedelta(seconds=unowned_seconds)):
                    await self._delete(log)

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

    @contextlib.asynccontextmanager
    async def _room(self, size: int) -> AsyncIterator[bool]:
        """Make room for so many bytes, while others are written; False if there cannot be any."""
        if size > self.total_bytes:
            yield False
            return
        self.stored.coming += size
        try:
            # The API server may be slow, and the logs many, after the limit was lowered.
            async with asyncio.timeout(_EVICT_SECONDS):
                await self._evict()
            yield True
        finally:
            self.stored.coming -= size

    async def _evict(self) -> None:
        excess = self._all_bytes() - self.total_bytes
        going = eviction.to_delete(self.kept.oldest(index.ALL), excess)
        for log in going:
            await self._delete(log)
            metrics.KEPT_LOGS_EVICTED.inc()
        if going:
            _log.info("oldest kept logs deleted", count=len(going))

    def _all_bytes(self) -> int:
        """Return the bytes of all that are kept, as they are now, or are being written."""
        ahead = sum(_bytes(written) - _bytes(seen) for seen, written in self.kept.ahead())
        return self.stored.seen + ahead + self.stored.coming

    async def _delete(self, log: KeptLogHead) -> None:
        metadata = log.metadata
        with contextlib.suppress(errors.NotFound, errors.Conflict):
            await self.kept.client.delete(metadata.name, uid=metadata.uid)
        self.kept.forget(log)

    def _is_unowned(self, log: KeptLogHead, age: timedelta) -> bool:
        """Whether its job was deleted with `--cascade=orphan`: no garbage collector removes it."""
        if log.metadata.owner_references or self.jobs(log.metadata.name) is not None:
            return False
        created = log.metadata.creation_timestamp
        return created is not None and self.clock() - created > age


def _bytes(log: KeptLogHead | None) -> int:
    return 0 if log is None else log.stored_bytes


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
