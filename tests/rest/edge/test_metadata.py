"""What goes with a call: ids, deadlines, credentials, and what Envoy adds."""

from typing import Any

import grpc
import httpx
import pytest

from tests.rest.edge.running import SECONDS, Door, Upstream


def test_request_id_is_one_for_caller_and_server(door: Door, upstream: Upstream) -> None:
    with door.client() as client:
        given = client.get("/api/v1/health?", headers={"x-request-id": "mine"})
        made = client.get("/api/v1/health?")
    (first, second) = upstream.calls
    # A proxy keeps it when it repeats a call, and by it the server knows the call again.
    assert given.headers["x-request-id"] == first.metadata["x-request-id"] == "mine"
    assert made.headers["x-request-id"] == second.metadata["x-request-id"]
    assert len(made.headers["x-request-id"]) == 36


def test_caller_cannot_speak_for_envoy(door: Door, upstream: Upstream) -> None:
    claimed = {
        "x-envoy-original-path": "/claimed",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-retry-on": "5xx",
        "x-forwarded-for": "10.1.2.3",
        "x-forwarded-client-cert": "Subject=admin",
        "grpc-timeout": "1n",
    }
    with door.client() as client:
        assert client.get("/api/v1/health", headers=claimed).status_code == 200
    (call,) = upstream.calls
    assert call.metadata["x-envoy-original-path"] == "/api/v1/health"
    assert call.metadata["x-forwarded-for"].startswith("10.1.2.3,")  # and the address it came from
    for name in ("x-envoy-upstream-rq-timeout-ms", "x-envoy-retry-on", "x-forwarded-client-cert"):
        assert name not in call.metadata


@pytest.mark.parametrize(
    ("path", "has_deadline"),
    [("/api/v1/scenarios/run", True), ("/api/v1/scenarios/run:watch", False)],
)
def test_server_knows_how_long_the_caller_is_waited_for(
    client: httpx.Client, upstream: Upstream, path: str, has_deadline: bool
) -> None:
    remaining: list[float] = []

    def reply(_: object, context: grpc.ServicerContext) -> None:
        remaining.append(context.time_remaining())
        context.abort(grpc.StatusCode.NOT_FOUND, "")

    upstream.on("ListScenarioRuns", reply)
    upstream.on("WatchScenarioRuns", reply)
    client.get(path, headers={"grpc-timeout": "1S"})
    (seconds,) = remaining
    assert seconds > 60  # as long as Envoy waits: whose answer it is does not depend on two clocks
    assert (seconds <= 75) is has_deadline


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"a|b": "x"}, id="a name that HTTP allows and gRPC does not"),
        pytest.param({"trace-bin": "!!!"}, id="binary that is no base64"),
        pytest.param({"grpc-encoding": "gzip"}, id="a compression that the body has not"),
        pytest.param({"cookie": "a=b"}, id="nothing that the server asks for"),
    ],
)
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_other_headers_do_not_reach_the_server(
    client: httpx.Client, upstream: Upstream, verb: str, header: dict[str, str]
) -> None:
    body = {"scenarioName": "x"} if verb == "POST" else None
    response = client.request(verb, "/api/v1/scenarios/run", json=body, headers=header)
    assert response.status_code == 200
    (call,) = upstream.calls
    assert not header.items() & call.metadata.items()


def test_authorization_reaches_the_server(client: httpx.Client, upstream: Upstream) -> None:
    client.get(
        "/api/v1/scenarios/run", headers={"authorization": "Bearer abc", "krkn-revision": "7"}
    )
    (call,) = upstream.calls
    assert call.metadata["authorization"] == "Bearer abc"
    assert call.metadata["krkn-revision"] == "7"


def test_what_envoy_says_of_a_call_a_caller_cannot_say(door: Door, upstream: Upstream) -> None:
    claimed = {"krkn-rest": "HEAD", "krkn-is-retry": "true"}
    with door.client() as client:
        client.get("/api/v1/operator/targets", headers=claimed)
    with door.channel() as channel:
        call: Any = channel.unary_unary("/krkn.v1.TargetService/ListTargets")
        call(b"", metadata=tuple(claimed.items()), timeout=SECONDS)
    by_rest, by_grpc = (call.metadata for call in upstream.calls)
    assert (by_rest["krkn-rest"], by_rest.get("krkn-is-retry")) == ("GET", None)
    assert not claimed.keys() & by_grpc.keys()
