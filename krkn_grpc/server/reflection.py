"""Server reflection under both of its names: new tools call v1, older ones v1alpha.

The protocols differ only in the package's name, and the library has only the older one.

protoc leaves the JSON names that follow from the fields' names out of Python's descriptors. Not all
tools derive them, so they are filled in: else such a tool shows `job_id` beside `targetUUID`.
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from functools import lru_cache
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor
from grpc_reflection.v1alpha import reflection, reflection_pb2

_OLD, _NEW = "grpc.reflection.v1alpha", "grpc.reflection.v1"
_SERVICE = "ServerReflection"
_METHOD = "ServerReflectionInfo"


def enable(services: Iterable[str], server: grpc.aio.Server) -> None:
    """Let `server` describe these services and reflection itself."""
    _know_v1()
    versions = (f"{_NEW}.{_SERVICE}", f"{_OLD}.{_SERVICE}")
    servicer = reflection.aio.ReflectionServicer((*services, *versions))

    async def named(
        requests: AsyncIterable[reflection_pb2.ServerReflectionRequest],
        context: grpc.aio.ServicerContext[
            reflection_pb2.ServerReflectionRequest, reflection_pb2.ServerReflectionResponse
        ],
    ) -> AsyncIterator[reflection_pb2.ServerReflectionResponse]:
        # An async generator; its types say that it is a coroutine.
        responses: Any = servicer.ServerReflectionInfo(requests, context)
        async for response in responses:
            if response.HasField("file_descriptor_response"):
                files = response.file_descriptor_response.file_descriptor_proto
                files[:] = [_with_json_names(file) for file in files]
            yield response

    info = grpc.stream_stream_rpc_method_handler(
        named,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(version, {_METHOD: info}) for version in versions]
    )


@lru_cache(maxsize=64)  # there are fewer files
def _with_json_names(serialized: bytes) -> bytes:
    """Return a file of the default pool with the JSON names of all fields."""
    file = descriptor_pb2.FileDescriptorProto.FromString(serialized)
    described = descriptor_pool.Default().FindFileByName(file.name)
    for message in file.message_type:
        _name_fields(message, described.message_types_by_name[message.name])
    return file.SerializeToString()


def _name_fields(message: descriptor_pb2.DescriptorProto, described: Descriptor) -> None:
    for field in message.field:
        field.json_name = described.fields_by_name[field.name].json_name
    for nested in message.nested_type:
        _name_fields(nested, described.nested_types_by_name[nested.name])


def _know_v1() -> None:
    """Add the descriptor of v1, a renamed copy of that of v1alpha, to the default pool."""
    old = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(old)
    new = descriptor_pb2.FileDescriptorProto(
        name="grpc/reflection/v1/reflection.proto", package=_NEW, syntax=old.syntax
    )
    new.message_type.extend(old.message_type)
    new.service.extend(old.service)
    for message in new.message_type:
        for field in filter(lambda field: field.type_name, message.field):
            field.type_name = field.type_name.replace(f".{_OLD}.", f".{_NEW}.")
    for method in new.service[0].method:
        method.input_type = method.input_type.replace(f".{_OLD}.", f".{_NEW}.")
        method.output_type = method.output_type.replace(f".{_OLD}.", f".{_NEW}.")
    # A second server in the process may add the same descriptor again without a conflict.
    descriptor_pool.Default().AddSerializedFile(new.SerializeToString())
