"""Validates a ReceiveAlerts request without any lookup."""

from krkn_grpc.server.errors import Findings
from krkn_grpc.v1 import alerts_pb2 as pb

MOST_ALERTS = 1_000


def alerts(request: pb.ReceiveAlertsRequest) -> None:
    """Raise InvalidRequest for a request without alerts, or with too many."""
    findings, count = Findings(), len(request.alerts)
    findings.expect(count > 0, "alerts", "is required: what Alertmanager sends has at least one")
    rule = f"must have at most {MOST_ALERTS} entries (max_alerts of Alertmanager's webhook_configs)"
    findings.expect(count <= MOST_ALERTS, "alerts", rule)
    findings.settle()
