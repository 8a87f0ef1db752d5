"""Jobs: one scenario on one target each."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing

from krkn_grpc.client import logs, watching
from krkn_grpc.client.connection import Connection
from krkn_grpc.client.errors import NotFound
from krkn_grpc.client.models import Job, LogLine
from krkn_grpc.client.pages import all_pages
from krkn_grpc.client.reading import read
from krkn_grpc.client.statuses import JobStatus
from krkn_grpc.client.watching import Change
from krkn_grpc.v1 import scenario_runs_pb2 as pb

_GONE = "The job was deleted; how it ended is not known."
_NEVER_SEEN = "There is no job; whether there was one is not known."


class Jobs:
    """`krkn.jobs`: looks at jobs of all runs, and stops single ones."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        run_id: str = "",
        target_uuid: str = "",
        cluster_name: str = "",
        status: JobStatus | str = "",
        scenario_name: str = "",
        selector: str = "",
    ) -> AsyncIterator[Job]:
        """Yield the jobs that pass all filters, newest first, page after page."""
        request = pb.ListScenarioRunsRequest(
            run_id=run_id,
            target_uuid=target_uuid,
            cluster_name=cluster_name,
            status=status,
            scenario_name=scenario_name,
            label_selector=selector,
        )
        listing = self._connection.runs.ListScenarioRuns
        return all_pages(
            self._connection, listing, request, lambda page: (read(each, Job) for each in page.jobs)
        )

    async def get(self, job_id: str) -> Job:
        """Return a job; raises NotFound."""
        request = pb.GetScenarioRunStatusRequest(job_id=job_id)
        return await self._connection.ask(self._connection.runs.GetScenarioRunStatus, request, Job)

    async def stop(self, job_id: str) -> Job:
        """Ask a job to stop, and return it; one that has ended is returned unchanged."""
        request = pb.StopScenarioRunRequest(job_id=job_id)
        return await self._connection.ask(self._connection.runs.StopScenarioRun, request, Job)

    def watch(
        self,
        *,
        run_id: str = "",
        target_uuid: str = "",
        cluster_name: str = "",
        status: JobStatus | str = "",
        scenario_name: str = "",
        selector: str = "",
    ) -> AsyncIterator[Change[Job]]:
        """Yield each job that passes the filters as ADDED, then each change, without end.

        A watch that is cut resumes by itself; nothing is told twice.
        """
        wanted = pb.WatchScenarioRunsRequest(
            run_id=run_id,
            target_uuid=target_uuid,
            cluster_name=cluster_name,
            status=status,
            scenario_name=scenario_name,
            label_selector=selector,
        )
        told = watching.watch(watched(self._connection, wanted), self._connection.way.patience)
        return watching.changes_only(told, lambda job: read(job, Job))

    def logs(
        self, job_id: str, *, follow: bool = False, tail_lines: int | None = None
    ) -> AsyncIterator[LogLine]:
        """Yield the lines of a job's log; with `follow`, until the job ends.

        Raises NotFound when there is no such job, or its log is gone.
        """
        source = logs.Source(job_id)
        return logs.lines(self._connection, source, logs.LogOptions(follow, tail_lines))


def watched(
    connection: Connection, wanted: pb.WatchScenarioRunsRequest
) -> watching.Watched[pb.WatchScenarioRunsResponse, pb.Job]:
    """Return how the jobs that pass the filters of `wanted` are watched."""

    def open_stream(resume_token: str) -> AsyncGenerator[pb.WatchScenarioRunsResponse, None]:
        request = pb.WatchScenarioRunsRequest()
        request.CopyFrom(wanted)
        request.resume_token = resume_token
        return connection.stream(connection.runs.WatchScenarioRuns, request)

    return watching.Watched(open_stream, lambda told: told.job, lambda job: job.job_id)


async def until_ended(
    connection: Connection,
    wanted: pb.WatchScenarioRunsRequest,
    started: Mapping[str, pb.Job],
) -> AsyncGenerator[pb.Job, None]:
    """Yield each started job whenever it changes, until all have ended; `started` is by jobId.

    `wanted` is a filter that they all pass. A job that was deleted before its outcome was known is
    told with status `Deleted`.
    """
    waiting, unseen = dict(started), set(started)
    if not waiting:
        return
    told = watching.watch(watched(connection, wanted), connection.way.patience)
    async with aclosing(told) as changes:
        async for change in changes:
            jobs: list[pb.Job] = []
            if not isinstance(change, Change):
                # Deleted before the watch began, or not yet in the cache of that replica.
                jobs = [await _looked_up(connection, waiting[each]) for each in unseen]
            elif change.object.job_id in waiting:
                job = change.object
                unseen.discard(job.job_id)
                is_lost = change.type == "DELETED" and not JobStatus(job.status).is_final
                jobs = [await _looked_up(connection, job) if is_lost else job]
            for job in jobs:
                yield job
                if JobStatus(job.status).is_final:
                    del waiting[job.job_id]
            if not waiting:
                return


async def _looked_up(connection: Connection, job: pb.Job) -> pb.Job:
    """Return the job as the API server has it now."""
    try:
        request = pb.GetScenarioRunStatusRequest(job_id=job.job_id)
        return await connection.call(connection.runs.GetScenarioRunStatus, request)
    except NotFound:
        gone = pb.Job()
        gone.CopyFrom(job)
        gone.status = JobStatus.DELETED
        gone.message = _GONE if job.status != JobStatus.UNKNOWN else _NEVER_SEEN
        return gone
