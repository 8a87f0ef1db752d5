"""Calls with two verbs: a GET, and a POST for clients that send an object (as Envoy has them)."""

from typing import Any, TypeAlias

from google.api import field_behavior_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto

Tree: TypeAlias = dict[str, Any]

_BEHAVIOR: Any = field_behavior_pb2.field_behavior  # its package brings no types that fit
# Ends the operationId of the POST.
POSTED = "ByPost"


def without_hidden(operation: Tree, message: DescriptorProto) -> Tree:
    """Take out query parameters that Envoy does not know; require a body only where it does."""
    hidden = {f.json_name for f in message.field if f.options.deprecated or f.options.debug_redact}
    if "parameters" in operation:
        operation["parameters"] = [p for p in operation["parameters"] if p["name"] not in hidden]
    if "requestBody" in operation:
        in_path = {p["name"] for p in operation.get("parameters", [])}
        operation["requestBody"]["required"] = any(
            field_behavior_pb2.REQUIRED in field.options.Extensions[_BEHAVIOR]
            and field.json_name not in in_path
            for field in message.field
        )
    return operation


def tell_apart(calls: Tree) -> None:
    """Give the second verb of a call an operationId of its own."""
    if len({operation["operationId"] for operation in calls.values()}) < len(calls):
        calls["post"]["operationId"] += POSTED
