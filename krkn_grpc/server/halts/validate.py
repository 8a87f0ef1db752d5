"""Validates a CreateHalt request without any lookup."""

from krkn_grpc.resources.halt import LONGEST_REASON
from krkn_grpc.resources.text import can_be_shown, trimmed
from krkn_grpc.server import labels
from krkn_grpc.server.errors import Findings
from krkn_grpc.v1 import halts_pb2 as pb


def halt(request: pb.CreateHaltRequest) -> None:
    """Raise InvalidRequest for a request that cannot be carried out as it was meant."""
    findings = Findings()
    reason = request.reason
    if findings.expect(bool(trimmed(reason)), "reason", "is required"):
        in_order = len(reason) <= LONGEST_REASON and can_be_shown(reason)
        rule = f"must have at most {LONGEST_REASON} characters, none of them a control character"
        findings.expect(in_order, "reason", rule)
    labels.selector(request.target_selector, findings, "targetSelector")
    findings.settle()
