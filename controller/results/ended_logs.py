"""The logs of pods that have ended: each is read once, beside the reconciles of the jobs.

A pod that is being deleted takes its log with it, so its log is followed from then on.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import structlog

from controller.job_logs import reasons
from controller.job_logs.keeper import LogKeeper
from controller.results.digest import Digested, digest
from controller.results.model import GONE, NO_LOG, ON_LOST_NODE, LogDigest
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.log_end import GONE as POD_GONE
from krkn_grpc.kube.log_end import LogEnd, read_end
from krkn_grpc.kube.logs import Logs
from krkn_grpc.resources import names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.kept_log import MOST_TEXT_BYTES
from krkn_grpc.told import told

# No job waits longer for the read of its log before it gets its final status.
_SECONDS = 10.0
# The last MiB of the text, with the times of its lines; and what 64 KiB may hold compressed.
_AT_MOST = 1_572_864
_COMPRESSES_TO = 16
# Each takes some MiB while it comes and is compressed.
_AT_ONCE = 8
# Each may last for the grace of its pod. Others are read when their pods have ended.
_FOLLOWED_AT_ONCE = 16
_LONGEST_FOLLOW_SECONDS = 3_600.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 5.0
# A container's end is reported so soon after the end of its log. A log that ended before was cut.
_REPORTED_SECONDS = 5.0
_SMALL = 64 * 1024

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Reading:
    """A log that is being read; `ended` is set when its pod has ended."""

    task: "asyncio.Task[None]"
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class EndedLogs:
    """What was read of the logs of ended pods, by the pods' uids, until it is forgotten.

    A controller that dies after the read reads again.
    """

    def __init__(
        self,
        logs: Logs,
        keeper: LogKeeper,
        look_again: Callable[[str], None],
        *,
        with_results: bool,
    ) -> None:
        """Read from `logs`; `look_again` is called with the job's id when its log was read.

        Nothing is read if neither results nor logs are wanted.
        """
        self._logs = logs
        self._keeper = keeper
        self._with_results = with_results
        self._is_off = not with_results and not keeper.most_bytes
        self._look_again = look_again
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._followers = asyncio.Semaphore(_FOLLOWED_AT_ONCE)
        self._read: dict[str, LogDigest] = {}
        self._reading: dict[str, _Reading] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Let logs be read while the context is open; leaving it forgets all."""
        try:
            yield
        finally:
            for reading in self._reading.values():
                reading.task.cancel()
            self._reading.clear()
            self._read.clear()

    def of(self, job: ChaosJob) -> LogDigest | None:
        """Return what was in the log of a pod that has ended, None while it is being read."""
        if self._is_off:
            return NO_LOG
        uid = job.status.pod_uid
        if uid in self._read:
            return self._read[uid]
        self._begin(job)
        self._reading[uid].ended.set()
        return None

    def of_going(self, job: ChaosJob) -> LogDigest:
        """Begin to follow the log of a pod that is being deleted; return what there is without."""
        if not self._is_off and job.status.pod_uid not in self._read:
            self._begin(job)
        return self._unless_none_is_kept(ON_LOST_NODE)

    def of_gone(self, job: ChaosJob) -> LogDigest | None:
        """Return the same of a pod that is gone: no read begins, one that has begun may end."""
        uid = job.status.pod_uid
        if (reading := self._reading.get(uid)) is not None:
            reading.ended.set()
            return None
        return self._read.get(uid, self._unless_none_is_kept(GONE))

    def forget(self, pod_uid: str) -> None:
        """Drop what was read: the job has its final status, or is gone."""
        self._read.pop(pod_uid, None)
        if (reading := self._reading.pop(pod_uid, None)) is not None:
            reading.task.cancel()

    def _unless_none_is_kept(self, digest: LogDigest) -> LogDigest:
        return digest if self._keeper.most_bytes else NO_LOG

    def _begin(self, job: ChaosJob) -> None:
        uid = job.status.pod_uid
        if uid not in self._reading:
            ended = asyncio.Event()
            self._reading[uid] = _Reading(asyncio.create_task(self._look(job, ended)), ended)

    async def _look(self, job: ChaosJob, ended: asyncio.Event) -> None:
        try:
            made = await self._digest_of(job, ended)
        except Exception as error:
            # Whatever is wrong with a log, its job ends.
            _log.warning("log not read", job=job.metadata.name, error=told(error))
            made = self._unless_none_is_kept(LogDigest(why_not_kept=reasons.FAILED))
        self._read[job.status.pod_uid] = made
        del self._reading[job.status.pod_uid]
        self._look_again(job.metadata.name)

    async def _digest_of(self, job: ChaosJob, ended: asyncio.Event) -> LogDigest:
        found: Digested | None = None
        why: str = reasons.NOT_READ.message
        try:
            if not ended.is_set():
                found = await self._followed(job, ended)
            if found is None:
                await ended.wait()
                found, why = await self._at_once(job)
        except TimeoutError:
            pass
        if found is None and why != POD_GONE:
            _log.warning("log not read", job=job.metadata.name, error=why)
        if not self._keeper.most_bytes:
            return NO_LOG if found is None else LogDigest(found.result)
        if found is None or found.log is None:
            why_not = reasons.POD_GONE if why == POD_GONE else reasons.NOT_READ
            return LogDigest(why_not_kept=why_not)
        return LogDigest(found.result, await self._keeper.keep(job, found.log))

    async def _at_once(self, job: ChaosJob) -> tuple[Digested | None, str]:
        """Read the log of a pod that has ended; return what is kept of it, or why it was not read.

        Raises TimeoutError when other logs were being read all the time.
        """
        deadline = Deadline.within(_SECONDS)
        async with asyncio.timeout(_SECONDS):
            await self._places.acquire()
        try:
            end = await self._end_of(job, deadline.remaining)
            return await self._digested(end), end.trouble
        finally:
            self._places.release()

    async def _followed(self, job: ChaosJob, ended: asyncio.Event) -> Digested | None:
        """Follow the log of a pod that is going to its end, None when that was not possible.

        Raises TimeoutError when the node does not end it though the pod has ended.
        """
        if self._followers.locked():
            return None
        async with self._followers:
            reading = asyncio.ensure_future(self._end_of_going(job, ended))
            waiting = asyncio.ensure_future(ended.wait())
            try:
                await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
                if ended.is_set():
                    async with asyncio.timeout(_SECONDS):
                        await reading
                await asyncio.wait({waiting}, timeout=_REPORTED_SECONDS)
                return await self._digested(reading.result()) if ended.is_set() else None
            finally:
                reading.cancel()
                waiting.cancel()
                await asyncio.wait({reading, waiting})

    async def _end_of_going(self, job: ChaosJob, ended: asyncio.Event) -> LogEnd:
        """Follow a log to its end, and try again while its node does not have it yet."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            end = await self._end_of(job, _LONGEST_FOLLOW_SECONDS, follow=True)
            if not end.trouble or end.trouble == POD_GONE or ended.is_set():
                return end
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _end_of(self, job: ChaosJob, seconds: float, *, follow: bool = False) -> LogEnd:
        return await read_end(
            self._logs,
            names.pod_for(job.metadata.name),
            names.CONTAINER,
            at_most=min(max(_AT_MOST, _COMPRESSES_TO * self._keeper.most_bytes), MOST_TEXT_BYTES),
            seconds=seconds,
            follow=follow,
            timestamps=True,
        )

    async def _digested(self, end: LogEnd) -> Digested | None:
        if end.trouble:
            return None
        digested = partial(digest, end, self._keeper.most_bytes, with_result=self._with_results)
        return digested() if len(end.content) <= _SMALL else await asyncio.to_thread(digested)
