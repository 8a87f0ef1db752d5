"""ScenarioRunService: validates a request, does the work, translates the result."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.halt import Halt
from krkn_grpc.resources.meta import Resource
from krkn_grpc.resources.target import Target
from krkn_grpc.server.auth.authorization import current
from krkn_grpc.server.auth.policy import RUNS
from krkn_grpc.server.chaos_runs.servicer import ChaosRunServicer
from krkn_grpc.server.metadata import (
    Context,
    catch_up,
    deadline_of,
    is_head,
    is_retry,
    send_headers,
    send_metadata,
)
from krkn_grpc.server.pagination import page
from krkn_grpc.server.runs import filters, validate
from krkn_grpc.server.runs.known_scenario import CheckMode
from krkn_grpc.server.runs.stop import stop
from krkn_grpc.server.runs.submission import Submission
from krkn_grpc.server.runs.translate import job_message, run_message
from krkn_grpc.server.scenarios.current import CurrentCatalogue
from krkn_grpc.server.watch import Watch
from krkn_grpc.v1 import scenario_runs_pb2 as pb


@dataclass(frozen=True)
class ScenarioRunServicer(ChaosRunServicer):
    """Runs scenarios and shows their jobs; the protos specify each method."""

    submission: Submission
    watch: Watch[ChaosJob, pb.WatchScenarioRunsResponse]
    targets: Informer[Target]
    halts: Informer[Halt]
    allowed_images: tuple[str, ...]
    allowed_paths: tuple[str, ...]
    catalogue: CurrentCatalogue
    check_environment: CheckMode

    async def RunScenario(
        self, request: pb.RunScenarioRequest, context: Context
    ) -> pb.RunScenarioResponse:
        """Run a scenario on each target."""
        run = validate.run(
            request,
            self.allowed_images,
            self.allowed_paths,
            self.catalogue.value,
            self.check_environment,
        )
        # The run must see what the caller has just changed on another replica.
        await catch_up(context, self.targets)
        await catch_up(context, self.halts)
        deadline = deadline_of(context, self.write_seconds)
        results, stored, is_repeated = await self.submission.submit(
            run, current(), deadline, is_retry=is_retry(context)
        )
        written: list[Resource] = [result.job for result in results if result.job is not None]
        if stored is not None:
            self.runs.remember(stored)
            written.append(stored)
        code = 201 if any(result.status == "Pending" for result in results) else 500
        await send_metadata(
            context,
            http_code=None if run.validate_only else code,
            written=written,
            is_repeated=is_repeated,
        )
        if not run.validate_only or stored is None:
            return run_message(run, results, stored)
        # The right to make this call is a right to jobs. The status of a run needs one to runs.
        may_see = await current().may("get", RUNS, stored.metadata.name)
        return run_message(run, results, stored, may_see=may_see)

    async def RerunRun(
        self, request: pb.RerunRunRequest, context: Context
    ) -> pb.RunScenarioResponse:
        """Run once more what a run has run."""
        return await self.RunScenario(await self.once_more(request, context), context)

    async def ListScenarioRuns(
        self, request: pb.ListScenarioRunsRequest, context: Context
    ) -> pb.ListScenarioRunsResponse:
        """List jobs, newest first."""
        wanted = filters.checked(request)
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
        return job_message(await filters.find(self.jobs, request.job_id))

    async def StopScenarioRun(self, request: pb.StopScenarioRunRequest, context: Context) -> pb.Job:
        """Ask a job to stop."""
        deadline = deadline_of(context, self.write_seconds)
        job = await stop(self.jobs, request.job_id, deadline)
        await send_metadata(context, written=[job])
        return job_message(job)

    async def WatchScenarioRuns(
        self, request: pb.WatchScenarioRunsRequest, context: Context
    ) -> AsyncIterator[pb.WatchScenarioRunsResponse]:
        """Stream jobs as they change."""
        wanted = filters.checked(request)
        await catch_up(context, self.jobs)
        accept, only_headers = partial(send_headers, context), is_head(context)
        stream = self.watch.stream(
            wanted, request.resume_token, current(), accept, only_accept=only_headers
        )
        async with aclosing(stream) as messages:
            async for message in messages:
                yield message
                if only_headers:
                    return
