"""A run that was started: its jobs, their logs, their end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from typing import Literal

from krkn_grpc.client import watching
from krkn_grpc.client.connection import Connection
from krkn_grpc.client.jobs import until_ended, watched
from krkn_grpc.client.logs import LogOptions, Source, merged
from krkn_grpc.client.models import Job, LogLine, RunRecord, TargetJobResult
from krkn_grpc.client.outcome import Outcome
from krkn_grpc.client.pages import all_pages
from krkn_grpc.client.reading import read
from krkn_grpc.client.statuses import JobStatus
from krkn_grpc.client.watching import Change
from krkn_grpc.v1 import runs_pb2
from krkn_grpc.v1 import scenario_runs_pb2 as pb


class Run:
    """One call's run: a scenario on several targets.

    `run_id` names it to other clients. `results` says what became of the request on each target, in
    its order; `message` is what the service says of the request as a whole, "" for nothing.
    """

    def __init__(
        self,
        connection: Connection,
        run_id: str,
        results: Iterable[TargetJobResult],
        *,
        request_id: str = "",
        message: str = "",
    ) -> None:
        self._connection = connection
        self.run_id = run_id
        self.request_id = request_id
        self.message = message
        self.results = tuple(results)
        self._last: dict[str, pb.Job] = {
            each.job_id: pb.Job(
                job_id=each.job_id,
                target_uuid=each.target_uuid,
                status=each.status,
                message=each.error or "",
                run_id=run_id,
            )
            for each in self.results
            if each.job_id
        }

    def __repr__(self) -> str:
        """Return the run's id and its number of jobs."""
        return f"Run({self.run_id!r}, {len(self._last)} jobs)"

    @property
    def refused(self) -> tuple[TargetJobResult, ...]:
        """The targets on which there is no job, and why."""
        return tuple(each for each in self.results if not each.job_id)

    async def get(self) -> RunRecord:
        """Return the run as the service has it now: status, counts, times."""
        request = runs_pb2.GetRunRequest(run_id=self.run_id)
        return await self._connection.ask(self._connection.runs.GetRun, request, RunRecord)

    async def jobs(self) -> list[Job]:
        """Return the run's jobs as they are now, in the order of its targets."""
        now = {job.job_id: job async for job in self._listed()}
        return [now.get(job_id) or read(job, Job) for job_id, job in self._last.items()]

    def watch(self) -> AsyncIterator[Change[Job]]:
        """Yield each job as ADDED, then each change, without end; it resumes by itself."""
        told = watching.watch(
            watched(self._connection, self._of_this_run()), self._connection.way.patience
        )
        return watching.changes_only(told, lambda job: read(job, Job))

    async def wait(
        self, *, timeout: float | None = None, on_failure: Literal["leave", "cancel"] = "leave"
    ) -> Outcome:
        """Return how the run ended, once each of its jobs has.

        With `on_failure="cancel"` the first job that does not succeed, and a refused target, cancel
        the run. Raises TimeoutError after `timeout` seconds: the run goes on.
        """
        async with asyncio.timeout(timeout), aclosing(self._progress(on_failure)) as progress:
            async for _ in progress:
                pass
        return self._outcome()

    def progress(self) -> AsyncIterator[Job]:
        """Yield each job whenever it changes, until each has ended."""
        return self._progress("leave")

    async def cancel(self) -> RunRecord:
        """Ask all jobs to stop, also those that wait; each gets time to roll back."""
        request = runs_pb2.StopRunRequest(run_id=self.run_id)
        return await self._connection.ask(self._connection.runs.StopRun, request, RunRecord)

    def logs(self, *, follow: bool = True, tail_lines: int | None = None) -> AsyncIterator[LogLine]:
        """Yield the lines of all jobs as they are written, until each job has ended.

        A stream that is cut is resumed, without a line lost or told twice. Without `follow`: what
        there is now. At most 32 logs are open at once.
        """
        return self._logs(LogOptions(follow, tail_lines))

    async def _logs(self, options: LogOptions) -> AsyncGenerator[LogLine, None]:
        names = {job.job_id: job.cluster_name async for job in self._listed()}
        sources = [
            Source(job_id, job.target_uuid, names.get(job_id, ""))
            for job_id, job in self._last.items()
        ]
        async with aclosing(merged(self._connection, sources, options)) as found:
            async for line in found:
                yield line

    async def _progress(self, on_failure: str) -> AsyncGenerator[Job, None]:
        is_cancelled = False
        ended = until_ended(self._connection, self._of_this_run(), dict(self._last))
        async with aclosing(ended) as jobs:
            if on_failure == "cancel" and self.refused:
                is_cancelled = bool(await self.cancel())
            async for job in jobs:
                self._last[job.job_id] = job
                told = read(job, Job)
                yield told
                is_failure = told.status.is_final and told.status is not JobStatus.SUCCEEDED
                if is_failure and on_failure == "cancel" and not is_cancelled:
                    is_cancelled = bool(await self.cancel())

    def _outcome(self) -> Outcome:
        jobs = tuple(read(job, Job) for job in self._last.values())
        return Outcome(self.run_id, jobs, self.refused)

    def _of_this_run(self) -> pb.WatchScenarioRunsRequest:
        return pb.WatchScenarioRunsRequest(run_id=self.run_id)

    async def _listed(self) -> AsyncGenerator[Job, None]:
        request = pb.ListScenarioRunsRequest(run_id=self.run_id)
        listing = self._connection.runs.ListScenarioRuns
        async for job in all_pages(
            self._connection, listing, request, lambda page: (read(each, Job) for each in page.jobs)
        ):
            yield job
