"""Runs as a test asks for them and sees them, one call each."""

from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.json_format import ParseDict

from krkn_grpc.v1 import runs_pb2
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.support.requests import a_run
from tests.support.waiting import eventually

FINAL = ("Succeeded", "Failed", "Stopped")
FINAL_OF_RUNS = (*FINAL, "PartiallyFailed")
SECONDS = 60.0


@dataclass(frozen=True)
class RunCalls:
    """Calls to one server about runs."""

    channel: grpc.aio.Channel

    @property
    def stub(self) -> Any:
        """The generated stub."""
        return ScenarioRunServiceStub(self.channel)

    async def ask(self, *targets: str, **changes: Any) -> pb.RunScenarioResponse:
        """Ask for a run and return the reply."""
        reply: pb.RunScenarioResponse = await self.start(*targets, **changes)
        return reply

    def start(self, *targets: str, **changes: Any) -> Any:
        """Ask for a run and return the call."""
        request = ParseDict(a_run(*targets, **changes), pb.RunScenarioRequest())
        return self.stub.RunScenario(request, timeout=SECONDS)

    async def run_of(self, *targets: str, **changes: Any) -> runs_pb2.Run:
        """Run a scenario that at least one target takes; return the run."""
        reply = await self.ask(*targets, **changes)
        assert reply.run_id, reply
        return await self.get(reply.run_id)

    async def get(self, run_id: str) -> runs_pb2.Run:
        """Return a run."""
        run: runs_pb2.Run = await self.stub.GetRun(runs_pb2.GetRunRequest(run_id=run_id))
        return run

    async def run_when(self, run_id: str, *statuses: str) -> runs_pb2.Run:
        """Return a run as soon as it has one of the statuses, a final one if none is said."""
        return await eventually(
            lambda: self.get(run_id), lambda run: run.status in (statuses or FINAL_OF_RUNS)
        )

    async def list_runs(self, **fields: Any) -> list[runs_pb2.Run]:
        """Return one page of runs."""
        listed = await self.stub.ListRuns(runs_pb2.ListRunsRequest(**fields))
        return list(listed.runs)

    async def stop_run(self, run_id: str) -> runs_pb2.Run:
        """Stop a run."""
        run: runs_pb2.Run = await self.stub.StopRun(runs_pb2.StopRunRequest(run_id=run_id))
        return run

    def rerun(self, run_id: str, **fields: Any) -> Any:
        """Ask for a run once more and return the call."""
        return self.stub.RerunRun(pb.RerunRunRequest(run_id=run_id, **fields), timeout=SECONDS)

    def run_log(self, run_id: str, **fields: Any) -> Any:
        """Open the logs of a run and return the call."""
        return self.stub.StreamRunLogs(runs_pb2.StreamRunLogsRequest(run_id=run_id, **fields))

    async def run_lines(self, run_id: str, **fields: Any) -> list[runs_pb2.StreamRunLogsResponse]:
        """Return the lines of the logs of a run, to their end."""
        return [line async for line in self.run_log(run_id, **fields)]
