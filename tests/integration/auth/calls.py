"""Any method called by its path, with a request that finds nothing: only the code counts."""

import uuid
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc import StatusCode

from krkn_grpc.v1 import (
    access_pb2,
    alerts_pb2,
    halts_pb2,
    health_pb2,
    scenario_runs_pb2,
    scenarios_pb2,
    target_requests_pb2,
    targets_pb2,
)
from tests.integration.auth.callers import Metadata

SECONDS = 60.0
FILES = (
    targets_pb2,
    target_requests_pb2,
    scenarios_pb2,
    scenario_runs_pb2,
    halts_pb2,
    alerts_pb2,
    access_pb2,
    health_pb2,
)
METHODS: dict[str, MethodDescriptor] = {
    method.name: method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
"""Every method of ours by its name; no two have the same."""


@dataclass(frozen=True)
class Outcome:
    """The code of a call, what was said, and the first message."""

    code: StatusCode
    details: str = ""
    reply: Any = None


async def call(
    channel: grpc.aio.Channel,
    name: str,
    metadata: Metadata = (),
    seconds: float = SECONDS,
    request: Message | None = None,
    **fields: Any,
) -> Outcome:
    """Call a method; of a stream, until its first message."""
    method = METHODS[name]
    path = f"/{method.containing_service.full_name}/{name}"
    serialize, deserialize = _message, GetMessageClass(method.output_type).FromString
    request = request or a_request(name, **fields)
    try:
        if not method.server_streaming:
            unary = channel.unary_unary(path, serialize, deserialize)
            reply = await unary(request, metadata=metadata, timeout=seconds)
            return Outcome(StatusCode.OK, reply=reply)
        stream = channel.unary_stream(path, serialize, deserialize)(
            request, metadata=metadata, timeout=seconds
        )
        async for message in stream:
            stream.cancel()
            return Outcome(StatusCode.OK, reply=message)
        return Outcome(StatusCode.OK)
    except grpc.aio.AioRpcError as error:
        return Outcome(error.code(), error.details() or "")


def a_request(name: str, **fields: Any) -> Message:
    """A request for what is not there, unless the fields say otherwise."""
    kind = METHODS[name].input_type
    ids = ["uuid", "job_id", "id"]
    if not name.startswith(("List", "Watch")):
        # Of a list or a watch it is a filter.
        ids.append("run_id")
    absent = {field: str(uuid.uuid4()) for field in ids if field in kind.fields_by_name}
    request: Message = GetMessageClass(kind)(**(absent | fields))
    return request


def _message(message: Message) -> bytes:
    return message.SerializeToString()
