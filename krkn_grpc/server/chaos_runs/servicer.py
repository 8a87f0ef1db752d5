"""The methods about runs as things; RunScenario and the methods about jobs are in server/runs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources import ids
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun
from krkn_grpc.server.auth.authorization import current
from krkn_grpc.server.chaos_runs import filters, rerun, translate
from krkn_grpc.server.chaos_runs.stop import stop
from krkn_grpc.server.errors import Findings, NoSuch
from krkn_grpc.server.metadata import Context, catch_up, deadline_of, send_metadata
from krkn_grpc.server.pagination import page
from krkn_grpc.server.runs.idempotency_record import run_of_request
from krkn_grpc.server.runs.log_servicer import LogServicer
from krkn_grpc.v1 import runs_pb2 as pb
from krkn_grpc.v1 import scenario_runs_pb2


@dataclass(frozen=True)
class ChaosRunServicer(LogServicer):
    """Shows and stops runs, and prepares what runs once more; the protos specify each method."""

    runs: Informer[ChaosRun]
    jobs: Informer[ChaosJob]
    clock: Callable[[], datetime]
    write_seconds: float

    async def ListRuns(self, request: pb.ListRunsRequest, context: Context) -> pb.ListRunsResponse:
        """List runs, newest first."""
        wanted = filters.checked(request)
        await catch_up(context, self.runs)
        shown, following = page(
            partial(wanted.among, self.runs),
            size=request.page_size,
            token=request.page_token,
            filters=wanted.spelling,
            show=translate.in_list,
        )
        return pb.ListRunsResponse(runs=shown, next_page_token=following)

    async def GetRun(self, request: pb.GetRunRequest, context: Context) -> pb.Run:
        """Return one run."""
        await catch_up(context, self.runs)
        return translate.whole(await filters.find(self.runs, request.run_id))

    async def StopRun(self, request: pb.StopRunRequest, context: Context) -> pb.Run:
        """Ask all jobs of a run to stop."""
        deadline = deadline_of(context, self.write_seconds)
        run = await stop(self.runs, request.run_id, current().user, deadline)
        await send_metadata(context, written=[run])
        return translate.whole(run)

    async def once_more(
        self, request: scenario_runs_pb2.RerunRunRequest, context: Context
    ) -> scenario_runs_pb2.RunScenarioRequest:
        """Return the request that runs once more what a run has run."""
        # Live: which jobs are gone is told by the same object that the controller writes.
        run = await filters.find_live(self.runs.client, request.run_id)
        await catch_up(context, self.jobs)
        if not request.only_failed:
            return rerun.request(run, request, rerun.all_targets(run))
        made = await self._made_by(request.request_id)
        if made is not None and (targets := rerun.targets_of(run, made)):
            return rerun.request(run, request, targets)
        findings = Findings()
        # More jobs may fail before a proxy repeats the call, which would be another call then.
        is_safe = bool(request.request_id) or run.status.is_final
        rule = "is required with onlyFailed while the run goes on"
        findings.expect(is_safe, "requestId", rule)
        findings.settle()
        longest_call = timedelta(seconds=self.write_seconds)
        targets = rerun.failed_targets(run, self.jobs, self.clock(), longest_call)
        return rerun.request(run, request, targets)

    async def _made_by(self, request_id: str) -> ChaosRun | None:
        """Return the run that an earlier attempt with this requestId has made, if any."""
        canonical = ids.canonical(request_id)
        if canonical is None:
            return None
        try:
            return await filters.find_live(
                self.runs.client, run_of_request(canonical, current().user)
            )
        except NoSuch:
            return None
