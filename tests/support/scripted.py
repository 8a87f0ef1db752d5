"""What a service may say, for one that says just that."""

import contextlib
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.watch_pb2 import WatchError
from tests.rest.edge.running import Upstream

TARGET = "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"
RUN = "c0ffee00-58a5-4cfa-8d29-5ad5f4c3f1ab"
JOB = "7c1c2b44-58a5-4cfa-8d29-5ad5f4c3f1aa"


def error(code: code_pb2.Code, message: str = "said", *details: Message) -> status_pb2.Status:
    """An error as the service sends it."""
    status = status_pb2.Status(code=code, message=message)
    for detail in (error_details_pb2.ErrorInfo(reason="R"), *details):
        status.details.add().Pack(detail)
    return status


AWAY = error(code_pb2.UNAVAILABLE)


@contextlib.contextmanager
def scripted_service() -> Iterator[Upstream]:
    """Serve what the test says, until the block ends."""
    scripted = Upstream()
    server = scripted.serve()
    try:
        yield scripted
    finally:
        server.stop(grace=None).wait()


def in_turn(upstream: Upstream, method: str, *replies: Message | list[Message]) -> None:
    """Answer each call of a method with the next of these, an error where it is a status.

    A list is a stream; what comes after the last reply is the last one again.
    """
    left = list(replies)

    def reply(_: object, context: grpc.ServicerContext) -> Any:
        current = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(current, list):
            return _streamed(current, context)
        if isinstance(current, status_pb2.Status):
            _abort(context, current)
        return current

    upstream.on(method, reply)


def _streamed(messages: list[Message], context: grpc.ServicerContext) -> Iterator[Message]:
    for message in messages:
        if isinstance(message, status_pb2.Status):
            _abort(context, message)
        yield message


def _abort(context: grpc.ServicerContext, status: status_pb2.Status) -> None:
    context.abort_with_status(rpc_status.to_status(status))


def asked(upstream: Upstream, method: str) -> list[Any]:
    """The requests that reached a method."""
    return [call.request for call in upstream.calls if call.method == method]


def run_reply(status: str = "Pending") -> pb.RunScenarioResponse:
    success = status == "Pending"
    entry = pb.TargetJobResult(target_uuid=TARGET, job_id=JOB, status=status, success=success)
    return pb.RunScenarioResponse(
        jobs=[entry],
        run_id=RUN,
        total_targets=1,
        successful_jobs=int(success),
        failed_jobs=int(not success),
    )


def told(kind: str, status: str = "", token: str = "") -> pb.WatchScenarioRunsResponse:
    """A message of a watch; of the job, when it has a status."""
    job = pb.Job(job_id=JOB, target_uuid=TARGET, status=status) if status else None
    return pb.WatchScenarioRunsResponse(type=kind, job=job, resume_token=token)


def ended(code: int) -> pb.WatchScenarioRunsResponse:
    """The last message of a watch."""
    return pb.WatchScenarioRunsResponse(
        type="ERROR", error=WatchError(code=code, message="it ended")
    )
