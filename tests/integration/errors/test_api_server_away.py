"""The API server goes away and comes back: 503 meanwhile, nothing half-done, no restart needed.

A control plane of the tests' own, with an API server and nothing else.
"""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.json_format import ParseDict
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from deploy.local.services import REPOSITORY
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.support import custom_objects
from tests.support.custom_objects import collection
from tests.support.inventory import written
from tests.support.requests import a_run, token_target
from tests.support.rest import ERROR_INFO, RUNS, TARGETS, Reply, Rest
from tests.support.rpc import refused
from tests.support.running import CLUSTER_WIDE, Running, Wanted, make_namespace, running
from tests.support.waiting import eventually

API_SERVER = "kube-apiserver"
DEPLOY = REPOSITORY / "deploy"
WRITE_SECONDS = 2
SERVING = health_pb2.HealthCheckResponse.SERVING


@dataclass(frozen=True)
class Alone:
    """Server and Envoy, and the API server that tests may stop."""

    control_plane: ControlPlane
    services: Running
    target: str

    @property
    def rest(self) -> Rest:
        """Calls through Envoy."""
        return Rest(self.services.rest)

    async def inventory(self) -> set[str]:
        """What the server has written."""
        return await written(self.services.cluster, self.services.namespace)

    async def until_healthy(self) -> None:
        """Wait until the server can ask for our kinds: an API server has them after its start."""
        for path in (f"{RUNS}/{uuid.uuid4()}", f"{TARGETS}/{uuid.uuid4()}"):
            await eventually(partial(self.rest.get, path), lambda reply: reply.status == 404)


@pytest_asyncio.fixture(scope="module")
async def alone(
    binaries: Binaries, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Alone]:
    name, folder = f"test-{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("alone")
    told = {"KRKN_WRITE_SECONDS": str(WRITE_SECONDS)}
    async with ControlPlane(binaries, only_api_server=True, crds=CLUSTER_WIDE) as control_plane:
        await make_namespace(control_plane.cluster, name)
        wanted = Wanted(controller=False, environment=told)
        async with running(control_plane.cluster, name, folder, wanted) as services:
            rest = Rest(services.rest)
            # A new API server takes some seconds for the first object of a kind: longer than the
            # server here may write.
            registered = await eventually(
                lambda: rest.post(TARGETS, token_target()), lambda reply: reply.status == 201
            )
            yield Alone(control_plane, services, registered.body["uuid"])


@pytest_asyncio.fixture
async def stopped(alone: Alone) -> AsyncIterator[Alone]:
    """No API server; it comes back after the test, if the test did not bring it back."""
    before = await alone.inventory()
    await alone.control_plane.kill(API_SERVER)
    yield alone
    await alone.control_plane.start(API_SERVER)
    await alone.until_healthy()
    assert await alone.inventory() == before, "something was left half-done"


@pytest_asyncio.fixture
async def frozen(alone: Alone) -> AsyncIterator[Alone]:
    """An API server that takes connections and answers nothing."""
    alone.control_plane.pause(API_SERVER)
    yield alone
    alone.control_plane.resume(API_SERVER)
    await alone.until_healthy()


def assert_away(reply: Reply) -> None:
    """Assert that a reply says that the API server is away, and that a retry is safe."""
    assert (reply.status, reply.body["code"]) == (503, 14), reply
    assert "cannot be reached now" in reply.body["message"]
    info, *_ = reply.body["details"]
    assert (info["@type"], info["reason"]) == (ERROR_INFO, "KUBERNETES_UNAVAILABLE")


async def test_every_call_that_needs_it_says_so_and_leaves_nothing(stopped: Alone) -> None:
    rest, target = stopped.rest, f"{TARGETS}/{stopped.target}"
    inputs = {"secretEnvironment": {"A": "b"}, "registryUrl": "r", "token": "t"}
    for reply in (
        await rest.post(RUNS, a_run(stopped.target)),
        await rest.post(RUNS, a_run(stopped.target, **inputs)),
        await rest.post(RUNS, a_run(str(uuid.uuid4()))),
        await rest.post(RUNS, a_run(stopped.target, requestId=str(uuid.uuid4()))),
        await rest.post(TARGETS, token_target()),
        await rest.put(target, token_target()),
        await rest.delete(target),
        await rest.get(f"{TARGETS}/{uuid.uuid4()}"),
        await rest.get(f"{RUNS}/{uuid.uuid4()}"),
        await rest.get("/api/v1/health"),
    ):
        assert_away(reply)


async def test_a_grpc_client_hears_the_same_and_what_needs_no_api_server_is_answered(
    stopped: Alone,
) -> None:
    runs: Any = ScenarioRunServiceStub(stopped.services.channel)
    request = ParseDict(a_run(stopped.target), pb.RunScenarioRequest())
    found = await refused(runs.RunScenario(request))
    assert (found.code, found.reason) == (StatusCode.UNAVAILABLE, "KUBERNETES_UNAVAILABLE")
    assert found.retry_seconds == 1

    health: Any = health_pb2_grpc.HealthStub(stopped.services.channel)
    for service in ("", "krkn.v1.ScenarioRunService"):
        check = partial(health.Check, health_pb2.HealthCheckRequest(service=service))
        answer = await eventually(check, lambda found: found.status != SERVING)
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING

    rest = stopped.rest
    assert (await rest.post(RUNS, a_run())).status == 400
    assert (await rest.post(TARGETS, token_target(token=""))).status == 400
    assert (await rest.get(f"{RUNS}/x")).status == 404
    assert (await rest.delete(f"{TARGETS}/{str(uuid.uuid4()).upper()}")).status == 404
    assert (await rest.get(f"{TARGETS}/{stopped.target}")).body["uuid"] == stopped.target
    assert (await rest.get(RUNS)).status == 200, "what is known is still shown"


async def test_it_works_again_without_a_restart(alone: Alone) -> None:
    rest, server = alone.rest, alone.services.processes.child("server").pid
    target = await rest.register()
    await alone.control_plane.restart(API_SERVER)
    await alone.until_healthy()
    # A new API server takes some seconds here, too.
    run = await eventually(
        lambda: rest.post(RUNS, a_run(target)), lambda reply: reply.status == 201
    )
    [job_id] = [job["jobId"] for job in run.body["jobs"]]
    assert (await rest.job(job_id))["status"] == "Pending"
    assert job_id in [job["jobId"] for job in (await rest.get(RUNS)).body["jobs"]]

    # The watches come back too, not only the calls: what others do is seen.
    path = f"{collection(custom_objects.TARGETS, alone.services.namespace)}/{target}"
    await alone.services.cluster.request("DELETE", path)
    gone = partial(rest.get, f"{TARGETS}/{target}")
    await eventually(gone, lambda reply: reply.status == 404)
    assert alone.services.processes.child("server").pid == server


async def test_while_no_write_is_answered_there_is_no_job_and_asking_again_is_safe(
    frozen: Alone,
) -> None:
    """What is written first is the record of the call, and no job is written without it."""
    rest = frozen.rest
    reply = await rest.post(RUNS, a_run(frozen.target))
    assert (reply.status, reply.body["code"]) == (503, 14)
    assert "no job was created" in reply.body["message"]

    frozen.control_plane.resume(API_SERVER)
    await frozen.until_healthy()
    listed = await rest.get(f"{RUNS}?targetUUID={frozen.target}")
    assert listed.body["jobs"] == []
    again = await eventually(
        lambda: rest.post(RUNS, a_run(frozen.target)), lambda reply: reply.status == 201
    )
    assert again.body["successfulJobs"] == 1
