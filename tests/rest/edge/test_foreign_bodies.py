"""A body that another program defines: what is not known passes, and what is known is checked."""

import json
from typing import Any

import httpx
import pytest

from krkn_grpc.edge.limits import FOREIGN_BODIES
from tests.rest.edge.running import Door, Upstream, is_error, violations

PATH = "/api/v1/alerts"
JSON = {"content-type": "application/json"}
LARGEST = FOREIGN_BODIES["AlertService.ReceiveAlerts"]

# As Alertmanager 0.27 sends it, and some labels that only others have.
ALERT = {
    "status": "firing",
    "labels": {"alertname": "X", "env": "prod", "": "", "ünï.code": "\u2028"},
    "annotations": {"summary": "a text", "runbook_url": "https://example.com"},
    "startsAt": "2026-01-02T03:04:05.678Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
    "fingerprint": "a-fingerprint",
}
NOTIFICATION: dict[str, Any] = {
    "version": "4",
    "groupKey": '{}:{alertname="X"}',
    "truncatedAlerts": 3,
    "status": "firing",
    "receiver": "krkn",
    "groupLabels": {"alertname": "X"},
    "commonLabels": {"alertname": "X", "env": "prod"},
    "commonAnnotations": {},
    "externalURL": "http://alertmanager:9093",
    "alerts": [ALERT, ALERT | {"status": "resolved", "labels": {}}],
}
UNKNOWN: list[object] = [None, True, 1.5e-3, "", [[]], {"a": [{"b": None}]}, {"@type": "x"}]


def reached(upstream: Upstream) -> list[tuple[str, dict[str, str]]]:
    """The status and labels of each alert that the server got."""
    [call] = upstream.calls
    assert call.method == "ReceiveAlerts"
    return [(alert.status, dict(alert.labels)) for alert in call.request.alerts]


def test_what_alertmanager_sends_arrives(client: httpx.Client, upstream: Upstream) -> None:
    reply = client.post(PATH, json=NOTIFICATION)
    assert (reply.status_code, reply.json()) == (200, {"matched": 0, "stopped": 0})
    assert reached(upstream) == [("firing", ALERT["labels"]), ("resolved", {})]


@pytest.mark.parametrize("value", UNKNOWN, ids=json.dumps)
def test_any_other_field_passes(client: httpx.Client, upstream: Upstream, value: object) -> None:
    alert = {"unknown": value, "Status": value, "status": "firing", "labels": {"a": "b"}}
    alert |= {"annotations": {"": value}, "also_unknown": value}
    reply = client.post(PATH, json={"unknown": value, "alerts": [alert], "Alerts": value})
    assert reply.status_code == 200, reply.text
    assert reached(upstream) == [("firing", {"a": "b"})]


def test_null_is_as_good_as_left_out(client: httpx.Client, upstream: Upstream) -> None:
    reply = client.post(PATH, json={"alerts": [{"status": None, "labels": None}]})
    assert reply.status_code == 200, reply.text
    assert reached(upstream) == [("", {})]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"alerts": {}}, {"alerts": "must be an array"}),
        ({"alerts": ["X"]}, {"alerts[0]": "must be an object"}),
        ({"alerts": [None]}, {"alerts[0]": "must be an object"}),
        ({"alerts": [{"status": 1}]}, {"alerts[0].status": "must be a string"}),
        ({"alerts": [{"labels": []}]}, {"alerts[0].labels": "must be an object"}),
        ({"alerts": [{}, {"labels": {"a": 1}}]}, {"alerts[1].labels.a": "must be a string"}),
        # The transcoder would lose the status.
        (
            {"alerts": [{"status": "firing", "": {"a": 1}}]},
            {"alerts[0].": "is not a known field"},
        ),
        ([NOTIFICATION], {"": "must be an object"}),
    ],
)
def test_a_known_field_has_its_type(
    client: httpx.Client, upstream: Upstream, body: object, expected: dict[str, str]
) -> None:
    reply = client.post(PATH, json=body)
    assert violations(is_error(reply, 400, 3)) == expected
    assert upstream.calls == []


@pytest.mark.parametrize(
    "body",
    [
        b"alertname=X",
        b'{"alerts": [}',
        b'{"unknown": 01, "alerts": []}',
        b'{"unknown": "\xff", "alerts": []}',
        b'{"unknown": ' + b"[" * 33 + b"]" * 33 + b"}",
    ],
)
def test_what_is_no_json_is_refused(client: httpx.Client, upstream: Upstream, body: bytes) -> None:
    reply = client.post(PATH, content=body, headers=JSON)
    assert "is not JSON" in is_error(reply, 400, 3)["message"]
    assert upstream.calls == []


def test_another_content_type_and_no_body(client: httpx.Client, upstream: Upstream) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    is_error(client.post(PATH, content=b"{}", headers=form), 415, 3)
    is_error(client.post(PATH, headers=JSON), 400, 3)
    assert upstream.calls == []


def body_of(size: int) -> bytes:
    frame = b'{"alerts":[{"status":"firing"}],"unknown":"%b"}'
    return frame % (b"x" * (size - len(frame % b"")))


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length is told", "in chunks"])
def test_the_largest_body_and_a_larger_one(
    door: Door, upstream: Upstream, is_chunked: bool
) -> None:
    with door.client() as client:
        for size in (LARGEST, LARGEST + 1):
            body = body_of(size)
            content = iter([body[: size // 2], body[size // 2 :]]) if is_chunked else body
            reply = client.post(PATH, content=content, headers=JSON)
            if size == LARGEST:
                assert reply.status_code == 200, reply.text
                assert reached(upstream) == [("firing", {})]
            else:
                assert str(LARGEST) in is_error(reply, 413, 3)["message"]
    assert len(upstream.calls) == 1


def test_1000_alerts_with_many_labels_arrive(client: httpx.Client, upstream: Upstream) -> None:
    labels = {f"l{number}": "v" for number in range(45)}
    alerts = [{"status": "firing", "labels": labels, "annotations": labels}] * 1000
    reply = client.post(PATH, json={"alerts": alerts})
    assert reply.status_code == 200, reply.text
    assert len(reached(upstream)) == 1000


def test_more_entries_than_any_have_are_refused(client: httpx.Client, upstream: Upstream) -> None:
    labels = {f"l{number}": "" for number in range(50_000)}
    reply = client.post(PATH, json={"alerts": [{"labels": labels}]})
    assert "more than 50000 entries" in is_error(reply, 400, 3)["message"]
    assert upstream.calls == []


def test_other_bodies_have_no_unknown_fields(client: httpx.Client, upstream: Upstream) -> None:
    reply = client.post("/api/v1/scenarios/run", json={"alerts": []})
    assert violations(is_error(reply, 400, 3)) == {"alerts": "is not a known field"}
    assert upstream.calls == []
