"""The methods that stream logs; a separate process can serve them: it needs other permissions."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from google.api import httpbody_pb2

from krkn_grpc.server.auth.authorization import current, require
from krkn_grpc.server.chaos_runs.log_servicer import TEXT, RunLogServicer
from krkn_grpc.server.heartbeat import with_heartbeat
from krkn_grpc.server.metadata import Context, is_head, is_rest, send_headers
from krkn_grpc.server.runs import validate
from krkn_grpc.server.runs.logs import LogStreamer, Opened
from krkn_grpc.v1 import scenario_runs_pb2 as pb


@dataclass(frozen=True)
class LogServicer(RunLogServicer):
    """Streams the logs of jobs and of runs."""

    logs: LogStreamer

    async def StreamLogs(
        self, request: pb.StreamLogsRequest, context: Context
    ) -> AsyncIterator[httpbody_pb2.HttpBody]:
        """Stream the log of a job's scenario."""
        options = validate.log_options(request)
        caller, by_rest, is_empty = current(), is_rest(context), True
        log = with_heartbeat(
            self.logs.stream(request.job_id, options),
            caller.heartbeat_seconds,
            # At a server stop, only followed logs are cut: they could go on for hours.
            self.logs.history.closed() if options.follow else None,
        )
        async with aclosing(log) as chunks:
            async for chunk in chunks:
                await require(caller, "read this log")
                if isinstance(chunk, Opened):
                    # By REST only to say that it is a kept log: Envoy makes the headers of a reply
                    # from the first message, also an empty one.
                    if chunk.source or not by_rest:
                        await send_headers(context, chunk.source)
                    data = b"" if by_rest else None
                else:
                    data = chunk
                if data or (data == b"" and is_empty):
                    is_empty = False
                    yield httpbody_pb2.HttpBody(content_type=TEXT, data=data)
                    if is_head(context):
                        return
        if is_empty:
            # An empty log also needs one message, for its content type.
            yield httpbody_pb2.HttpBody(content_type=TEXT)
