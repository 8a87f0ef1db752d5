"""The id of one call, from Envoy to the pod: whoever reads any of the logs finds the others."""

import uuid
from typing import Any

import grpc.aio
import pytest

from krkn_grpc.resources import well_known
from krkn_grpc.v1.scenario_runs_pb2 import RunScenarioRequest
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.support.custom_objects import JOBS, collection
from tests.support.requests import a_run
from tests.support.rest import RUNS, Rest
from tests.support.running import Running
from tests.support.waiting import eventually

IMAGE = "registry.example/krkn-hub:never-ends"


async def by_rest(services: Running, target: str, call_id: str) -> tuple[str, str]:
    """Run a scenario by REST; the id of the call and the job's."""
    body = a_run(target, scenarioImage=IMAGE)
    async with services.rest.post(RUNS, json=body, headers={"x-request-id": call_id}) as reply:
        assert reply.status == 201
        [job] = (await reply.json())["jobs"]
        return reply.headers["x-request-id"], job["jobId"]


async def by_grpc(services: Running, target: str, call_id: str) -> tuple[str, str]:
    """The same by gRPC through Envoy."""
    request = RunScenarioRequest(
        target_uuids=[target], scenario_image=IMAGE, scenario_name="pod-scenarios"
    )
    address = services.processes.rest_url.removeprefix("http://")
    async with grpc.aio.insecure_channel(address) as channel:
        run: Any = ScenarioRunServiceStub(channel).RunScenario
        call = run(request, metadata=(("x-request-id", call_id),), timeout=60)
        metadata = {key: str(value) for key, value in await call.initial_metadata()}
        [job] = (await call).jobs
        return metadata["x-request-id"], job.job_id


@pytest.mark.parametrize("run", [by_rest, by_grpc])
async def test_one_id_leads_from_the_call_to_the_pod(
    rest: Rest, shared_services: Running, run: Any
) -> None:
    services, processes = shared_services, shared_services.processes
    target = await rest.register()
    call_id = str(uuid.uuid4())
    trace, job_id = await run(services, target, call_id)
    assert trace == call_id

    async def lines(process: str) -> list[dict[str, Any]]:
        return [line for line in processes.events(process) if trace in line.values()]

    [asked] = await eventually(lambda: lines("envoy"))
    assert (asked["event"], asked["request_id"]) == ("request", trace)
    [audited] = await lines("server")
    assert (audited["event"], audited["trace"]) == ("audit", trace)
    assert (audited["targets"], audited["jobs"]) == ([target], [job_id])

    path = collection(JOBS, services.namespace)
    job = await services.cluster.request("GET", f"{path}/{job_id}")
    assert job["metadata"]["annotations"][well_known.TRACE] == trace
    await rest.job_when(job_id, "Running")
    pods = f"/api/v1/namespaces/{services.namespace}/pods"
    pod = await services.cluster.request("GET", f"{pods}/krkn-job-{job_id}")
    assert pod["metadata"]["annotations"][well_known.TRACE] == trace
    [started] = await eventually(lambda: lines("controller"))
    assert (started["event"], started["job"]) == ("job started", job_id)

    # The stop is a call of its own, which does not change whose job it is.
    assert (await rest.delete(f"{RUNS}/{job_id}")).status == 200
    await rest.job_when(job_id, "Stopped")
    job = await services.cluster.request("GET", f"{path}/{job_id}")
    assert job["metadata"]["annotations"][well_known.TRACE] == trace


@pytest.mark.parametrize("is_trusted", [True, False])
async def test_a_trace_reaches_the_pod_where_no_spans_are_sent(
    rest: Rest, shared_services: Running, is_trusted: bool
) -> None:
    """The server takes the trace that its peer names; Envoy names none of a stranger's."""
    services, target = shared_services, await rest.register()
    trace_id = uuid.uuid4().hex
    given = f"00-{trace_id}-{'1' * 16}-01"
    if is_trusted:
        request = RunScenarioRequest(
            target_uuids=[target], scenario_image=IMAGE, scenario_name="pod-scenarios"
        )
        run: Any = ScenarioRunServiceStub(services.channel).RunScenario
        [job] = (await run(request, metadata=(("traceparent", given),), timeout=60)).jobs
        job_id = job.job_id
    else:
        body, headers = a_run(target, scenarioImage=IMAGE), {"traceparent": given}
        async with services.rest.post(RUNS, json=body, headers=headers) as reply:
            [created] = (await reply.json())["jobs"]
        job_id = created["jobId"]
    await rest.job_when(job_id, "Running")
    pods = f"/api/v1/namespaces/{services.namespace}/pods"
    pod = await services.cluster.request("GET", f"{pods}/krkn-job-{job_id}")
    [container] = pod["spec"]["containers"]
    found = [each["value"] for each in container["env"] if each["name"] == "TRACEPARENT"]
    assert found == ([given] if is_trusted else [])
    assert pod["metadata"]["annotations"].get(well_known.TRACEPARENT) == (
        given if is_trusted else None
    )
    with_id = [line for line in services.processes.events("server") if "trace_id" in line]
    assert any(line["trace_id"] == trace_id for line in with_id) == is_trusted
    assert (await rest.delete(f"{RUNS}/{job_id}")).status == 200
    await rest.job_when(job_id, "Stopped")
