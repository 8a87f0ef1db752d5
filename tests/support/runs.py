"""ScenarioRunService as a test calls it: the bodies of REST in, typed messages out."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc

from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.support.run_calls import FINAL, RunCalls
from tests.support.waiting import eventually

Message = pb.WatchScenarioRunsResponse


@dataclass(frozen=True)
class Runs(RunCalls):
    """Calls to one server about runs and their jobs."""

    async def run(self, *targets: str, **changes: Any) -> list[str]:
        """Run a scenario that every target takes; return the jobIds."""
        reply = await self.ask(*targets, **changes)
        assert reply.failed_jobs == 0, reply
        return [job.job_id for job in reply.jobs]

    async def job(self, job_id: str) -> pb.Job:
        """Return a job."""
        request = pb.GetScenarioRunStatusRequest(job_id=job_id)
        job: pb.Job = await self.stub.GetScenarioRunStatus(request)
        return job

    async def when(self, job_id: str, *statuses: str) -> pb.Job:
        """Return a job as soon as it has one of the statuses, a final one if none is said."""
        return await eventually(
            lambda: self.job(job_id), lambda job: job.status in (statuses or FINAL)
        )

    async def list(self, **fields: Any) -> list[pb.Job]:
        """Return one page of jobs."""
        listed = await self.stub.ListScenarioRuns(pb.ListScenarioRunsRequest(**fields))
        return list(listed.jobs)

    async def stop(self, job_id: str) -> pb.Job:
        """Stop a job."""
        job: pb.Job = await self.stub.StopScenarioRun(pb.StopScenarioRunRequest(job_id=job_id))
        return job

    @contextlib.asynccontextmanager
    async def watch(self, **fields: Any) -> "AsyncIterator[Watcher]":
        """Watch jobs until the context is left."""
        call = self.stub.WatchScenarioRuns(pb.WatchScenarioRunsRequest(**fields))
        try:
            yield Watcher(call)
        finally:
            call.cancel()

    def log(self, job_id: str, **fields: Any) -> Any:
        """Open a log and return the call."""
        return self.stub.StreamLogs(pb.StreamLogsRequest(job_id=job_id, **fields))

    async def read_log(self, job_id: str, **fields: Any) -> str:
        """Return a log, to its end."""
        parts = [part.data async for part in self.log(job_id, **fields)]
        return b"".join(parts).decode()


@contextlib.asynccontextmanager
async def a_narrow_connection(address: str) -> AsyncIterator[Runs]:
    """Calls over a connection of their own, which takes little more than is read from it."""
    narrow = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", 16_384),
    ]
    async with grpc.aio.insecure_channel(address, narrow) as channel:
        yield Runs(channel)


@dataclass
class Watcher:
    """A watch that keeps what it was told, and knows the jobs as a client would."""

    call: Any
    told: list[Message] = field(default_factory=list)
    jobs: dict[str, pb.Job] = field(default_factory=dict)
    token: str = ""

    async def next(self) -> Message:
        """Return the next message; one that does not fit to what was told before is an error."""
        read = await self.call.read()
        assert read is not grpc.aio.EOF, "the watch ended"
        message: Message = read
        self.told.append(message)
        job_id = message.job.job_id
        if message.type in ("ADDED", "MODIFIED", "DELETED"):
            assert (job_id in self.jobs) is (message.type != "ADDED"), message
        if message.type in ("ADDED", "MODIFIED"):
            self.jobs[job_id] = message.job
        if message.type == "DELETED":
            del self.jobs[job_id]
        self.token = message.resume_token or self.token
        return message

    async def until(self, accept: Callable[[Message], object]) -> Message:
        """Read until a message is accepted, and return it."""
        while not accept(message := await self.next()):
            pass
        return message

    async def synced(self) -> Message:
        """Read what there is, to the SYNCED after it."""
        return await self.until(lambda message: message.type == "SYNCED")

    async def status(self, job_id: str, *statuses: str) -> pb.Job:
        """Read until a job has one of the statuses; it may have it already."""
        while job_id not in self.jobs or self.jobs[job_id].status not in statuses:
            seen = await self.next()
            is_over = seen.job.job_id == job_id and seen.job.status in {*FINAL} - {*statuses}
            assert not is_over, f"waited for {statuses}, it ended otherwise: {seen}"
        return self.jobs[job_id]

    async def gone(self, job_id: str) -> Message:
        """Read until a job is DELETED."""
        return await self.until(lambda m: m.type == "DELETED" and m.job.job_id == job_id)

    async def without(self, job_id: str) -> None:
        """Read until a job is not known; it may have gone already, or never been told of."""
        while job_id in self.jobs:
            await self.next()

    def of(self, job_id: str) -> list[tuple[str, str]]:
        """Return the types and statuses of all that was told of a job."""
        return [(m.type, m.job.status) for m in self.told if m.job.job_id == job_id]


async def code_of(call: Any) -> grpc.StatusCode:
    """Return the status that a stream ends with, reading what is left of it."""
    with contextlib.suppress(grpc.aio.AioRpcError):
        while await call.read() is not grpc.aio.EOF:
            pass
    code: grpc.StatusCode = await call.code()
    return code
