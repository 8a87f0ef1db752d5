"""Streams the log of a job's scenario, in every status of the job."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Literal

from krkn_grpc.kube import errors
from krkn_grpc.kube.change_log import ChangeLog, TooOld
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.logs import LogOptions, Logs
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.names import CONTAINER, pod_for
from krkn_grpc.resources.pod import Pod
from krkn_grpc.server.errors import LogGone, NoSuch, Unreachable
from krkn_grpc.server.heartbeat import with_heartbeat
from krkn_grpc.server.runs.filters import find, find_live
from krkn_grpc.server.runs.kept_logs import KeptLogs

# A node reports a container's end to the API server shortly after it has closed the log.
_NODE_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 0.25
_BROKE_OFF = "the log broke off; try again"
_BEING_KEPT = "the job's pod is gone and its log is being kept; try again"

Source = Literal["", "kept", "kept, truncated"]
"""Where a log comes from: the pod, or the log that was kept, whole or only its end."""


@dataclass(frozen=True)
class Opened:
    """There is a log, or will be; comes before its text."""

    source: Source = ""


class _PodGone(Exception):
    """The job's pod is gone, or its log: only a kept log may be there."""


@dataclass(frozen=True)
class LogStreamer:
    """Finds a job's log, in its pod or kept, and streams it as fast as the caller reads it.

    After each `silence_seconds` without a line it checks whether the scenario still runs: a dead
    connection is as silent as a scenario without output.
    """

    jobs: Informer[ChaosJob]
    history: ChangeLog[ChaosJob]
    pods: ResourceClient[Pod]
    logs: Logs
    kept: KeptLogs
    silence_seconds: float

    async def stream(
        self, job_id: str, options: LogOptions
    ) -> AsyncGenerator[bytes | Opened, None]:
        """Yield Opened and then the log in chunks; no text for a job that has not started.

        With `follow`, waits for the start and ends with the scenario; Opened comes before the wait,
        and once more after it. Raises NoSuch when the job is gone, LogGone when its log is,
        Unreachable when the log is interrupted.
        """
        job = await find(self.jobs, job_id)
        if options.follow:
            if job.status.start_time is None and not job.status.is_final:
                yield Opened()
            job = await self._changed_until(job, _has_started)
        elif job.status.start_time is None:
            # Another replica may have reported already that it runs.
            job = await find_live(self.jobs, job_id)
        if job.status.start_time is None:
            yield Opened()
            return
        is_open = False
        try:
            async with aclosing(self._of_pod(job, options)) as chunks:
                async for chunk in chunks:
                    is_open = True
                    yield chunk
        except (_PodGone, errors.KubeError) as error:
            if is_open:
                raise
            # Also if the node does not answer, which may be gone for ever.
            async with aclosing(self._kept(job, options, error)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def _of_pod(
        self, job: ChaosJob, options: LogOptions
    ) -> AsyncGenerator[bytes | Opened, None]:
        """Yield the log from the job's pod; raises _PodGone and KubeErrors."""
        await self._pod(job)
        try:
            async with (
                self.logs.open(pod_for(job.metadata.name), CONTAINER, options) as chunks,
                aclosing(self._living(job, chunks)) as living,
            ):
                yield Opened()
                async for chunk in living:
                    yield chunk
        except (errors.NotFound, errors.Invalid):
            raise _PodGone from None
        if options.follow:
            await self._must_have_ended(job)

    async def _kept(
        self, job: ChaosJob, options: LogOptions, error: Exception
    ) -> AsyncGenerator[bytes | Opened, None]:
        """Yield the kept log; raises LogGone, or the KubeError given, when there is none.

        Raises Unreachable when it is not known yet whether there is one.
        """
        # It is written before the final status, and that soon after the end of the pod.
        if isinstance(error, _PodGone):
            try:
                async with asyncio.timeout(None if options.follow else _NODE_SECONDS):
                    job = await self._changed_until(job, _has_ended)
            except TimeoutError:
                raise Unreachable(_BEING_KEPT) from None
        elif not job.status.is_final:
            raise error
        try:
            opened = await self.kept.open(job, options)
        except LogGone:
            if isinstance(error, _PodGone):
                raise
            raise error from None
        yield Opened("kept, truncated" if opened.truncated else "kept")
        for piece in opened.pieces():
            if piece:
                yield piece
            # Who takes the pieces may not wait for anything.
            await asyncio.sleep(0)

    async def _living(
        self, job: ChaosJob, chunks: AsyncGenerator[bytes, None]
    ) -> AsyncGenerator[bytes, None]:
        """Yield the chunks; raises Unreachable if they stay quiet after the scenario's end."""
        has_ended = False
        async with aclosing(with_heartbeat(chunks, self.silence_seconds)) as pulse:
            async for chunk in pulse:
                if chunk is not None:
                    yield chunk
                elif has_ended:
                    raise Unreachable(_BROKE_OFF)
                else:
                    has_ended = await self._has_ended(job)

    async def _changed_until(self, job: ChaosJob, is_so: Callable[[ChaosJob], bool]) -> ChaosJob:
        """Wait until it is so of the job; return it as it is then."""
        while not is_so(job):
            revision = self.jobs.revision
            # Changes after this read are in the history.
            job = await find_live(self.jobs, job.metadata.name)
            if not is_so(job):
                with suppress(TooOld):
                    job = await self._changed(job, revision)
        return job

    async def _changed(self, job: ChaosJob, revision: int) -> ChaosJob:
        """Return the job at its next change after the revision; raises NoSuch and Unreachable."""
        async with aclosing(self.history.since(revision)) as changes:
            async for change in changes:
                if change is None or change.object.metadata.uid != job.metadata.uid:
                    continue
                if change.new is None:
                    raise NoSuch("the job was deleted")
                return change.new
        raise Unreachable("the server is stopping; try again")

    async def _must_have_ended(self, job: ChaosJob) -> None:
        """Raise Unreachable unless the scenario ends within 5 s: only then is its log complete.

        The API server also ends a log without an error when the node is lost.
        """
        deadline = Deadline.within(_NODE_SECONDS)
        while not await self._has_ended(job):
            if deadline.remaining <= 0:
                raise Unreachable(_BROKE_OFF)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _has_ended(self, job: ChaosJob) -> bool:
        try:
            pod = await self._pod(job)
        except _PodGone:
            return True
        return pod.is_terminal or pod.container_state(CONTAINER).terminated is not None

    async def _pod(self, job: ChaosJob) -> Pod:
        """Return the pod that ran the job; raises _PodGone also for another pod of its name."""
        try:
            pod = await self.pods.get(pod_for(job.metadata.name))
        except errors.NotFound:
            raise _PodGone from None
        if pod.metadata.uid != job.status.pod_uid:
            raise _PodGone
        return pod


def _has_started(job: ChaosJob) -> bool:
    """Whether the scenario has started or never will."""
    return job.status.start_time is not None or job.status.is_final


def _has_ended(job: ChaosJob) -> bool:
    return job.status.is_final
