"""What the door refuses of REST requests: each reason with its status, its code and its words."""

from collections.abc import Iterator

import httpx
import pytest

from tests.rest.edge.running import Door, is_error, violations

JOB = "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"
RUN = "/api/v1/scenarios/run"
TARGETS = "/api/v1/operator/targets"
JSON = {"content-type": "application/json"}


@pytest.fixture(autouse=True)
def nothing_reaches_the_server(door: Door) -> Iterator[None]:
    door.upstream.reset()
    yield
    assert door.upstream.calls == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/v1/nothing",
        "/api/v2/health",
        f"{RUN}/",
        f"{TARGETS}/",
        f"{RUN}/{JOB}/",
        f"{RUN}/{JOB}/log",
        f"{RUN}/a/b/logs",
        f"{RUN}//logs",
        "//api/v1/health",
        f"{RUN}/{JOB}%2F..",
        f"{RUN}/..%2f..%2fsecrets%2fx",
        f"{RUN}/{JOB}%3Fdryrun",
        f"{RUN}/%20",
        f"{RUN}%3Awatch",
        f"{RUN}:watched",
        f"{RUN}:",
        f"{RUN}/{JOB}:watch",
        f"{RUN}/a;b",
        "/api/v1/health;x",
        "/krkn.v1.TargetService/ListTargets",
        "/krkn.v1.ScenarioRunService/RunScenario",
        "/grpc.health.v1.Health/Check",
    ],
)
def test_unknown_path(client: httpx.Client, path: str) -> None:
    is_error(client.get(path), 404, 5, "NO_SUCH_PATH")
    is_error(client.post(path, json={}), 404, 5)


@pytest.mark.parametrize(
    ("verb", "path", "allow"),
    [
        ("PATCH", RUN, "GET, HEAD, POST"),
        ("PUT", RUN, "GET, HEAD, POST"),
        ("DELETE", RUN, "GET, HEAD, POST"),
        ("OPTIONS", RUN, "GET, HEAD, POST"),
        ("TRACE", RUN, "GET, HEAD, POST"),
        ("POST", f"{RUN}/{JOB}", "DELETE, GET, HEAD"),
        ("POST", f"{RUN}:watch", "GET, HEAD"),
        ("DELETE", f"{RUN}/{JOB}/logs", "GET, HEAD"),
        ("POST", f"{TARGETS}/{JOB}", "DELETE, GET, HEAD, PATCH, PUT"),
        ("POST", "/api/v1/health", "GET, HEAD"),
    ],
)
def test_wrong_verb(client: httpx.Client, verb: str, path: str, allow: str) -> None:
    request = client.build_request("GET", path)
    request.method = verb
    response = client.send(request)
    is_error(response, 405, 12, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == allow


def test_head_is_refused_as_get_is(client: httpx.Client) -> None:
    for _ in range(2):
        response = client.head(f"{RUN}?x=1")
        assert (response.status_code, response.content) == (400, b"")


@pytest.mark.parametrize(
    ("path", "field", "description"),
    [
        (f"{RUN}?targetId=x", "targetId", "is not a known query parameter"),
        (f"{RUN}?clusterUUID=x", "clusterUUID", "is not a known query parameter"),
        (f"{RUN}?Status=x", "Status", "is not a known query parameter; did you mean status?"),
        (
            f"{RUN}?target-uuid=x",
            "target-uuid",
            "is not a known query parameter; did you mean targetUUID?",
        ),
        (f"{RUN}?%73tatus=x", "%73tatus", "is not a known query parameter"),
        (f"{RUN}?status[]=x", "status[]", "is not a known query parameter; did you mean status?"),
        (f"{RUN}?=x", "", "is not a known query parameter"),
        (f"{RUN}?pageSize=1&page_size=2", "pageSize", "is given twice"),
        (f"{RUN}?status=a&status=b", "status", "is given twice"),
        (f"{RUN}?pageSize=", "pageSize", "must be a whole number of at most 32 bits"),
        (f"{RUN}?pageSize=1.5", "pageSize", "must be a whole number of at most 32 bits"),
        (f"{RUN}?pageSize=0x10", "pageSize", "must be a whole number of at most 32 bits"),
        (f"{RUN}?pageSize=2147483648", "pageSize", "must be a whole number of at most 32 bits"),
        (f"{RUN}?labelSelector=%ff", "labelSelector", "must be percent-encoded UTF-8"),
        (f"{RUN}?labelSelector=%zz", "labelSelector", "must be percent-encoded UTF-8"),
        (f"{RUN}?labelSelector=100%", "labelSelector", "must be percent-encoded UTF-8"),
        (f"{RUN}/{JOB}/logs?follow=yes", "follow", "must be true or false"),
        (f"{RUN}/{JOB}/logs?follow", "follow", "must be true or false"),
        (f"{RUN}/{JOB}/logs?jobId={JOB}", "jobId", "is not a known query parameter"),
        (f"{RUN}/{JOB}?force=true", "force", "is not a known query parameter"),
        (f"{RUN}:watch?pageSize=1", "pageSize", "is not a known query parameter"),
        ("/api/v1/health?status=x", "status", "is not a known query parameter"),
    ],
)
def test_query(client: httpx.Client, path: str, field: str, description: str) -> None:
    # Not through httpx's own encoding.
    response = client.request("GET", path, extensions={"target": path.encode()})
    assert violations(is_error(response, 400, 3)) == {field: description}


def test_options_of_a_run_are_not_taken_from_the_query(client: httpx.Client) -> None:
    response = client.post(f"{RUN}?skipTls=true", json={})
    assert violations(is_error(response, 400, 3)) == {"skipTls": "is not a known query parameter"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/jsonx"},
        {"content-type": "application/json, text/plain"},
        {"content-type": ";application/json"},
        {"content-type": "text/plain; application/json"},
        {"content-type": "application/grpcx"},
        {"content-type": "application/grpc;x=1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_bodies_are_json(client: httpx.Client, headers: dict[str, str]) -> None:
    for verb, path in (("POST", RUN), ("PUT", f"{TARGETS}/{JOB}"), ("DELETE", f"{RUN}/{JOB}")):
        response = client.request(verb, path, content=b'{"a": 1}', headers=headers)
        is_error(response, 415, 3, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("kind", ["application/grpcx", "application/grpc;x=1"])
@pytest.mark.parametrize("verb", ["GET", "HEAD", "DELETE"])
def test_what_only_looks_like_grpc_takes_no_route_of_it(
    client: httpx.Client, kind: str, verb: str
) -> None:
    response = client.request(verb, f"{RUN}/{JOB}", headers={"content-type": kind})
    assert response.status_code == 415


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/json; charset=utf8",
        "application/json; charset=us-ascii",
        "application/json;",
        "application/json ;",
        'application/json; version=1; profile="a;b"',
    ],
)
def test_json_has_more_than_one_name(client: httpx.Client, door: Door, kind: str) -> None:
    response = client.post(RUN, content=b"{}", headers={"content-type": kind})
    assert response.status_code == 200
    door.upstream.reset()


@pytest.mark.parametrize("verb", ["POST", "PUT"])
def test_a_body_is_needed(client: httpx.Client, verb: str) -> None:
    path = RUN if verb == "POST" else f"{TARGETS}/{JOB}"
    response = client.request(verb, path, headers=JSON)
    body = is_error(response, 400, 3)
    assert body["message"] == "request body: is required, a JSON object"
    assert violations(body) == {"": "is required, a JSON object"}


@pytest.mark.parametrize("verb", ["GET", "DELETE"])
def test_a_body_that_would_be_ignored_is_refused(client: httpx.Client, verb: str) -> None:
    response = client.request(verb, f"{RUN}/{JOB}", json={"dryRun": True})
    assert violations(is_error(response, 400, 3)) == {"dryRun": "is not a known field"}
