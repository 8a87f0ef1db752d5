"""What a service mesh repeats starts nothing twice: the server is killed in the middle of calls.

Each call goes through a sidecar that repeats what fails, to our Envoy, to the server, which is
killed at one moment of its work for the call and started again.
"""

import asyncio
import itertools
import os
import random
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc.aio
import pytest
import pytest_asyncio
from google.protobuf.json_format import ParseDict

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import scenario_runs_pb2, targets_pb2
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub
from tests.integration.runs.conftest import Site, a_site
from tests.integration.runs.held import Hold, a_proxy, heal
from tests.support.api_proxy import ApiProxy
from tests.support.requests import a_run, canary, token_target
from tests.support.running import Running, Wanted
from tests.support.runs import Runs
from tests.support.sidecar import ATTEMPTS, EAGER, MESH_DEFAULT, Sidecar, a_sidecar
from tests.support.sidecars import Sidecars, two_sidecars

COUNT = 100 if os.environ.get("KRKN_FAULTS") == "all" else 10
RUN = ("POST krknchaosruns", "POST secrets", "POST krknchaosjobs")
REGISTRATION = ("POST krknoperatortargets", "POST leases", "POST secrets")


@dataclass(frozen=True)
class Mesh:
    """A site whose server may be killed, and what stands before and behind it."""

    site: Site
    proxy: ApiProxy
    eager: Sidecar
    default: Sidecar
    pair: Sidecars
    """Two proxies and mutual TLS, as Istio sets them."""

    @property
    def victim(self) -> Running:
        """The processes of the site."""
        return self.site.servers[0]

    async def kill_during(self, call: Any, when: str, what: str, number: int) -> Any:
        """Kill the server at a moment of its work for the call; return what the call returns."""
        hold = Hold(self.proxy, when, what, number)
        asked = asyncio.ensure_future(call)
        await asyncio.wait(
            {asked, asyncio.ensure_future(hold.came.wait())}, return_when=asyncio.FIRST_COMPLETED
        )
        await self.victim.processes.kill("server")
        # What was on its way arrives all the same.
        heal(self.proxy)
        hold.go_on.set()
        self.victim.processes.start_again("server")
        try:
            return await asked
        finally:
            await self.victim.processes.ready()
            await self.victim.channel.channel_ready()

    async def targets_named(self, name: str) -> list[str]:
        """Return the targets of this name that callers know; what is half-made goes by itself."""
        stub = TargetServiceStub(self.victim.channel)
        listed = await stub.ListTargets(targets_pb2.ListTargetsRequest(page_size=1000))
        return [target.uuid for target in listed.targets if target.cluster_name == name]


@pytest_asyncio.fixture(scope="module")
async def mesh(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mesh]:
    folder = tmp_path_factory.mktemp("mesh")
    for name in ("site", "eager", "default"):
        (folder / name).mkdir()
    async with (
        a_proxy(control_plane) as proxy,
        a_site(control_plane, folder / "site", Wanted(kubeconfig_url=proxy.url)) as site,
    ):
        edge = site.servers[0].processes.options.rest_port
        async with (
            a_sidecar(folder / "eager", edge, EAGER) as eager,
            a_sidecar(folder / "default", edge, MESH_DEFAULT) as default,
            two_sidecars(folder / "pair", edge) as pair,
        ):
            yield Mesh(site, proxy, eager, default, pair)


def moments(calls: tuple[str, ...], count: int, seed: int) -> list[tuple[str, str, int]]:
    """Return so many moments of a call's work: each of them, then some of them at random."""
    each = list(itertools.product(("before", "after"), calls, (1,)))
    chance = random.Random(seed)
    more = [(chance.choice(("before", "after")), chance.choice(calls), 2) for _ in range(count)]
    return (each + more)[:count]


async def post(
    sidecar: Sidecar | Sidecars, path: str, body: dict[str, Any]
) -> tuple[int, Any, int]:
    """Return status, body and attempts of a call."""
    async with sidecar.session.post(path, json=body) as reply:
        return reply.status, await reply.json(), int(reply.headers.get(ATTEMPTS, "1"))


async def started(mesh: Mesh, targets: list[str]) -> list[str]:
    """Return the jobs on these targets once all have ended; each has run once."""
    found = await mesh.site.jobs_on(*targets)
    names = [job["metadata"]["name"] for job in found]
    runs = Runs(mesh.victim.channel)
    for name in names:
        assert (await runs.when(name)).status == "Succeeded"
    for target in targets:
        assert len(await mesh.site.pods_on(target)) <= 1
    return names


@pytest.mark.timeout(1800)
async def test_a_run_is_one_run_however_often_it_is_repeated(mesh: Mesh) -> None:
    attempts = 0
    for when, what, number in moments(RUN, COUNT, seed=1):
        targets = await mesh.site.some_targets(2)
        body = a_run(*targets, secretEnvironment={"S": canary()})
        status, reply, tries = await mesh.kill_during(
            post(mesh.eager, "/api/v1/scenarios/run", body), when, what, number
        )
        attempts += tries
        assert status == 201, (when, what, number, reply)
        told = [job["jobId"] for job in reply["jobs"]]
        assert sorted(await started(mesh, targets)) == sorted(told), (when, what, number)
    assert attempts > COUNT, "nothing was ever repeated"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("protocol", ["REST", "gRPC"])
async def test_through_two_proxies_a_crash_makes_one_run(mesh: Mesh, protocol: str) -> None:
    """With what Istio repeats by itself, and a caller who gives no id and asks once."""
    async with grpc.aio.insecure_channel(mesh.pair.address) as channel:
        for when, what, number in moments(RUN, COUNT // 2, seed=3):
            targets = await mesh.site.some_targets(2)
            body = a_run(*targets, secretEnvironment={"S": canary()})
            if protocol == "REST":
                call: Any = post(mesh.pair, "/api/v1/scenarios/run", body)
                status, reply, _ = await mesh.kill_during(call, when, what, number)
                told = [job["jobId"] for job in reply.get("jobs", ())]
                is_known = status == 201
            else:
                request = ParseDict(body, scenario_runs_pb2.RunScenarioRequest())
                call = ScenarioRunServiceStub(channel).RunScenario(request, timeout=30)
                try:
                    jobs = (await mesh.kill_during(call, when, what, number)).jobs
                    told, is_known = [job.job_id for job in jobs], True
                except grpc.aio.AioRpcError as error:
                    status, told, is_known = error.code().value[0], [], False
            found = await started(mesh, targets)
            if is_known:
                assert sorted(found) == sorted(told), (when, what, number)
            else:
                assert status in (2, 500), "a code that a proxy repeats"
                assert len(found) <= 2, (when, what, number)


@pytest.mark.timeout(1800)
async def test_a_registration_does_not_stand_in_its_own_way(mesh: Mesh) -> None:
    attempts = 0
    for when, what, number in moments(REGISTRATION, COUNT, seed=2):
        body = token_target()
        status, reply, tries = await mesh.kill_during(
            post(mesh.eager, "/api/v1/operator/targets", body), when, what, number
        )
        attempts += tries
        assert status == 201, (when, what, number, reply)
        assert await mesh.targets_named(body["clusterName"]) == [reply["uuid"]]
    assert attempts > COUNT, "nothing was ever repeated"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_write_that_was_cut_is_answered_with_what_a_mesh_does_not_repeat(
    mesh: Mesh, when: str
) -> None:
    targets = await mesh.site.some_targets(2)
    status, reply, tries = await mesh.kill_during(
        post(mesh.default, "/api/v1/scenarios/run", a_run(*targets)), when, "POST krknchaosjobs", 2
    )
    assert (status, reply["code"], tries) == (500, 2, 1), reply
    assert reply["message"].endswith("what was asked may have been done")
    assert len(await started(mesh, targets)) <= 2

    async with grpc.aio.insecure_channel(mesh.default.url.removeprefix("http://")) as channel:
        request = ParseDict(token_target(), targets_pb2.CreateTargetRequest())
        call = TargetServiceStub(channel).CreateTarget(request, timeout=30)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await mesh.kill_during(call, when, "POST secrets", 1)
    assert refused.value.code() is grpc.StatusCode.UNKNOWN


async def test_what_is_asked_again_on_purpose_is_another_run(mesh: Mesh) -> None:
    targets = await mesh.site.some_targets(1)
    replies = [await post(mesh.eager, "/api/v1/scenarios/run", a_run(*targets)) for _ in range(2)]
    assert {status for status, _, _ in replies} == {201}
    assert len(await mesh.site.jobs_on(*targets)) == 2


async def test_a_repetition_says_that_it_is_one(mesh: Mesh) -> None:
    targets = await mesh.site.some_targets(1)
    url = f"{mesh.eager.url}/api/v1/scenarios/run"
    same = {"x-request-id": str(uuid.uuid4())}
    told = []
    for body in (a_run(*targets), a_run(*targets), a_run(*targets, timeoutSeconds=9)):
        async with mesh.eager.session.post(url, json=body, headers=same) as reply:
            [job] = (await reply.json())["jobs"]
            told.append((reply.headers.get("krkn-repeated"), job["jobId"]))
    assert [repeated for repeated, _ in told] == [None, "true", None]
    assert told[0][1] == told[1][1] != told[2][1]


async def test_a_retry_of_a_grpc_library_starts_nothing_that_it_may_have_started(
    mesh: Mesh,
) -> None:
    """As a library sends it again by itself, which no test can make it do at will."""
    [target] = await mesh.site.some_targets(1)
    call_id = {"x-request-id": str(uuid.uuid4())}
    again = {"grpc-previous-rpc-attempts": "1"}

    async def run(headers: dict[str, str], **changes: Any) -> int:
        request = ParseDict(a_run(target, **changes), scenario_runs_pb2.RunScenarioRequest())
        message = request.SerializeToString()
        async with mesh.default.session.post(
            "/krkn.v1.ScenarioRunService/RunScenario",
            data=b"\0" + len(message).to_bytes(4) + message,
            headers=headers | {"content-type": "application/grpc-web+proto"},
        ) as reply:
            body = await reply.read()
            status = reply.headers.get("grpc-status") or body.rpartition(b"grpc-status:")[2][:1]
            return int(status)

    assert await run(again) == grpc.StatusCode.FAILED_PRECONDITION.value[0]
    assert await mesh.site.jobs_on(target) == []
    assert await run(call_id) == 0
    assert await run(call_id | again) == 0
    assert len(await mesh.site.jobs_on(target)) == 1
    assert await run(again, requestId=str(uuid.uuid4())) == 0
    assert len(await mesh.site.jobs_on(target)) == 2
    await mesh.site.targets.delete(target)
    not_safe = grpc.StatusCode.FAILED_PRECONDITION.value[0]
    assert await run(again) == not_safe, "what it started may be there, though nothing starts now"
