"""The service in a service mesh: each call goes through a caller's proxy, mutual TLS, and ours."""

import asyncio
import json
import ssl
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import grpc.aio
import httpx
import pytest
import pytest_asyncio
from google.protobuf.json_format import ParseDict

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import scenario_runs_pb2 as runs_pb2
from krkn_grpc.v1 import targets_pb2
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub
from tests.support.requests import IMAGE, a_run, token_target
from tests.support.rest import RUNS, TARGETS, Rest, assert_error
from tests.support.running import Running, Wanted, make_namespace, remove_namespace, running
from tests.support.runs import Runs
from tests.support.sidecars import ALICE, Sidecars, two_sidecars
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Mesh:
    """The service, the proxies around it, and callers in the mesh."""

    services: Running
    sidecars: Sidecars
    channel: grpc.aio.Channel

    @property
    def rest(self) -> Rest:
        return Rest(self.sidecars.session)

    @property
    def runs(self) -> Runs:
        return Runs(self.channel)

    async def lines(self, process: str, call: str) -> list[dict[str, Any]]:
        """What a process has logged of the call with this id."""
        return [line for line in self.services.processes.events(process) if call in line.values()]


@pytest_asyncio.fixture(scope="module")
async def mesh(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mesh]:
    folder, name = tmp_path_factory.mktemp("services"), f"mesh-{uuid.uuid4().hex[:8]}"
    await make_namespace(control_plane.cluster, name)
    wanted = Wanted(environment={"KRKN_TLS": "mesh"})
    try:
        async with (
            running(control_plane.cluster, name, folder, wanted) as services,
            two_sidecars(folder / "mesh", services.processes.options.rest_port) as sidecars,
            grpc.aio.insecure_channel(sidecars.address) as channel,
        ):
            yield Mesh(services, sidecars, channel)
    finally:
        await remove_namespace(control_plane.cluster, name)


async def test_targets_and_runs_by_rest(mesh: Mesh) -> None:
    made = await mesh.rest.post(TARGETS, token_target())
    assert made.status == 201
    target = made.body["uuid"]
    assert (await mesh.rest.get(f"{TARGETS}/{target}")).body["uuid"] == target
    [job] = await mesh.rest.run(target)
    assert (await mesh.rest.job_when(job))["status"] == "Succeeded"


async def test_a_run_that_fails_whole_has_its_own_body(mesh: Mesh) -> None:
    failed = await mesh.rest.post(RUNS, a_run(str(uuid.uuid4())))
    assert failed.status == 500
    assert failed.body["failedJobs"] == 1
    assert failed.body["jobs"][0]["success"] is False
    assert failed.headers["x-envoy-attempt-count"] == "1"


async def test_targets_and_runs_by_grpc(mesh: Mesh) -> None:
    stub = TargetServiceStub(mesh.channel)
    made = await stub.CreateTarget(ParseDict(token_target(), targets_pb2.CreateTargetRequest()))
    [job] = await mesh.runs.run(made.uuid)
    assert (await mesh.runs.when(job)).status == "Succeeded"
    assert "the scenario ended" in await mesh.runs.read_log(job)


async def test_errors_are_the_service_s_own(mesh: Mesh) -> None:
    absent = str(uuid.uuid4())
    reply = await mesh.rest.get(f"{TARGETS}/{absent}")
    assert (reply.status, reply.body["code"]) == (404, 5)
    reason = reply.body["details"][0]["reason"]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await TargetServiceStub(mesh.channel).GetTarget(targets_pb2.GetTargetRequest(uuid=absent))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    details = dict(refused.value.trailing_metadata() or ())
    assert reason.encode() in bytes(details["grpc-status-details-bin"])


async def test_watches_come_as_it_happens(mesh: Mesh) -> None:
    target = await mesh.rest.register()
    async with (
        mesh.runs.watch(target_uuid=target) as watcher,
        mesh.sidecars.session.get(f"{RUNS}:watch?targetUUID={target}") as lines,
    ):
        await watcher.synced()
        assert json.loads(await lines.content.readline())["type"] == "SYNCED"
        [job] = await mesh.rest.run(target, scenarioImage=f"{IMAGE}-lasts-4s")
        assert json.loads(await lines.content.readline())["job"]["jobId"] == job
        assert (await watcher.status(job, "Running")).job_id == job


async def test_logs_come_as_they_are_written(mesh: Mesh) -> None:
    [job] = await mesh.rest.run(await mesh.rest.register(), scenarioImage=f"{IMAGE}-lasts-4s")
    await mesh.rest.job_when(job, "Running")
    by_grpc = mesh.runs.log(job, follow=True)
    async with mesh.sidecars.session.get(f"{RUNS}/{job}/logs?follow=true") as by_rest:
        assert (await by_rest.content.readline()).startswith(b"scenario ")
        assert (await by_grpc.read()).data.startswith(b"scenario ")
        assert (await mesh.rest.job(job))["status"] == "Running"
        assert b"the scenario ended" in await by_rest.read()


async def test_large_bodies(mesh: Mesh) -> None:
    target = await mesh.rest.register()
    files = [{"name": f"f{i}", "content": "x" * 100_000, "mountPath": f"/mnt/f{i}"} for i in (1, 2)]
    body = a_run(target, files=files)
    assert (await mesh.rest.post(RUNS, body)).status == 201
    request = ParseDict(body, runs_pb2.RunScenarioRequest())
    reply = await ScenarioRunServiceStub(mesh.channel).RunScenario(request)
    assert reply.successful_jobs == 1
    too_large = a_run(target, files=[{**files[0], "content": "x" * 20_000_000}])
    assert_error(await mesh.rest.post(RUNS, too_large), 413, 3, "REQUEST_TOO_LARGE")


@pytest.mark.parametrize("protocol", ["REST", "gRPC"])
async def test_a_caller_who_leaves_leaves_nothing_open(mesh: Mesh, protocol: str) -> None:
    call = str(uuid.uuid4())
    leave: Callable[[], object]
    if protocol == "gRPC":
        watch = ScenarioRunServiceStub(mesh.channel).WatchScenarioRuns(
            runs_pb2.WatchScenarioRunsRequest(), metadata=(("x-request-id", call),)
        )
        await watch.read()
        leave, path = watch.cancel, "/krkn.v1.ScenarioRunService/WatchScenarioRuns"
    else:
        headers = {"x-request-id": call}
        reply = await mesh.sidecars.session.get(f"{RUNS}:watch", headers=headers)
        await reply.content.readline()
        leave, path = reply.close, f"{RUNS}:watch"
    assert await mesh.lines("envoy", call) == []
    leave()
    [line] = await eventually(lambda: mesh.lines("envoy", call))
    assert line["path"] == path


async def test_the_caller_s_id_and_its_name_in_the_mesh(mesh: Mesh) -> None:
    call = str(uuid.uuid4())
    forged = f"By=spiffe://x;URI={ALICE.replace('alice', 'admin')}"
    headers = {"x-request-id": call, "x-forwarded-client-cert": forged, "krkn-mesh-caller": forged}
    async with mesh.sidecars.session.post(TARGETS, json=token_target(), headers=headers) as reply:
        assert (reply.status, reply.headers["x-request-id"]) == (201, call)
    [asked] = await eventually(lambda: mesh.lines("envoy", call))
    [audited] = await mesh.lines("server", call)
    assert audited["mesh_caller"] == asked["mesh_caller"] == ALICE


async def test_a_caller_past_its_own_proxy_cannot_forge_its_name(mesh: Mesh) -> None:
    context = ssl.create_default_context(cafile=mesh.sidecars.authority.file)
    context.check_hostname = False
    context.load_cert_chain(mesh.sidecars.alice.certificate, mesh.sidecars.alice.key)
    call, admin = str(uuid.uuid4()), ALICE.replace("alice", "admin")
    forged = f'By=spiffe://x;Hash=00;Subject="";URI={admin},Subject="'
    url = f"https://localhost:{mesh.sidecars.inbound_port}"
    async with httpx.AsyncClient(base_url=url, verify=context) as client:
        headers = {"x-request-id": call, "x-forwarded-client-cert": forged}
        assert (await client.post(TARGETS, json=token_target(), headers=headers)).status_code == 201
    [audited] = await eventually(lambda: mesh.lines("server", call))
    assert audited["mesh_caller"] == ALICE


@pytest.mark.parametrize("wrong", ["another name", "no certificate", "another mesh"])
async def test_who_is_not_of_the_mesh_gets_nowhere(mesh: Mesh, wrong: str) -> None:
    call = str(uuid.uuid4())
    async with (
        aiohttp.ClientSession(f"http://{mesh.sidecars.others[wrong]}") as session,
        session.get("/api/v1/health", headers={"x-request-id": call}) as reply,
    ):
        assert reply.status == 503  # the proxy's own
    assert await mesh.lines("envoy", call) == []


async def test_plain_text_gets_nowhere(mesh: Mesh) -> None:
    port = mesh.sidecars.inbound_port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n")
    try:
        assert b"HTTP/" not in await reader.read()
    except ConnectionResetError:
        pass
    finally:
        writer.close()


async def test_with_http_1_between_the_proxies_no_grpc_call_succeeds(
    mesh: Mesh, tmp_path: Path
) -> None:
    edge = mesh.services.processes.options.rest_port
    async with (
        two_sidecars(tmp_path, edge, "http") as sidecars,
        grpc.aio.insecure_channel(sidecars.address) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError):
            await TargetServiceStub(channel).ListTargets(
                targets_pb2.ListTargetsRequest(), timeout=5
            )
