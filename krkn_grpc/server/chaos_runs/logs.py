"""Merges the logs of a run's jobs into one stream of blocks of whole lines."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from krkn_grpc.kube.change_log import TooOld
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import KubeError
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.logs import LogOptions
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun
from krkn_grpc.resources.text import on_one_line
from krkn_grpc.server.chaos_runs.filters import find_live
from krkn_grpc.server.chaos_runs.lines import GONE, Block, LineSplitter
from krkn_grpc.server.errors import LogGone, NoSuch, Unreachable, answer_for
from krkn_grpc.server.runs.logs import LogStreamer, Opened
from krkn_grpc.told import told

# Each open log holds a connection to the API server; auth/policy.py bounds the streams.
MOST_OPEN = 50
_LOOK_SECONDS = 1.0
# Each has taken its time: more would only show that the API server or all nodes are away.
_MOST_BROKEN = 10

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RunLogOptions:
    """Which logs of a run to stream; `tail_lines` is for each job, None is all of it."""

    follow: bool = False
    tail_lines: int | None = None
    only_failed: bool = False


@dataclass(frozen=True)
class RunLogStreamer:
    """Streams the logs of all jobs of a run, as fast as the caller reads them."""

    runs: ResourceClient[ChaosRun]
    logs: LogStreamer
    longest_call: timedelta
    """The longest time for which a call writes its jobs."""

    clock: Callable[[], datetime]
    """The time as the API server has it."""

    async def stream(self, run_id: str, options: RunLogOptions) -> AsyncGenerator[Block, None]:
        """Yield an empty block when the run was found, and then its jobs' lines.

        Without `follow` job after job, in the order of the request. With it as the lines come,
        until each job has ended. Raises NoSuch when there is no such run, and Unreachable, after
        all other logs, when some broke off.
        """
        # Live, because the log reader keeps no cache of runs: it would be large and seldom read.
        run = await find_live(self.runs, run_id)
        yield Block()
        broken = _Broken()
        following = _Following(run, self, options, broken)
        blocks = following.blocks() if options.follow else self._in_order(run, options, broken)
        async with aclosing(blocks) as each:
            async for block in each:
                yield block
        broken.settle()

    async def _in_order(
        self, run: ChaosRun, options: RunLogOptions, broken: "_Broken"
    ) -> AsyncGenerator[Block, None]:
        for target in run.spec.targets:
            job = self.logs.jobs.get(target.job_id)
            if job is None or job.status.start_time is None:
                continue
            if options.only_failed and job.status.phase != "Failed":
                continue
            wanted = LogOptions(tail_lines=options.tail_lines)
            async with aclosing(self.of_job(job, wanted, broken)) as blocks:
                async for block in blocks:
                    yield block

    async def of_job(
        self, job: ChaosJob, options: LogOptions, broken: "_Broken"
    ) -> AsyncGenerator[Block, None]:
        """Yield the lines of one job, after a block that says so if they are kept ones or gone."""
        job_id = job.metadata.name
        name = on_one_line(job.spec.cluster_name) or job.spec.target_uuid
        splitter, source = LineSplitter(), ""
        try:
            async with aclosing(self.logs.stream(job_id, options)) as chunks:
                async for chunk in chunks:
                    if isinstance(chunk, Opened):
                        if source := chunk.source:
                            yield Block(job_id, name, source=source)
                    elif lines := splitter.whole(chunk):
                        yield Block(job_id, name, lines, source)
        except LogGone as error:
            yield Block(job_id, name, source=GONE, note=str(error))
            return
        except NoSuch:
            # The job was deleted meanwhile, as others before it of which nothing is known either.
            return
        except (KubeError, Unreachable) as error:
            # Without the line that is not whole.
            broken.add(job_id, error)
            return
        if rest := splitter.last():
            yield Block(job_id, name, rest, source)


class _Broken:
    """The logs that broke off: they end the stream only after the others."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, job_id: str, error: Exception) -> None:
        """Note the log; raises Unreachable when there are too many."""
        _log.warning("a log broke off", job=job_id, error=told(error), code=answer_for(error).code)
        self._count += 1
        if self._count >= _MOST_BROKEN:
            self.settle()

    def settle(self) -> None:
        """Raise Unreachable if any log broke off."""
        if self._count:
            raise Unreachable(f"{self._count} of the logs broke off; try again")


class _Following:
    """Follows the jobs of a run: one task watches for starts, others read a bounded number of logs.

    `blocks` has room for one: the readers wait while the caller reads slowly.
    """

    def __init__(
        self, run: ChaosRun, streamer: RunLogStreamer, options: RunLogOptions, broken: _Broken
    ) -> None:
        self._streamer = streamer
        self._jobs: Informer[ChaosJob] = streamer.logs.jobs
        self._options = options
        self._broken = broken
        # Of a run that has ended no job is still to come.
        self._written_by = None if run.status.is_final else run.written_by(streamer.longest_call)
        self._departed = frozenset(run.status.departed)
        # In order, as a dict is.
        self._waiting = dict.fromkeys(target.job_id for target in run.spec.targets)
        self._ready: asyncio.Queue[ChaosJob | None] = asyncio.Queue()
        self._blocks: asyncio.Queue[Block | None] = asyncio.Queue(1)

    async def blocks(self) -> AsyncGenerator[Block, None]:
        """Yield the lines of all jobs as they come, until each job has ended."""
        readers = min(MOST_OPEN, len(self._waiting))
        # A task of its own: a group must end in the task that began it, while each item of this
        # generator may be asked for by another one.
        working = asyncio.ensure_future(self._work(readers))
        try:
            while (block := await self._blocks.get()) is not None:
                yield block
            await working
        finally:
            working.cancel()
            await asyncio.wait({working})

    async def _work(self, readers: int) -> None:
        error: Exception | None = None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._find(readers))
                for _ in range(readers):
                    group.create_task(self._read())
        except* Exception as failed:
            error = failed.exceptions[0]
        await self._blocks.put(None)
        if error is not None:
            raise error

    async def _find(self, readers: int) -> None:
        """Hand each job to the readers when it has a log, and end them after the last one."""
        revision = self._jobs.revision
        self._look(self._waiting)
        looked_at = time.monotonic()
        while self._waiting:
            try:
                changes = self._streamer.logs.history.since(
                    revision, heartbeat_seconds=_LOOK_SECONDS
                )
                async with aclosing(changes):
                    async for change in changes:
                        if change is not None and change.new is None:
                            self._waiting.pop(change.object.metadata.name, None)
                        elif change is not None:
                            self._look([change.object.metadata.name])
                        # All of them, for what no change tells: that a job never came.
                        if time.monotonic() - looked_at >= _LOOK_SECONDS:
                            self._look(self._waiting)
                            looked_at = time.monotonic()
                        if not self._waiting:
                            break
                    else:
                        raise Unreachable("the server is stopping; try again")
            except TooOld:
                revision = self._jobs.revision
                self._look(self._waiting)
        for _ in range(readers):
            self._ready.put_nowait(None)

    def _look(self, job_ids: Iterable[str]) -> None:
        """Take from the waiting jobs those that have a log, and those that will never have one."""
        for job_id in [each for each in job_ids if each in self._waiting]:
            job = self._jobs.get(job_id)
            if job is None:
                if self._is_gone(job_id):
                    del self._waiting[job_id]
            elif _has_log(job, self._options):
                del self._waiting[job_id]
                self._ready.put_nowait(job)
            elif job.status.is_final:
                del self._waiting[job_id]

    def _is_gone(self, job_id: str) -> bool:
        is_late = self._written_by is None or self._streamer.clock() > self._written_by
        return is_late or job_id in self._departed

    async def _read(self) -> None:
        wanted = LogOptions(
            follow=not self._options.only_failed, tail_lines=self._options.tail_lines
        )
        while (job := await self._ready.get()) is not None:
            async with aclosing(self._streamer.of_job(job, wanted, self._broken)) as blocks:
                async for block in blocks:
                    await self._blocks.put(block)


def _has_log(job: ChaosJob, options: RunLogOptions) -> bool:
    if options.only_failed:
        return job.status.phase == "Failed"
    return job.status.start_time is not None
