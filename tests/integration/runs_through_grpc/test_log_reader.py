"""Logs read by a process of its own: the server's account reads none, its own does nothing else."""

import uuid
from collections.abc import AsyncIterator, Awaitable

import grpc
import pytest
import pytest_asyncio
from grpc import StatusCode

from deploy.local.cluster.api import ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.processes.ports import LOOPBACK
from deploy.local.services import REPOSITORY
from krkn_grpc.v1 import runs_pb2, targets_pb2
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub
from tests.support.accounts import acting_as
from tests.support.requests import IMAGE
from tests.support.rest import CHAOS_RUNS, RUNS, Rest
from tests.support.running import Running, Wanted, make_namespace, remove_namespace, running


@pytest_asyncio.fixture(scope="module")
async def apart(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """All processes of a pod of deploy/base, with its roles and no others."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(control_plane.cluster, name, [REPOSITORY / "deploy" / "rbac"])
    folder = tmp_path_factory.mktemp("apart")
    async with running(control_plane.cluster, name, folder, Wanted(log_reader=True)) as started:
        yield started
    await remove_namespace(control_plane.cluster, name)


async def an_ended_job(apart: Running) -> tuple[str, str]:
    """Return the ids of a job and its pod."""
    rest = Rest(apart.rest)
    [job_id] = await rest.run(await rest.register(), scenarioImage=f"{IMAGE}-exit-3")
    return job_id, (await rest.job_when(job_id))["podName"]


async def test_the_logs_of_a_run_by_rest_and_by_grpc(apart: Running) -> None:
    rest = Rest(apart.rest)
    run_id = await rest.run_of(await rest.register(), scenarioImage=f"{IMAGE}-exit-3-lasts-0s")
    await rest.run_when(run_id)
    by_rest = await rest.get(f"{CHAOS_RUNS}/{run_id}/logs")
    assert by_rest.text.endswith("] the scenario ended with exit code 3\n")
    edge = apart.processes.rest_url.removeprefix("http://")
    async with grpc.aio.insecure_channel(edge) as channel:
        stub = ScenarioRunServiceStub(channel)
        lines = stub.StreamRunLogs(runs_pb2.StreamRunLogsRequest(run_id=run_id))
        found = [f"[{line.cluster_name}] {line.line}\n" async for line in lines]
        text = stub.StreamRunLogsAsText(runs_pb2.StreamRunLogsAsTextRequest(run_id=run_id))
        assert b"".join([message.data async for message in text]).decode() == by_rest.text
    assert "".join(found) == by_rest.text


async def code(call: Awaitable[object]) -> StatusCode:
    """Return the code that a call fails with."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call
    return failed.value.code()


async def test_a_log_by_rest_and_by_grpc(apart: Running) -> None:
    job_id, _ = await an_ended_job(apart)
    by_rest = await Rest(apart.rest).get(f"{RUNS}/{job_id}/logs")
    assert by_rest.status == 200
    assert by_rest.text.endswith("the scenario ended with exit code 3\n")
    edge = apart.processes.rest_url.removeprefix("http://")
    async with grpc.aio.insecure_channel(edge) as channel:
        log = ScenarioRunServiceStub(channel).StreamLogs(pb.StreamLogsRequest(job_id=job_id))
        assert b"".join([message.data async for message in log]).decode() == by_rest.text


async def test_each_answers_its_own_calls(apart: Running) -> None:
    logs = pb.StreamLogsRequest(job_id=str(uuid.uuid4()))
    of_server = ScenarioRunServiceStub(apart.channel)
    assert await code(of_server.StreamLogs(logs).read()) is StatusCode.UNIMPLEMENTED
    reader = f"{LOOPBACK}:{apart.processes.options.logs_port}"
    async with grpc.aio.insecure_channel(reader) as channel:
        runs, targets = ScenarioRunServiceStub(channel), TargetServiceStub(channel)
        for call in (
            runs.RunScenario(pb.RunScenarioRequest()),
            runs.ListScenarioRuns(pb.ListScenarioRunsRequest()),
            targets.ListTargets(targets_pb2.ListTargetsRequest()),
        ):
            assert await code(call) is StatusCode.UNIMPLEMENTED
        assert await code(runs.StreamLogs(logs).read()) is StatusCode.NOT_FOUND


async def test_the_servers_account_reads_no_log(
    apart: Running, control_plane: ControlPlane
) -> None:
    _, pod = await an_ended_job(apart)
    path = f"/api/v1/namespaces/{apart.namespace}/pods/{pod}"
    async with acting_as(control_plane, apart.namespace, "krkn-grpc-server") as server:
        for what in (path, f"{path}/log"):
            with pytest.raises(ClusterError) as failed:
                await server.request("GET", what)
            assert failed.value.status == 403
