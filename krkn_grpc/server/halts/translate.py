"""Translates a halt to its reply."""

from krkn_grpc.resources.halt import Halt
from krkn_grpc.server.times import rfc3339
from krkn_grpc.v1 import halts_pb2 as pb

_UNREADABLE = "The targetSelector is not a label selector: every target is halted."


def halt_message(halt: Halt) -> pb.Halt:
    """Return the reply for one halt."""
    return pb.Halt(
        name=halt.metadata.name,
        reason=halt.spec.reason,
        by=halt.spec.by,
        since=halt.spec.since or rfc3339(halt.metadata.creation_timestamp),
        target_selector=halt.spec.target_selector,
        message=None if halt.is_readable else _UNREADABLE,
    )
