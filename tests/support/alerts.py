"""Alerts as Alertmanager sends them."""

from typing import Any

import grpc

from krkn_grpc.v1 import alerts_pb2 as pb
from krkn_grpc.v1.alerts_pb2_grpc import AlertServiceStub

PATH = "/api/v1/alerts"


def an_alert(name: str, status: str = "firing", **labels: str) -> dict[str, Any]:
    """One alert of a notification."""
    return {
        "status": status,
        "labels": {"alertname": name, **labels},
        "annotations": {"summary": "a text", "runbook_url": "https://example.com"},
        "startsAt": "2026-01-02T03:04:05.678Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
        "fingerprint": "a-fingerprint",
    }


def a_notification(*alerts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What Alertmanager sends to a webhook."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="X"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "krkn",
        "groupLabels": {},
        "commonLabels": {"team": "a"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": [*alerts],
        **changes,
    }


async def send(channel: grpc.aio.Channel, *alerts: dict[str, Any]) -> tuple[int, int]:
    """Send alerts by gRPC; return how many matched, and how many runs were stopped."""
    sent = [pb.Alert(status=each["status"], labels=each["labels"]) for each in alerts]
    reply = await AlertServiceStub(channel).ReceiveAlerts(
        pb.ReceiveAlertsRequest(alerts=sent), timeout=20
    )
    return reply.matched, reply.stopped
