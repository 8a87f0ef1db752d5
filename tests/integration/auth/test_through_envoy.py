"""The same rules through Envoy: what REST and gRPC callers see of them there."""

import json
import uuid
from typing import Any

import grpc
import pytest
from grpc import StatusCode

from tests.integration.auth.callers import Metadata, bearer
from tests.integration.auth.calls import METHODS, call
from tests.integration.auth.conftest import Guarded
from tests.integration.auth.test_matrix import FOR_ALL, MAY
from tests.integration.auth.test_runs import register
from tests.support.api_proxy import Call, Cut
from tests.support.requests import a_run, token_target
from tests.support.rest import CHAOS_RUNS, RUNS, TARGETS, Reply, assert_error
from tests.support.waiting import eventually

RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
UUID = str(uuid.uuid4())
CALLS: dict[str, tuple[str, str, Any]] = {
    "CreateTarget": ("POST", TARGETS, token_target()),
    "ListTargets": ("GET", TARGETS, None),
    "GetTarget": ("GET", f"{TARGETS}/{UUID}", None),
    "UpdateTarget": ("PUT", f"{TARGETS}/{UUID}", token_target()),
    "PatchTarget": ("PATCH", f"{TARGETS}/{UUID}", {"labels": {"team": "a"}}),
    "CheckTarget": ("POST", f"{TARGETS}/{UUID}:check", None),
    "WatchTargets": ("GET", f"{TARGETS}:watch", None),
    "DeleteTarget": ("DELETE", f"{TARGETS}/{UUID}", None),
    "DiscoverTargets": ("POST", "/api/v1/targets", None),
    "GetDiscovery": ("GET", f"/api/v1/targets/{UUID}", None),
    "ListClusters": ("GET", f"/api/v1/clusters?id={UUID}", None),
    "DeleteDiscovery": ("DELETE", f"/api/v1/targets/{UUID}", None),
    "CreateHalt": ("POST", "/api/v1/halts", {"reason": "an incident"}),
    "ListHalts": ("GET", "/api/v1/halts", None),
    "DeleteHalt": ("DELETE", "/api/v1/halts/a-halt", None),
    "ReceiveAlerts": ("POST", "/api/v1/alerts", {"alerts": [{"status": "firing"}]}),
    "RunScenario": ("POST", RUNS, a_run(UUID)),
    "ListScenarioRuns": ("GET", RUNS, None),
    "GetScenarioRunStatus": ("GET", f"{RUNS}/{UUID}", None),
    "StopScenarioRun": ("DELETE", f"{RUNS}/{UUID}", None),
    "StreamLogs": ("GET", f"{RUNS}/{UUID}/logs", None),
    "WatchScenarioRuns": ("GET", f"{RUNS}:watch", None),
    "ListRuns": ("GET", CHAOS_RUNS, None),
    "GetRun": ("GET", f"{CHAOS_RUNS}/{UUID}", None),
    "StopRun": ("DELETE", f"{CHAOS_RUNS}/{UUID}", None),
    "RerunRun": ("POST", f"{CHAOS_RUNS}/{UUID}:rerun", None),
    "StreamRunLogsAsText": ("GET", f"{CHAOS_RUNS}/{UUID}/logs", None),
    "ListScenarios": ("GET", "/api/v1/scenarios", None),
    "GetScenario": ("POST", "/api/v1/scenarios/detail/pod-scenarios", None),
    "GetAccess": ("GET", "/api/v1/access", None),
    "GetScenarioGlobals": ("GET", "/api/v1/scenarios/globals/pod-scenarios", None),
}


CHALLENGE = 'Bearer realm="krkn-grpc"'


async def rest(guarded: Guarded, name: str, *metadata: tuple[str, str]) -> Reply:
    """Call a method by REST."""
    method, path, body = CALLS[name]
    async with guarded.running.rest.request(method, path, json=body, headers=metadata) as response:
        return Reply(response.status, response.headers, await response.text())


def test_every_method_is_called() -> None:
    # Of the logs of runs, REST has the text alone.
    called = CALLS.keys() | {"StreamRunLogs"}
    assert called == MAY.keys() | FOR_ALL.keys() == METHODS.keys() - {"GetHealth"}


@pytest.mark.parametrize("name", CALLS)
async def test_who_is_not_known_gets_a_401(guarded: Guarded, name: str) -> None:
    reply = await rest(guarded, name)
    body = assert_error(reply, 401, 16, "UNAUTHENTICATED")
    assert body["message"] == "a bearer token is required"
    assert reply.headers["www-authenticate"] == CHALLENGE


@pytest.mark.parametrize("name", CALLS)
async def test_who_shows_a_token_that_is_nobodys_is_told_so(guarded: Guarded, name: str) -> None:
    reply = await rest(guarded, name, *bearer(uuid.uuid4().hex))
    assert_error(reply, 401, 16, "UNAUTHENTICATED")
    assert reply.headers["www-authenticate"] == f'{CHALLENGE}, error="invalid_token"'


@pytest.mark.parametrize("name", FOR_ALL)
async def test_who_is_known_needs_no_role(guarded: Guarded, name: str) -> None:
    reply = await rest(guarded, name, *await guarded.callers.metadata("nobody"))
    assert reply.status == 200


@pytest.mark.parametrize("name", [name for name in CALLS if name in MAY])
async def test_who_may_not_gets_a_403(guarded: Guarded, name: str) -> None:
    metadata = await guarded.callers.metadata("nobody")
    reply = await rest(guarded, name, *metadata)
    assert_error(reply, 403, 7, "PERMISSION_DENIED")
    assert "www-authenticate" not in reply.headers


async def test_the_token_of_the_header_is_the_callers(guarded: Guarded) -> None:
    viewer = await guarded.callers.metadata("viewer")
    assert (await rest(guarded, "ListTargets", *viewer)).status == 200
    assert (await rest(guarded, "GetTarget", *viewer)).status == 404
    admin = await guarded.callers.metadata("target-admin")
    assert (await rest(guarded, "CreateTarget", *admin)).status == 201


@pytest.mark.parametrize("value", ["Basic eA==", "Bearer", "Bearer  ", "bearer", "x", "Bearer a b"])
async def test_what_is_no_bearer_token_is_a_401(guarded: Guarded, value: str) -> None:
    reply = await rest(guarded, "ListTargets", ("authorization", value))
    assert_error(reply, 401, 16, "UNAUTHENTICATED")


async def test_two_tokens_are_none(guarded: Guarded) -> None:
    """Envoy may join them with a comma."""
    viewer = await guarded.callers.metadata("viewer")
    reply = await rest(guarded, "ListTargets", *viewer, *viewer)
    assert_error(reply, 401, 16, "UNAUTHENTICATED")


async def test_a_token_in_the_query_is_not_taken(guarded: Guarded) -> None:
    token = await guarded.callers.token("viewer")
    async with guarded.running.rest.get(f"{TARGETS}?access_token={token}") as response:
        assert response.status == 400
        assert token not in await response.text()


async def test_a_long_token_reaches_the_server(guarded: Guarded) -> None:
    """One of 12 KiB, as some identity providers make them: it is unknown, not too large."""
    reply = await rest(guarded, "ListTargets", *bearer("x" * 12 * 1024))
    assert_error(reply, 401, 16, "UNAUTHENTICATED")


async def test_a_body_with_a_misspelt_field_is_not_told_before_who_is_known(
    guarded: Guarded,
) -> None:
    """Envoy checks the body first; it says nothing that the protos do not."""
    body = a_run(UUID, dryRun=True)
    async with guarded.running.rest.post(RUNS, json=body) as response:
        assert response.status == 400
        assert "dryRun" in (await response.json())["message"]


async def test_health_is_open(guarded: Guarded) -> None:
    async with guarded.running.rest.get("/api/v1/health") as response:
        assert (response.status, await response.json()) == (200, {"status": "healthy"})


async def test_a_kubernetes_api_that_is_away_is_a_503(guarded: Guarded) -> None:
    stranger = bearer(uuid.uuid4().hex)

    async def cut(seen: Call) -> None:
        raise Cut

    guarded.proxy.before = cut
    reply = await rest(guarded, "ListTargets", *stranger)
    body = assert_error(reply, 503, 14, "KUBERNETES_UNAVAILABLE")
    assert body["details"][1] == {"@type": RETRY_INFO, "retryDelay": "1s"}
    assert reply.headers["retry-after"] == "1"


@pytest.fixture
async def edge(guarded: Guarded) -> Any:
    """gRPC through Envoy."""
    address = guarded.running.processes.rest_url.removeprefix("http://")
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


@pytest.mark.parametrize("name", MAY)
async def test_grpc_callers_get_the_same_codes(
    guarded: Guarded, edge: grpc.aio.Channel, name: str
) -> None:
    async def code(metadata: Metadata) -> StatusCode:
        return (await call(edge, name, metadata)).code

    roles, allowed = MAY[name]
    assert await code(()) is StatusCode.UNAUTHENTICATED
    assert await code(await guarded.callers.metadata("nobody")) is StatusCode.PERMISSION_DENIED
    assert await code(await guarded.callers.metadata(roles.split()[0])) is allowed


async def test_a_run_of_one_who_may(guarded: Guarded) -> None:
    target = await register(guarded)
    headers = dict(await guarded.callers.metadata("runner"))
    async with guarded.running.rest.post(RUNS, json=a_run(target), headers=headers) as response:
        assert response.status == 201
        [job] = (await response.json())["jobs"]
    async with guarded.running.rest.get(f"{RUNS}/{job['jobId']}", headers=headers) as response:
        assert (await response.json())["requestedBy"] == guarded.callers.name("runner")


async def test_a_denied_target_is_that_targets_failure(guarded: Guarded) -> None:
    """500 with the whole body, as for targets that are not there."""
    headers = dict(await guarded.callers.metadata("runner"))
    async with guarded.running.rest.post(RUNS, json=a_run(UUID), headers=headers) as response:
        assert response.status == 500
        body = json.loads(await response.text())
    assert body["jobs"][0]["error"] == "there is no such target"
    assert body["failedJobs"] == 1


async def test_no_reply_and_no_log_has_the_token(guarded: Guarded) -> None:
    token = await guarded.callers.token("runner")
    for name in CALLS:
        if name.startswith("Watch"):
            continue
        reply = await rest(guarded, name, *bearer(token))
        assert token not in reply.text
        assert token not in str(reply.headers)
    for child in guarded.running.processes.children:
        assert token not in child.log.read_text()


async def logged(guarded: Guarded, request_id: str) -> dict[str, Any]:
    """What Envoy has written down of a call."""

    async def lines() -> list[dict[str, Any]]:
        events = guarded.running.processes.events("envoy")
        return [event for event in events if event.get("request_id") == request_id]

    [line] = await eventually(lines)
    return line


@pytest.mark.parametrize(
    ("role", "name", "status", "grpc_status"),
    [
        ("viewer", "ListTargets", 200, 0),
        ("viewer", "GetTarget", 404, 5),
        ("target-admin", "DeleteTarget", 404, 5),
        ("nobody", "ListTargets", 403, 7),
        ("", "ListTargets", 401, 16),
    ],
)
async def test_the_access_log_names_a_caller_who_is_known(
    guarded: Guarded, role: str, name: str, status: int, grpc_status: int
) -> None:
    metadata = await guarded.callers.metadata(role) if role else ()
    reply = await rest(guarded, name, *metadata)
    user = guarded.callers.name(role) if role else None
    line = await logged(guarded, reply.headers["x-request-id"])
    assert (line["status"], line["grpc_status"], line.get("user")) == (status, grpc_status, user)
    assert "krkn-user" not in reply.headers

    async def by_grpc(edge: grpc.aio.Channel) -> None:
        request_id = str(uuid.uuid4())
        seen = await call(edge, name, (*metadata, ("x-request-id", request_id)))
        assert seen.code.value[0] == grpc_status
        line = await logged(guarded, request_id)
        assert (line["grpc_status"], line.get("user")) == (grpc_status, user)

    address = guarded.running.processes.rest_url.removeprefix("http://")
    async with grpc.aio.insecure_channel(address) as channel:
        await by_grpc(channel)


async def test_the_access_log_names_a_caller_who_leaves_a_watch(guarded: Guarded) -> None:
    headers = dict(await guarded.callers.metadata("viewer"))
    async with guarded.running.rest.get(f"{RUNS}:watch", headers=headers) as response:
        await response.content.readline()
        request_id = response.headers["x-request-id"]
        assert "krkn-user" not in response.headers
        response.close()
    line = await logged(guarded, request_id)
    assert line["user"] == guarded.callers.name("viewer")
    assert "grpc_status" not in line
