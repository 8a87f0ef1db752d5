"""Runs: starts them, and finds those that were started before."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Unpack
from uuid import uuid4

from krkn_grpc.client.connection import Connection
from krkn_grpc.client.errors import InvalidArgument, KrknError, NothingStarted, Unavailable
from krkn_grpc.client.models import RunRecord, Target, TargetJobResult
from krkn_grpc.client.options import File, Registry, RunOptions, proto_files, run_request
from krkn_grpc.client.pages import all_pages
from krkn_grpc.client.reading import read
from krkn_grpc.client.retries import Resumption
from krkn_grpc.client.run import Run
from krkn_grpc.client.statuses import JobStatus, RunStatus
from krkn_grpc.v1 import runs_pb2
from krkn_grpc.v1 import scenario_runs_pb2 as pb

# The service itself tries for 25 s to find out the result of a write.
_SETTLING_ATTEMPTS = 3


class Runs:
    """`krkn.runs`: starts runs, and looks at all of them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stubs = connection.runs

    async def start(
        self, scenario: str, targets: Iterable[str | Target], **options: Unpack[RunOptions]
    ) -> Run:
        """Run a scenario on each of the targets, one job per target; see `Krkn.run`."""
        request = run_request(scenario, targets, options)
        return _run(self._connection, request.request_id, await self._sent(request))

    async def validate(
        self, scenario: str, targets: Iterable[str | Target], **options: Unpack[RunOptions]
    ) -> tuple[TargetJobResult, ...]:
        """Check all that a run checks, start nothing, and return what would become of each.

        Those of a `request_id` whose run was made already have the ids of its jobs.
        """
        request = run_request(scenario, targets, options)
        request.validate_only = True
        reply = await self._connection.call(self._stubs.RunScenario, request)
        return tuple(read(each, TargetJobResult) for each in reply.jobs)

    async def rerun(
        self,
        run_id: str,
        *,
        only_failed: bool = False,
        secret_environment: Mapping[str, str] | None = None,
        files: Iterable[File] = (),
        registry: Registry | None = None,
        request_id: str = "",
    ) -> Run:
        """Run once more what a run has run, as a new run; its secret inputs are given again.

        Raises FailedPrecondition, whose message names the missing secret inputs, and what
        `Krkn.run` raises.
        """
        login = registry or Registry("")
        request = pb.RerunRunRequest(
            run_id=run_id,
            request_id=request_id or str(uuid4()),
            only_failed=only_failed,
            secret_environment=secret_environment,
            files=proto_files(files),
            username=login.username,
            password=login.password,
            token=login.token,
        )
        return _run(self._connection, request.request_id, await self._sent(request))

    async def get(self, run_id: str) -> RunRecord:
        """Return a run; raises NotFound."""
        request = runs_pb2.GetRunRequest(run_id=run_id)
        return await self._connection.ask(self._stubs.GetRun, request, RunRecord)

    async def attach(self, run_id: str) -> Run:
        """Return a run that was started before, to wait for it, say; raises NotFound."""
        record = await self.get(run_id)
        jobs = [
            TargetJobResult(each.target_uuid, each.job_id, JobStatus.PENDING, "", True, None)
            for each in record.targets
        ]
        refused = [
            TargetJobResult(each.target_uuid, "", JobStatus.FAILED, "", False, each.error)
            for each in record.refused
        ]
        return Run(self._connection, run_id, [*jobs, *refused])

    def list(
        self,
        *,
        status: RunStatus | str = "",
        scenario_name: str = "",
        requested_by: str = "",
        selector: str = "",
    ) -> AsyncIterator[RunRecord]:
        """Yield the runs that pass all filters, newest first, page after page."""
        request = runs_pb2.ListRunsRequest(
            status=status,
            scenario_name=scenario_name,
            requested_by=requested_by,
            label_selector=selector,
        )
        return all_pages(
            self._connection,
            self._stubs.ListRuns,
            request,
            lambda page: (read(each, RunRecord) for each in page.runs),
        )

    async def stop(self, run_id: str) -> RunRecord:
        """Ask all jobs of a run to stop, and return it; one that has ended is unchanged."""
        request = runs_pb2.StopRunRequest(run_id=run_id)
        return await self._connection.ask(self._stubs.StopRun, request, RunRecord)

    async def _sent(
        self, request: pb.RunScenarioRequest | pb.RerunRunRequest
    ) -> pb.RunScenarioResponse:
        """Send a request; its requestId makes it safe to repeat, also while a result is unknown."""
        resumption = Resumption(self._connection.way.patience)
        reply: pb.RunScenarioResponse | None = None
        for left in reversed(range(_SETTLING_ATTEMPTS)):
            try:
                reply = await self._once(request)
                if not left or all(each.status != JobStatus.UNKNOWN for each in reply.jobs):
                    return reply
                await resumption.wait(Unavailable("a write is not settled"))
            except KrknError as error:
                if reply is not None:
                    # It has the ids of jobs that may exist.
                    return reply
                error.request_id = request.request_id
                raise
        raise AssertionError("the last attempt returns or raises")

    async def _once(
        self, request: pb.RunScenarioRequest | pb.RerunRunRequest
    ) -> pb.RunScenarioResponse:
        try:
            if isinstance(request, pb.RunScenarioRequest):
                return await self._connection.call(self._stubs.RunScenario, request)
            return await self._connection.call(self._stubs.RerunRun, request)
        except KrknError as error:
            if not error.was_lost_before or isinstance(error, Unavailable | InvalidArgument):
                raise
            # This refusal says nothing of the attempt before it.
            message = f"whether the run was started is not known: {error}"
            raise Unavailable(message, code=error.code, reason=error.reason) from error


def _run(connection: Connection, request_id: str, reply: pb.RunScenarioResponse) -> Run:
    """Return the run of a reply; raises NothingStarted if it has no jobs."""
    results = tuple(read(each, TargetJobResult) for each in reply.jobs)
    if not any(each.job_id for each in results):
        nothing = NothingStarted({each.target_uuid: each.error or "" for each in results})
        nothing.request_id = request_id
        raise nothing
    return Run(connection, reply.run_id, results, request_id=request_id, message=reply.message)
