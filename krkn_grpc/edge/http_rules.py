"""The REST calls and the fields that each accepts, read from the descriptor set."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2, field_behavior_pb2, http_pb2
from google.protobuf import descriptor_pb2

from krkn_grpc.edge.files import FOLDER
from krkn_grpc.edge.limits import FOREIGN_BODIES

DESCRIPTOR_SET = FOLDER / "krkn_v1.binpb"
PACKAGE = "krkn.v1"

_Proto = descriptor_pb2.FieldDescriptorProto
_SCALARS = {_Proto.TYPE_STRING: "string", _Proto.TYPE_BOOL: "bool", _Proto.TYPE_INT32: "int32"}
_HTTP: Any = annotations_pb2.http  # its package brings no types that fit
_BEHAVIOR: Any = field_behavior_pb2.field_behavior
_VARIABLE = re.compile(r"\{(\w+)\}")


class Unsupported(Exception):
    """The protos use a feature that the check of requests has no rule for."""


@dataclass(frozen=True)
class BodyField:
    """One field of a message, as JSON and protobuf name it. `message` is empty for a scalar."""

    name: str
    proto: str
    scalar: str
    message: str
    is_repeated: bool
    is_map: bool
    is_required: bool
    may_be_queried: bool
    """False for a field that may hold a credential, and for a deprecated one."""


@dataclass(frozen=True)
class RestCall:
    """One REST binding of an RPC."""

    rpc: str
    verb: str
    path: str
    query: tuple[BodyField, ...]
    body: tuple[BodyField, ...] | None
    is_stream: bool
    is_json: bool
    """Whether its reply is JSON; else it is the content of a google.api.HttpBody."""

    @property
    def most_bytes(self) -> int | None:
        """The most bytes of its body, where it has a bound of its own."""
        return FOREIGN_BODIES.get(self.rpc)

    @property
    def is_foreign(self) -> bool:
        """Whether another program defines its body: fields that are not known are passed over."""
        return self.rpc in FOREIGN_BODIES

    @property
    def may_be_empty(self) -> bool:
        """Whether the call has a body that may be left out: none of its fields is required."""
        return self.body is not None and not any(field.is_required for field in self.body)


class RestApi:
    """All REST calls of the package, and the messages that their bodies nest."""

    def __init__(self, descriptor_set: bytes) -> None:
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file
        ours = [file for file in files if file.package == PACKAGE]
        self._messages = {
            f".{file.package}.{message.name}": message
            for file in ours
            for message in file.message_type
        }
        self.services = tuple(
            sorted(f"{file.package}.{service.name}" for file in ours for service in file.service)
        )
        self.methods = tuple(
            sorted(
                f"/{file.package}.{service.name}/{method.name}"
                for file in ours
                for service in file.service
                for method in service.method
            )
        )
        """The paths of the RPCs, as gRPC calls them."""
        self.calls = tuple(
            call for file in ours for service in file.service for call in self._calls_of(service)
        )

    def fields(self, message: str, without: frozenset[str] = frozenset()) -> tuple[BodyField, ...]:
        """Return the fields of a message, by its full name, except the proto names in `without`."""
        descriptor = self._messages[message]
        maps = {entry.name: entry for entry in descriptor.nested_type if entry.options.map_entry}
        return tuple(
            self._field(field, maps) for field in descriptor.field if field.name not in without
        )

    def _field(
        self,
        field: descriptor_pb2.FieldDescriptorProto,
        maps: dict[str, descriptor_pb2.DescriptorProto],
    ) -> BodyField:
        entry = maps.get(field.type_name.rpartition(".")[2])
        value = field if entry is None else entry.field[1]
        scalar = _SCALARS.get(value.type, "")
        if not scalar and value.type_name not in self._messages:
            msg = f"{field.name}: no rule for a field of type {_Proto.Type.Name(value.type)}"
            raise Unsupported(msg)
        return BodyField(
            name=field.json_name,
            proto=field.name,
            scalar=scalar,
            message="" if scalar else value.type_name,
            is_repeated=entry is None and field.label == _Proto.LABEL_REPEATED,
            is_map=entry is not None,
            is_required=field_behavior_pb2.REQUIRED in field.options.Extensions[_BEHAVIOR],
            may_be_queried=not (field.options.debug_redact or field.options.deprecated),
        )

    def _calls_of(self, service: descriptor_pb2.ServiceDescriptorProto) -> Iterator[RestCall]:
        for method in service.method:
            rule: http_pb2.HttpRule = method.options.Extensions[_HTTP]
            for binding in (rule, *rule.additional_bindings):
                if binding.WhichOneof("pattern"):
                    yield self._call(f"{service.name}.{method.name}", method, binding)

    def _call(
        self, rpc: str, method: descriptor_pb2.MethodDescriptorProto, rule: http_pb2.HttpRule
    ) -> RestCall:
        verb = rule.WhichOneof("pattern")
        if verb == "custom" or rule.body not in {"", "*"} or rule.response_body:
            msg = f"{rpc}: no rule for a custom verb, a body field or a response body"
            raise Unsupported(msg)
        path: str = getattr(rule, verb)
        in_path = frozenset(_VARIABLE.findall(path))
        if re.search(r"[{}*=]", _VARIABLE.sub("", path)):
            msg = f"{rpc}: no rule for the path {path}"
            raise Unsupported(msg)
        rest = self.fields(method.input_type, without=in_path)
        return RestCall(
            rpc=rpc,
            verb=verb.upper(),
            path=path,
            # With a body there is no query: the transcoder would merge the two.
            query=() if rule.body else tuple(f for f in rest if _may_be_in_query(f)),
            body=rest if rule.body else None,
            is_stream=method.server_streaming,
            is_json=method.output_type != ".google.api.HttpBody",
        )


def _may_be_in_query(field: BodyField) -> bool:
    return bool(field.scalar) and not field.is_map and field.may_be_queried


def segment_pattern(path: str, variable: str, escape: str) -> str:
    """Turn a path into a pattern.

    Each variable becomes `variable`; each special character gets `escape` before it.
    """
    parts = re.split(r"\{\w+\}", path)
    return variable.join(re.sub(r"[^\w/]", lambda found: escape + found[0], part) for part in parts)
