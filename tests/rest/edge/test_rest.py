"""REST through Envoy: what passes, and in which form it comes back."""

from typing import Any

import grpc
import httpx
import pytest
from google.rpc import code_pb2, error_details_pb2, status_pb2

from krkn_grpc.v1 import scenario_runs_pb2 as runs
from krkn_grpc.v1 import scenarios_pb2 as scenarios
from krkn_grpc.v1 import targets_pb2 as targets
from tests.rest.edge.running import TELLING, Upstream, is_bare_error

JOB = "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"
RUN = {"targetUUIDs": [JOB], "scenarioImage": "image", "scenarioName": "name"}


def replies(code: str, message: Any) -> Any:
    def reply(_: object, context: grpc.ServicerContext) -> Any:
        context.send_initial_metadata((("x-http-code", code), ("krkn-revision", "42")))
        return message

    return reply


@pytest.mark.parametrize("status", [201, 500])
def test_server_names_the_status(client: httpx.Client, upstream: Upstream, status: int) -> None:
    result = runs.TargetJobResult(target_uuid=JOB, status="Pending", success=True)
    message = runs.RunScenarioResponse(jobs=[result], total_targets=1, successful_jobs=1)
    upstream.on("RunScenario", replies(str(status), message))

    response = client.post("/api/v1/scenarios/run", json=RUN)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.headers["krkn-revision"] == "42"
    assert response.json() == {
        "jobs": [
            {"targetUUID": JOB, "jobId": "", "status": "Pending", "podName": "", "success": True}
        ],
        "totalTargets": 1,
        "successfulJobs": 1,
        "failedJobs": 0,
        "runId": "",
    }
    (call,) = upstream.calls
    assert list(call.request.target_uuids) == [JOB]


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"content": b""},
        {"json": {}},
        {"content": [b""]},
        {"headers": {"content-type": "application/json"}},
    ],
)
def test_a_body_without_required_fields_may_be_left_out(
    client: httpx.Client, upstream: Upstream, sent: dict[str, Any]
) -> None:
    upstream.on("GetScenario", replies("", scenarios.Scenario(name="n")))
    response = client.post("/api/v1/scenarios/detail/n", **sent)
    assert response.status_code == 200
    assert response.json()["name"] == "n"
    [call] = upstream.calls
    assert call.request == scenarios.GetScenarioRequest(name="n")


@pytest.mark.parametrize("code", ["99", "abc", "2010", ""])
def test_nonsense_for_a_status_is_ignored(
    client: httpx.Client, upstream: Upstream, code: str
) -> None:
    upstream.on("CreateTarget", replies(code, targets.CreateTargetResponse(uuid=JOB)))
    body = {"clusterName": "a", "secretType": "token"}
    response = client.post("/api/v1/operator/targets", json=body)
    assert (response.status_code, response.json()["uuid"]) == (200, JOB)


def test_an_error_keeps_its_own_status(client: httpx.Client, upstream: Upstream) -> None:
    def reply(_: object, context: grpc.ServicerContext) -> None:
        context.send_initial_metadata((("x-http-code", "201"),))
        context.abort(grpc.StatusCode.ABORTED, "changed")

    upstream.on("RunScenario", reply)
    is_bare_error(client.post("/api/v1/scenarios/run", json=RUN), 409, 10)


def test_error_details_are_shown(client: httpx.Client, upstream: Upstream) -> None:
    status = status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message="scenarioName: is required")
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="INVALID", domain="krkn"))
    violation = error_details_pb2.BadRequest.FieldViolation(field="scenarioName", description="no")
    status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    status.details.add().Pack(error_details_pb2.RetryInfo())
    upstream.fails("RunScenario", status)

    response = client.post("/api/v1/scenarios/run", json=RUN)

    body = is_bare_error(response, 400, 3)
    assert body["message"] == "scenarioName: is required"
    info, request, _ = body["details"]
    assert info["reason"] == "INVALID"
    assert request["fieldViolations"] == [
        {"field": "scenarioName", "description": "no", "reason": ""}
    ]
    assert not TELLING & set(response.headers)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (code_pb2.INVALID_ARGUMENT, 400),
        (code_pb2.DEADLINE_EXCEEDED, 504),
        (code_pb2.NOT_FOUND, 404),
        (code_pb2.ALREADY_EXISTS, 409),
        (code_pb2.PERMISSION_DENIED, 403),
        (code_pb2.RESOURCE_EXHAUSTED, 429),
        (code_pb2.FAILED_PRECONDITION, 400),
        (code_pb2.ABORTED, 409),
        (code_pb2.OUT_OF_RANGE, 400),
        (code_pb2.UNIMPLEMENTED, 501),
        (code_pb2.INTERNAL, 500),
        (code_pb2.UNAVAILABLE, 503),
        (code_pb2.UNAUTHENTICATED, 401),
    ],
)
def test_each_code_has_its_status(
    client: httpx.Client, upstream: Upstream, code: int, status: int
) -> None:
    upstream.fails("GetTarget", status_pb2.Status(code=code, message="why, in ümlauts: 100%"))
    body = is_bare_error(client.get(f"/api/v1/operator/targets/{JOB}"), status, code)
    assert (body["message"], body["details"]) == ("why, in ümlauts: 100%", [])


# What differs from one reply to the next.
OF_EACH = {"date", "x-request-id"}

CALLS = [
    ("CreateTarget", "POST", "/api/v1/operator/targets", {"clusterName": "a"}),
    ("ListTargets", "GET", "/api/v1/operator/targets?pageSize=2&pageToken=x", None),
    ("GetTarget", "GET", f"/api/v1/operator/targets/{JOB}", None),
    ("UpdateTarget", "PUT", f"/api/v1/operator/targets/{JOB}", {"cluster_name": "a"}),
    ("PatchTarget", "PATCH", f"/api/v1/operator/targets/{JOB}", {"removeLabels": ["a"]}),
    ("CheckTarget", "POST", f"/api/v1/operator/targets/{JOB}:check", None),
    ("WatchTargets", "GET", "/api/v1/operator/targets:watch?ready=true", None),
    ("DeleteTarget", "DELETE", f"/api/v1/operator/targets/{JOB}", None),
    ("RunScenario", "POST", "/api/v1/scenarios/run", RUN),
    ("ListScenarioRuns", "GET", "/api/v1/scenarios/run", None),
    ("GetScenarioRunStatus", "GET", f"/api/v1/scenarios/run/{JOB}", None),
    ("StopScenarioRun", "DELETE", f"/api/v1/scenarios/run/{JOB}", None),
    ("StreamLogs", "GET", f"/api/v1/scenarios/run/{JOB}/logs?follow=true&tailLines=5", None),
    ("WatchScenarioRuns", "GET", "/api/v1/scenarios/run:watch?resumeToken=x", None),
    ("GetHealth", "GET", "/api/v1/health", None),
]


@pytest.mark.parametrize(
    ("method", "verb", "path", "body"), [pytest.param(*call, id=call[0]) for call in CALLS]
)
def test_each_call_reaches_its_method(
    client: httpx.Client, upstream: Upstream, method: str, verb: str, path: str, body: Any
) -> None:
    response = client.request(verb, path, json=body)
    assert response.status_code == 200, response.text
    (call,) = upstream.calls
    assert call.method == method
    assert not TELLING & set(response.headers)
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=name) for name, verb, path, _ in CALLS if verb == "GET"]
)
def test_head_is_a_get_without_a_body(client: httpx.Client, upstream: Upstream, path: str) -> None:
    """Twice on one connection: a body that came all the same would be taken for a reply."""
    got = client.get(path)
    for _ in range(2):
        response = client.head(path)
        assert (response.status_code, response.content) == (200, b"")
        assert {name: value for name, value in response.headers.items() if name not in OF_EACH} == {
            name: value for name, value in got.headers.items() if name not in OF_EACH
        }
    seen = [(call.method, call.metadata["krkn-rest"]) for call in upstream.calls]
    assert seen == [(seen[0][0], verb) for verb in ("GET", "HEAD", "HEAD")]


def test_head_of_what_is_not_there(client: httpx.Client, upstream: Upstream) -> None:
    upstream.fails("GetTarget", status_pb2.Status(code=code_pb2.NOT_FOUND, message="none"))
    for _ in range(2):
        response = client.head(f"/api/v1/operator/targets/{JOB}")
        assert (response.status_code, response.content) == (404, b"")
        assert client.head("/api/v1/nothing").status_code == 404


def test_query_parameters_arrive_as_written(client: httpx.Client, upstream: Upstream) -> None:
    selector = "team in (a,b),näme=x+y"
    params: dict[str, str | int] = {"labelSelector": selector, "page_size": 7, "status": "Failed"}
    assert client.get("/api/v1/scenarios/run", params=params).status_code == 200
    (call,) = upstream.calls
    assert (call.request.label_selector, call.request.page_size) == (selector, 7)


def test_body_arrives_as_written(client: httpx.Client, upstream: Upstream) -> None:
    body = {
        **RUN,
        "environment": {"A": 'ünï "quoted" \\ \u0000 \U0001f600', "": "", "$": "${B}"},
        "files": [{"name": "a", "content": "", "mountPath": "/x"}, {"mount_path": "/y"}],
        "labels": None,
        "timeoutSeconds": 1e2,
        "skip_tls": True,
        "validateOnly": False,
    }
    assert client.post("/api/v1/scenarios/run", json=body).status_code == 200
    (call,) = upstream.calls
    sent = call.request
    assert dict(sent.environment) == body["environment"]
    assert [file.mount_path for file in sent.files] == ["/x", "/y"]
    assert (sent.timeout_seconds, sent.skip_tls, sent.HasField("timeout_seconds")) == (
        100,
        True,
        True,
    )
    assert not sent.HasField("ttl_seconds_after_finished")
