"""ScenarioRunService: check, call, translate."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from google.api import httpbody_pb2

from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.target import Target
from krkn_grpc.server.auth.permission import current, require
from krkn_grpc.server.deadlines import deadline_of
from krkn_grpc.server.metadata import Context, catch_up, send_headers, send_metadata
from krkn_grpc.server.pages import page
from krkn_grpc.server.runs import check, listing
from krkn_grpc.server.runs.logs import LogStreamer
from krkn_grpc.server.runs.pulse import with_pulse
from krkn_grpc.server.runs.stop import stop
from krkn_grpc.server.runs.submission import Submission
from krkn_grpc.server.runs.translate import job_message, run_message
from krkn_grpc.server.runs.watch import Watch
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceServicer

_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class ScenarioRunServicer(ScenarioRunServiceServicer):
    """Runs scenarios and shows their jobs; the protos say what each method promises."""

    submission: Submission
    watch: Watch
    logs: LogStreamer
    jobs: WatchCache[ChaosJob]
    targets: WatchCache[Target]
    allowed_images: tuple[str, ...]
    write_seconds: float

    async def RunScenario(
        self, request: pb.RunScenarioRequest, context: Context
    ) -> pb.RunScenarioResponse:
        """Run a scenario on each target."""
        run = check.run(request, self.allowed_images)
        # A target that the caller has just updated elsewhere is run as it is now.
        await catch_up(context, self.targets)
        deadline = deadline_of(context, self.write_seconds)
        results = await self.submission.submit(run, current(), deadline)
        created = [result.job for result in results if result.job is not None]
        code = 201 if any(result.status == "Pending" for result in results) else 500
        await send_metadata(context, http_code=None if run.validate_only else code, written=created)
        return run_message(run, results)

    async def ListScenarioRuns(
        self, request: pb.ListScenarioRunsRequest, context: Context
    ) -> pb.ListScenarioRunsResponse:
        """List jobs, newest first."""
        wanted = listing.checked(request)
        await catch_up(context, self.jobs)
        shown, following = page(
            partial(wanted.among, self.jobs),
            size=request.page_size,
            token=request.page_token,
            filters=wanted.spelling,
            show=job_message,
        )
        return pb.ListScenarioRunsResponse(jobs=shown, next_page_token=following)

    async def GetScenarioRunStatus(
        self, request: pb.GetScenarioRunStatusRequest, context: Context
    ) -> pb.Job:
        """Return one job."""
        await catch_up(context, self.jobs)
        return job_message(await listing.find(self.jobs, request.job_id))

    async def StopScenarioRun(self, request: pb.StopScenarioRunRequest, context: Context) -> pb.Job:
        """Ask a job to stop."""
        deadline = deadline_of(context, self.write_seconds)
        job = await stop(self.jobs, request.job_id, deadline)
        await send_metadata(context, written=[job])
        return job_message(job)

    async def StreamLogs(
        self, request: pb.StreamLogsRequest, context: Context
    ) -> AsyncIterator[httpbody_pb2.HttpBody]:
        """Stream the log of a job's scenario."""
        options = check.log_options(request)
        caller, is_empty = current(), True
        log = with_pulse(
            self.logs.stream(request.job_id, options),
            caller.pulse_seconds,
            # Only what could go on for hours is cut when the server stops.
            self.logs.history.closed() if options.follow else None,
        )
        async with aclosing(log) as chunks:
            async for chunk in chunks:
                await require(caller, "read this log")
                if chunk is not None:
                    is_empty = False
                    yield httpbody_pb2.HttpBody(content_type=_TEXT, data=chunk)
        if is_empty:
            # One message all the same: it carries the content type of the empty log.
            yield httpbody_pb2.HttpBody(content_type=_TEXT)

    async def WatchScenarioRuns(
        self, request: pb.WatchScenarioRunsRequest, context: Context
    ) -> AsyncIterator[pb.WatchScenarioRunsResponse]:
        """Stream jobs as they change."""
        wanted = listing.checked(request)
        await catch_up(context, self.jobs)
        accept = partial(send_headers, context)
        stream = self.watch.stream(wanted, request.resume_token, current(), accept)
        async with aclosing(stream) as messages:
            async for message in messages:
                yield message
