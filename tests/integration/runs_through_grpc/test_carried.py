"""A write that was sent is carried through: though its caller hangs up, and though it is late."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.json_format import ParseDict

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1 import targets_pb2
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.conftest import StartServices
from tests.support.api_proxy import ApiProxy, Call
from tests.support.requests import a_run, token_target
from tests.support.running import Running, Wanted
from tests.support.target_client import Targets
from tests.support.waiting import eventually


@dataclass
class Slow:
    """A server between which and the API server one kind of write can be held."""

    services: Running
    proxy: ApiProxy
    came: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def runs(self) -> Any:
        """The stub of ScenarioRunService."""
        return ScenarioRunServiceStub(self.services.channel)

    @property
    def targets(self) -> Targets:
        """TargetService."""
        return Targets(self.services.channel)

    def hold(self, what: str) -> None:
        """Hold calls like `POST krknchaosjobs`, until `go_on` is set."""

        async def gate(call: Call) -> None:
            if str(call) == what:
                self.came.set()
                await self.go_on.wait()

        self.proxy.before = gate


@pytest_asyncio.fixture
async def slow(
    control_plane: ControlPlane, namespace: str, start_services: StartServices
) -> AsyncIterator[Slow]:
    proxy = ApiProxy(control_plane.url, control_plane.ca_pem)
    async with proxy.serving():
        wanted = Wanted(controller=False, envoy=False, kubeconfig_url=proxy.url)
        yield Slow(await start_services(wanted), proxy)


async def jobs_of(slow: Slow, target: str) -> list[Any]:
    return list(
        (await slow.runs.ListScenarioRuns(pb.ListScenarioRunsRequest(target_uuid=target))).jobs
    )


async def test_a_caller_that_hangs_up_takes_nothing_with_it(slow: Slow) -> None:
    target, second = await slow.targets.create(), await slow.targets.create()
    # The first of two writes; the job comes after it.
    slow.hold("POST secrets")
    body = a_run(target, second, secretEnvironment={"A": "b"})
    request = ParseDict(body, pb.RunScenarioRequest())
    call = slow.runs.RunScenario(request)
    await slow.came.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await heard(slow)
    slow.go_on.set()
    for each in (target, second):
        await eventually(partial(jobs_of, slow, each), lambda jobs: len(jobs) == 1)

    # The same with a deadline, and with a target.
    slow.came.clear()
    slow.go_on.clear()
    slow.hold("POST leases")
    while not slow.came.is_set():  # a busy machine may need more than one attempt to come so far
        body = token_target()
        new = ParseDict(body, targets_pb2.CreateTargetRequest())
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await slow.targets.stub.CreateTarget(new, timeout=0.3)
    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await heard(slow)
    slow.go_on.set()
    await eventually(lambda: settled(slow, body["clusterName"]))


async def heard(slow: Slow) -> None:
    """Return when the server has heard of all that happened on the connection before."""
    for _ in range(3):
        await slow.targets.list()


async def settled(slow: Slow, name: str) -> bool:
    """Whether a registration has come to its end: there and to be run, or not there."""
    found = [target for target in await slow.targets.list() if target.cluster_name == name]
    if not found:
        return True
    request = ParseDict(a_run(found[0].uuid, validateOnly=True), pb.RunScenarioRequest())
    reply = await slow.runs.RunScenario(request)
    return bool(reply.jobs[0].success)


async def test_a_server_that_is_told_to_stop_finishes_what_it_was_asked(slow: Slow) -> None:
    target = await slow.targets.create()
    slow.hold("POST krknchaosjobs")
    call = asyncio.ensure_future(
        slow.runs.RunScenario(ParseDict(a_run(target), pb.RunScenarioRequest()))
    )
    await slow.came.wait()
    stopping = asyncio.create_task(slow.services.processes.child("server").stop())
    await eventually(lambda: logged(slow, "stopping"))
    slow.go_on.set()
    reply = await call
    assert [job.success for job in reply.jobs] == [True]
    await stopping
    assert slow.services.processes.child("server").exit_code == 0


async def logged(slow: Slow, event: str) -> bool:
    return any(line.get("event") == event for line in slow.services.processes.events("server"))
