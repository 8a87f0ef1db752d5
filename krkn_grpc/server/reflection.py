"""Server reflection under both of its names: new tools call v1, older ones v1alpha.

The protocols differ only in the package's name, and the library has only the older one.
"""

from collections.abc import Iterable

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection, reflection_pb2

_OLD, _NEW = "grpc.reflection.v1alpha", "grpc.reflection.v1"
_SERVICE = "ServerReflection"
_METHOD = "ServerReflectionInfo"


def enable(services: Iterable[str], server: grpc.aio.Server) -> None:
    """Let `server` describe these services and reflection itself."""
    _know_v1()
    versions = (f"{_NEW}.{_SERVICE}", f"{_OLD}.{_SERVICE}")
    servicer = reflection.aio.ReflectionServicer((*services, *versions))
    info = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(version, {_METHOD: info}) for version in versions]
    )


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
