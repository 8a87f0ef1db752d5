"""StreamRunLogs and StreamRunLogsAsText, which the process that reads logs serves."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from google.api import httpbody_pb2

from krkn_grpc.server.auth.authorization import current, require
from krkn_grpc.server.chaos_runs import validate
from krkn_grpc.server.chaos_runs.lines import Block
from krkn_grpc.server.chaos_runs.logs import RunLogOptions, RunLogStreamer
from krkn_grpc.server.heartbeat import with_heartbeat
from krkn_grpc.server.metadata import Context, is_head, send_headers, tell_log
from krkn_grpc.v1 import runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceServicer

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class RunLogServicer(ScenarioRunServiceServicer):
    """Streams the logs of runs."""

    run_logs: RunLogStreamer

    async def StreamRunLogs(
        self, request: pb.StreamRunLogsRequest, context: Context
    ) -> AsyncIterator[pb.StreamRunLogsResponse]:
        """Stream the logs of a run's jobs, line by line."""
        options = validate.log_options(request)
        async with aclosing(self._blocks(request.run_id, options, context)) as blocks:
            async for block in blocks:
                if not block.job_id:
                    await send_headers(context)
                if block.note:
                    yield _message(block, note=block.note)
                for line in block.lines():
                    yield _message(block, line=line.decode(errors="replace"))

    async def StreamRunLogsAsText(
        self, request: pb.StreamRunLogsAsTextRequest, context: Context
    ) -> AsyncIterator[httpbody_pb2.HttpBody]:
        """Stream the logs of a run's jobs as text."""
        options = validate.log_options(request)
        async with aclosing(self._blocks(request.run_id, options, context)) as blocks:
            async for block in blocks:
                if not block.job_id:
                    # Envoy makes the headers of a REST reply from the first message.
                    yield httpbody_pb2.HttpBody(content_type=TEXT)
                    if is_head(context):
                        return
                for piece in block.pieces():
                    yield httpbody_pb2.HttpBody(content_type=TEXT, data=piece)

    async def _blocks(
        self, run_id: str, options: RunLogOptions, context: Context
    ) -> AsyncGenerator[Block, None]:
        """Yield the blocks while the caller may read them; the first is empty.

        The trailers say if any of the logs is a kept one, and if any of these is truncated.
        """
        sources: set[str] = set()
        caller = current()
        blocks = with_heartbeat(
            self.run_logs.stream(run_id, options),
            caller.heartbeat_seconds,
            # At a server stop, only followed logs are cut: they could go on for hours.
            self.run_logs.logs.history.closed() if options.follow else None,
        )
        async with aclosing(blocks) as each:
            async for block in each:
                await require(caller, "read these logs")
                if block is None:
                    continue
                if block.source and not block.note and block.source not in sources:
                    sources.add(block.source)
                    # The longer one says more.
                    tell_log(context, max(sources, key=len))
                yield block


def _message(block: Block, *, line: str = "", note: str = "") -> pb.StreamRunLogsResponse:
    return pb.StreamRunLogsResponse(
        job_id=block.job_id,
        cluster_name=block.cluster_name,
        line=line,
        source=block.source,
        note=note,
    )
