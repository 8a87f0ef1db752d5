"""One trace from a REST call to the pod, as a collector gets it from the real processes."""

import secrets
import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from controller.jobs import spans as job_spans
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.resources import well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.trace_context import CALLER_HEADER, Traceparent
from krkn_grpc.v1.health_pb2 import GetHealthRequest
from krkn_grpc.v1.health_pb2_grpc import HealthServiceStub
from tests.support.collector import Span, collector
from tests.support.requests import a_run, canary, credentials_target
from tests.support.rest import CHAOS_RUNS, RUNS, TARGETS
from tests.support.running import Wanted, make_namespace, remove_namespace, running
from tests.support.traced import Traced

IMAGE = "registry.example/krkn-hub:pod-scenarios"
ENDLESS = "registry.example/krkn-hub:never-ends"
SERVER, INTERNAL, CLIENT = 2, 1, 3
"""OTLP's numbers of a span's kinds."""

CALL = "krkn.v1.ScenarioRunService/RunScenario"


@pytest_asyncio.fixture(scope="module")
async def traced(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Traced]:
    """Services of this module; a test that kills a process starts it again."""
    cluster, namespace = control_plane.cluster, f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(cluster, namespace)
    async with collector() as kept:
        told = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": kept.endpoint,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2",
            "KRKN_TRUST_TRACE_HEADERS": "on",
            "KRKN_LEASE_SECONDS": "2",
        }
        folder = tmp_path_factory.mktemp("traced")
        async with running(cluster, namespace, folder, Wanted(environment=told)) as services:
            yield Traced(services, kept)
    await remove_namespace(cluster, namespace)


def caller_of(*, is_sampled: bool = True) -> Traceparent:
    """Return the context of a caller whom nobody has seen before."""
    return Traceparent(secrets.token_hex(16), secrets.token_hex(8), is_sampled)


def environment_of(pod: dict[str, Any]) -> dict[str, str]:
    """Return the plain variables of the scenario."""
    [container] = pod["spec"]["containers"]
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}


def expected(job: ChaosJob) -> set[tuple[str, str, str, int, int]]:
    """Return what each span of a job must be, by the function that makes them."""
    return {
        (each.name, each.at.span_id, each.parent.span_id, _nanos(each.start), _nanos(each.end))
        for each in job_spans.ended(job, job.status.reason, None)
    }


def _nanos(time: datetime) -> int:
    return int(time.timestamp()) * 1_000_000_000


def seen(spans: list[Span], service: str) -> set[tuple[str, str, str, int, int]]:
    """Return the same of the spans that a service has sent."""
    return {
        (each.name, each.span_id, each.parent_id, each.start, each.end)
        for each in spans
        if each.service == service
    }


async def test_one_trace_leads_from_the_call_to_the_pod(traced: Traced) -> None:
    caller, call_id = caller_of(), str(uuid.uuid4())
    target = await traced.rest.register()
    body = a_run(target, scenarioImage=IMAGE)
    job_id = await traced.run(caller, body, **{"x-request-id": call_id})
    await traced.rest.job_when(job_id, "Succeeded")
    writes = "POST krknchaosruns", "POST krknchaosjobs"
    of_job = "job", "scheduling", "running"
    found = await traced.kept.when_named(caller.trace_id, "rest calls", CALL, *writes, *of_job)

    edge, call, whole = found["rest calls"], found[CALL], found["job"]
    assert (edge.service, edge.kind, edge.parent_id) == ("krkn-grpc-envoy", SERVER, caller.span_id)
    assert edge.attributes["guid:x-request-id"] == call_id
    assert edge.attributes["http.method"] == "POST"
    assert (call.service, call.kind, call.parent_id) == ("krkn-grpc-server", SERVER, edge.span_id)
    assert call.attributes["rpc.response.status_code"] == "OK"
    for name in writes:
        assert (found[name].kind, found[name].parent_id) == (CLIENT, call.span_id)
        assert found[name].attributes["http.response.status_code"] == 201
        assert call.start <= found[name].start <= found[name].end <= call.end
    assert (whole.kind, whole.parent_id) == (INTERNAL, call.span_id)
    assert whole.attributes == {
        "krkn.job_id": job_id,
        "krkn.run_id": (await traced.job(job_id)).spec.run_id,
        "krkn.target_uuid": target,
        "krkn.phase": "Succeeded",
        "krkn.reason": "Completed",
        "krkn.exit_code": 0,
    }
    job, pod = await traced.job(job_id), await traced.pod(job_id)
    assert seen(traced.kept.of_trace(caller.trace_id), "krkn-grpc-controller") == expected(job)
    assert job.status.start_time is not None
    assert found["running"].start == _nanos(job.status.start_time)

    # The scenario's own spans would be below the one of its run.
    here = str(Traceparent(caller.trace_id, found["running"].span_id, True))
    assert environment_of(pod)["TRACEPARENT"] == here
    annotations = pod["metadata"]["annotations"]
    assert annotations[well_known.TRACEPARENT] == here
    assert annotations[well_known.TRACE] == call_id

    processes = traced.services.processes
    audit = [each for each in processes.events("server") if each.get("trace") == call_id]
    assert [each["trace_id"] for each in audit] == [caller.trace_id]
    acted = [each for each in processes.events("controller") if each.get("job") == job_id]
    assert {each["trace_id"] for each in acted} == {caller.trace_id}


async def test_no_span_has_a_credential_or_a_text_of_the_caller(traced: Traced) -> None:
    hidden = canary()
    target = credentials_target(username=hidden, password=hidden)
    registered = await traced.rest.post(TARGETS, target)
    caller = caller_of()
    body = a_run(
        registered.body["uuid"],
        scenarioImage=IMAGE,
        environment={"ANY": hidden},
        secretEnvironment={"SOME_TOKEN": hidden},
        files=[{"name": "f", "content": "eA==", "mountPath": f"/mnt/{hidden}"}],
        registryUrl="https://registry.example",
        username=hidden,
        password=hidden,
        labels={"one": hidden},
    )
    told = {"user-agent": hidden, "authorization": f"Bearer {hidden}", "x-any": hidden}
    job_id = await traced.run(caller, body, **told)
    others = {
        f"{RUNS}?labelSelector={hidden}": 200,
        f"{RUNS}?{hidden}=1": 400,
        f"/api/v1/{hidden}?token={hidden}": 404,
    }
    traces = [caller]
    for path, status in others.items():
        traces.append(caller_of())
        headers = told | {"traceparent": str(traces[-1])}
        async with traced.services.rest.get(path, headers=headers) as reply:
            assert reply.status == status
    await traced.rest.job_when(job_id, "Succeeded")
    await traced.kept.when_named(caller.trace_id, "job", "running", CALL)
    for each in traces:
        await traced.kept.when_named(each.trace_id, "rest calls")
    assert not any(hidden.encode() in request for request in traced.kept.requests)


@pytest.mark.parametrize("of", ["job", "run"])
async def test_the_end_that_a_stop_asked_for_has_a_span(traced: Traced, of: str) -> None:
    caller, target = caller_of(), await traced.rest.register()
    job_id = await traced.run(caller, a_run(target, scenarioImage=ENDLESS))
    await traced.rest.job_when(job_id, "Running")
    run_id = (await traced.job(job_id)).spec.run_id
    path = f"{RUNS}/{job_id}" if of == "job" else f"{CHAOS_RUNS}/{run_id}"
    assert (await traced.rest.delete(path)).status == 200
    await traced.rest.job_when(job_id, "Stopped")
    found = await traced.kept.when_named(caller.trace_id, "job", "running", "stopping")
    assert found["stopping"].parent_id == found["job"].span_id
    assert found["running"].start <= found["stopping"].start <= found["stopping"].end
    assert found["job"].attributes["krkn.phase"] == "Stopped"
    assert not found["job"].has_failed


async def test_a_trace_that_is_not_recorded_is_continued_and_not_sent(traced: Traced) -> None:
    caller, target = caller_of(is_sampled=False), await traced.rest.register()
    job_id = await traced.run(caller, a_run(target, scenarioImage=IMAGE))
    await traced.rest.job_when(job_id, "Succeeded")
    trace_id, _, flags = environment_of(await traced.pod(job_id))["TRACEPARENT"].split("-")[1:]
    assert (trace_id, flags) == (caller.trace_id, "00")
    recorded = caller_of()
    await traced.rest.job_when(await traced.run(recorded, a_run(target, scenarioImage=IMAGE)))
    await traced.kept.when_named(recorded.trace_id, "job", "rest calls", CALL)
    assert traced.kept.of_trace(caller.trace_id) == []


async def test_a_caller_who_is_not_trusted_is_linked(traced: Traced) -> None:
    # As Envoy hands it on (edge/test_trace_headers.py).
    caller, own = caller_of(), caller_of()
    health: Any = HealthServiceStub(traced.services.channel).GetHealth
    metadata = ((CALLER_HEADER, str(caller)), ("traceparent", str(own)))
    await health(GetHealthRequest(), metadata=metadata, timeout=60)
    name = "krkn.v1.HealthService/GetHealth"
    found = (await traced.kept.when_named(own.trace_id, name))[name]
    assert found.parent_id == own.span_id
    assert found.links == [(caller.trace_id, caller.span_id)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        "00-" + "0" * 32 + "-" + "1" * 16 + "-01",
        "00-" + "1" * 32 + "-" + "0" * 16 + "-01",
        "ff-" + "1" * 32 + "-" + "1" * 16 + "-01",
        "00-" + "1" * 32 + "-" + "1" * 16 + "-01-more",
        "00-" + "A" * 32 + "-" + "1" * 16 + "-01",
        "00-" + "1" * 32 + "-" + "1" * 16 + "-zz",
        "x" * 4096,
        "00-" + "1" * 32 + "-" + "1" * 16 + "-01, 00-" + "2" * 32 + "-" + "1" * 16 + "-01",
    ],
)
async def test_a_header_that_is_no_trace_fails_no_call(traced: Traced, text: str) -> None:
    headers = {"traceparent": text, "tracestate": text}
    async with traced.services.rest.get("/api/v1/health", headers=headers) as reply:
        assert reply.status == 200
    health: Any = HealthServiceStub(traced.services.channel).GetHealth
    metadata = (("traceparent", text), (CALLER_HEADER, text))
    assert (await health(GetHealthRequest(), metadata=metadata, timeout=60)).status == "healthy"


async def test_a_receiver_that_hangs_delays_nothing_and_a_killed_controller_loses_nothing(
    traced: Traced,
) -> None:
    caller, target = caller_of(), await traced.rest.register()
    processes = traced.services.processes
    traced.kept.is_hanging = True
    try:
        job_id = await traced.run(caller, a_run(target, scenarioImage=IMAGE))
        await traced.rest.job_when(job_id, "Succeeded")
        assert traced.kept.of_trace(caller.trace_id) == []
        # Between the final status and the export, which hangs.
        await processes.kill("controller")
    finally:
        traced.kept.is_hanging = False
    await processes.restart("controller")
    await traced.kept.when_named(caller.trace_id, "job", "scheduling", "running")
    sent = [each for each in traced.kept.spans if each.trace_id == caller.trace_id]
    job = await traced.job(job_id)
    assert seen(sent, "krkn-grpc-controller") == expected(job)


async def test_a_process_ends_in_time_while_the_receiver_hangs(traced: Traced) -> None:
    caller, target = caller_of(), await traced.rest.register()
    controller = traced.services.processes.child("controller")
    traced.kept.is_hanging = True
    try:
        job_id = await traced.run(caller, a_run(target, scenarioImage=IMAGE))
        await traced.rest.job_when(job_id, "Succeeded")
        # Killed, and so an error, if it is not gone by then.
        await controller.stop(8.0)
        assert controller.exit_code == 0
    finally:
        traced.kept.is_hanging = False
        await traced.services.processes.restart("controller")
