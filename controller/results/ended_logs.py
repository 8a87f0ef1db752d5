"""The logs of pods that have ended: each is read once, beside the reconciles of the jobs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from controller.results.digest import digest
from controller.results.model import NO_LOG, LogDigest
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.log_end import GONE, LogEnd, read_end
from krkn_grpc.kube.logs import Logs
from krkn_grpc.resources import names
from krkn_grpc.resources.pod import Pod
from krkn_grpc.told import told

# As the API promises: no job waits longer for its log before it gets its final status.
_SECONDS = 10.0
_AT_MOST = 1024 * 1024
# Each takes some MiB while it comes.
_AT_ONCE = 16
_SMALL = 64 * 1024

_log = structlog.get_logger(__name__)


class EndedLogs:
    """What was read of the logs of ended pods, by the pods' uids, until it is forgotten.

    A controller that dies after the read reads again.
    """

    def __init__(self, logs: Logs, look_again: Callable[[str], None]) -> None:
        """Read from `logs`; `look_again` is called with the job's id when its log was read."""
        self._logs = logs
        self._look_again = look_again
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._read: dict[str, LogDigest] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Let logs be read while the context is open; leaving it forgets all."""
        try:
            yield
        finally:
            for task in self._reading.values():
                task.cancel()
            self._reading.clear()
            self._read.clear()

    def of(self, job_id: str, pod: Pod) -> LogDigest | None:
        """Return what was in the log of a pod that has ended, None while it is being read."""
        uid = pod.metadata.uid
        if uid in self._read:
            return self._read[uid]
        if uid not in self._reading:
            self._reading[uid] = asyncio.create_task(self._look(job_id, pod))
        return None

    def of_gone(self, pod: Pod) -> LogDigest | None:
        """Return the same of a pod that is gone: no read begins, one that has begun may end."""
        uid = pod.metadata.uid
        return None if uid in self._reading else self._read.get(uid, NO_LOG)

    def forget(self, pod_uid: str) -> None:
        """Drop what was read: the job has its final status, or is gone."""
        self._read.pop(pod_uid, None)
        if (task := self._reading.pop(pod_uid, None)) is not None:
            task.cancel()

    async def _look(self, job_id: str, pod: Pod) -> None:
        made = NO_LOG
        try:
            made = await self._digest_of(pod)
        except Exception as error:
            # Whatever is wrong with a log, its job ends.
            _log.warning("log not read", pod=pod.metadata.name, error=told(error))
        uid = pod.metadata.uid
        self._read[uid] = made
        del self._reading[uid]
        self._look_again(job_id)

    async def _digest_of(self, pod: Pod) -> LogDigest:
        end = await self._end_of(pod)
        if end.trouble and end.trouble != GONE:
            _log.warning("log not read", pod=pod.metadata.name, error=end.trouble)
        if len(end.content) <= _SMALL:
            return digest(end)
        return await asyncio.to_thread(digest, end)

    async def _end_of(self, pod: Pod) -> LogEnd:
        deadline = Deadline.within(_SECONDS)
        try:
            async with asyncio.timeout(_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            return LogEnd(trouble="other logs were being read all the time")
        try:
            return await read_end(
                self._logs,
                pod.metadata.name,
                names.CONTAINER,
                at_most=_AT_MOST,
                seconds=deadline.remaining,
            )
        finally:
            self._places.release()
