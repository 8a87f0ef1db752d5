"""Logs and watches through REST: whole, as they happen, and cut where they fail."""

import json
import threading
from collections.abc import Iterator

import grpc
import httpx
import pytest
from google.api import httpbody_pb2
from google.rpc import code_pb2, status_pb2

from krkn_grpc.v1 import scenario_runs_pb2 as runs
from tests.rest.edge.running import SECONDS, TELLING, Door, Upstream, is_bare_error

JOB = "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"
LOGS = f"/api/v1/scenarios/run/{JOB}/logs"
WATCH = "/api/v1/scenarios/run:watch"


def test_watch_is_one_json_a_line_as_it_happens(door: Door, upstream: Upstream) -> None:
    more = threading.Event()

    def reply(_: object, __: object) -> Iterator[runs.WatchScenarioRunsResponse]:
        yield runs.WatchScenarioRunsResponse(type="ADDED", job=runs.Job(job_id=JOB))
        assert more.wait(SECONDS)
        yield runs.WatchScenarioRunsResponse(type="SYNCED")

    upstream.on("WatchScenarioRuns", reply)
    with door.client() as client, client.stream("GET", "/api/v1/scenarios/run:watch") as response:
        lines = response.iter_lines()
        assert json.loads(next(lines))["job"]["jobId"] == JOB
        more.set()
        assert json.loads(next(lines)) == {"type": "SYNCED", "resumeToken": ""}
        assert list(lines) == []


def test_log_is_raw_text_as_it_happens(client: httpx.Client, upstream: Upstream) -> None:
    def reply(_: object, __: object) -> Iterator[httpbody_pb2.HttpBody]:
        yield httpbody_pb2.HttpBody(content_type="text/plain; charset=utf-8", data=b"one\xc3")
        yield httpbody_pb2.HttpBody(data=b"\xbc\n\x00\xff")
        yield httpbody_pb2.HttpBody()

    upstream.on("StreamLogs", reply)
    response = client.get(f"/api/v1/scenarios/run/{JOB}/logs")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.content == b"one\xc3\xbc\n\x00\xff"
    assert not TELLING & set(response.headers)


@pytest.mark.parametrize(
    "path", [f"/api/v1/scenarios/run/{JOB}/logs", "/api/v1/scenarios/run:watch"]
)
def test_a_stream_that_fails_at_once_is_an_error(
    client: httpx.Client, upstream: Upstream, path: str
) -> None:
    gone = status_pb2.Status(code=code_pb2.NOT_FOUND, message="no such job")
    upstream.fails("StreamLogs", gone)
    upstream.fails("WatchScenarioRuns", gone)
    response = client.get(path)
    assert is_bare_error(response, 404, 5)["message"] == "no such job"
    assert not TELLING & set(response.headers)


def test_a_log_that_fails_is_cut(client: httpx.Client, upstream: Upstream) -> None:
    def reply(_: object, context: grpc.ServicerContext) -> Iterator[httpbody_pb2.HttpBody]:
        yield httpbody_pb2.HttpBody(content_type="text/plain", data=b"first\n")
        context.abort(grpc.StatusCode.UNAVAILABLE, "the node is gone")

    upstream.on("StreamLogs", reply)
    with client.stream("GET", LOGS) as response:
        assert response.status_code == 200
        parts = response.iter_bytes()
        assert next(parts) == b"first\n"
        with pytest.raises(httpx.RemoteProtocolError):
            next(parts)


def test_a_watch_that_fails_is_cut(client: httpx.Client, upstream: Upstream) -> None:
    def reply(_: object, context: grpc.ServicerContext) -> Iterator[runs.WatchScenarioRunsResponse]:
        yield runs.WatchScenarioRunsResponse(type="SYNCED")
        context.abort(grpc.StatusCode.INTERNAL, "")

    upstream.on("WatchScenarioRuns", reply)
    with client.stream("GET", WATCH) as response:
        lines = response.iter_lines()
        assert next(lines) == '{"type":"SYNCED","resumeToken":""}'
        with pytest.raises(httpx.RemoteProtocolError):
            next(lines)


def test_a_log_that_fails_before_its_first_byte_is_whole(
    client: httpx.Client, upstream: Upstream
) -> None:
    def reply(_: object, context: grpc.ServicerContext) -> None:
        context.send_initial_metadata((("krkn-revision", "1"),))
        context.abort(grpc.StatusCode.NOT_FOUND, "no such job")

    upstream.on("StreamLogs", reply)
    assert is_bare_error(client.get(LOGS), 404, 5)["message"] == "no such job"
