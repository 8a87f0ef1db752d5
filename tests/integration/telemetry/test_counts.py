"""What the counters of real processes tell after real calls, jobs and failures."""

import asyncio
import re
import uuid
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from deploy.local.processes.ports import free_port
from krkn_grpc.resources.names import CONTROLLER_LEASE
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.conftest import StartServices
from tests.integration.auth.callers import make_callers
from tests.integration.auth.calls import call
from tests.support.controllers import controller
from tests.support.halts import halt, lift
from tests.support.requests import IMAGE, canary, token_target
from tests.support.running import CLUSTER_WIDE, Running, Wanted, make_namespace, running
from tests.support.runs import Runs
from tests.support.scrape import Scrape, scrape
from tests.support.target_client import Targets
from tests.support.waiting import eventually

HANDLED = "grpc_server_handled_total"
LATE = "DeadlineExceeded"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MOST_SERIES = 1_500
JOBS = 200
KIND = "KrknChaosJob"


def is_synced(told: Scrape) -> bool:
    """Whether the cache of jobs follows the API server."""
    return told.of("krkn_cache_synced", kind=KIND) == 1


def unanswered(told: Scrape) -> float:
    """How many requests got no answer."""
    return told.of("rest_client_requests_total", code="<error>")


async def test_each_call_is_counted_by_its_code(services: Running) -> None:
    runs, targets = Runs(services.channel), Targets(services.channel)
    target = await targets.create()
    await runs.list()
    with pytest.raises(grpc.aio.AioRpcError):
        await runs.job(str(uuid.uuid4()))
    with pytest.raises(grpc.aio.AioRpcError):
        await targets.create(token_target(clusterName=""))
    unknown: object = services.channel.unary_unary(f"/krkn.v1.{canary()}/Do")
    with pytest.raises(grpc.aio.AioRpcError):
        await unknown(b"")  # type: ignore[operator]
    async with runs.watch() as watch:
        await watch.synced()

    async def after_a_late_call() -> Scrape:
        late = runs.stub.WatchScenarioRuns(pb.WatchScenarioRunsRequest(), timeout=2)
        with pytest.raises(grpc.aio.AioRpcError):
            async for _ in late:
                pass
        return await scrape(services, "server")

    async def seen() -> Scrape:
        return await scrape(services, "server")

    ended = {"grpc_service": "krkn.v1.ScenarioRunService", "grpc_method": "WatchScenarioRuns"}
    # On a busy machine the caller's own end may come much before that of the server.
    await eventually(after_a_late_call, lambda s: s.of(HANDLED, **ended, grpc_code=LATE))
    # A server learns a moment later that its caller has gone.
    told = await eventually(seen, lambda s: s.of("krkn_calls_open") == 0)
    run = {"grpc_service": "krkn.v1.ScenarioRunService", "grpc_type": "unary"}
    register = {"grpc_service": "krkn.v1.TargetService", "grpc_method": "CreateTarget"}
    assert told.of(HANDLED, **run, grpc_method="ListScenarioRuns", grpc_code="OK") == 1
    assert told.of(HANDLED, **run, grpc_method="GetScenarioRunStatus", grpc_code="NotFound") == 1
    assert told.of(HANDLED, **register, grpc_code="OK") == 1
    assert told.of(HANDLED, **register, grpc_code="InvalidArgument") == 1
    assert told.of(HANDLED, grpc_service="other", grpc_code="Unimplemented") == 1
    assert told.of(HANDLED, **ended, grpc_code="Canceled", grpc_type="server_stream") >= 1
    assert told.of("grpc_server_started_total", **register) == 2
    assert told.of("grpc_server_handling_seconds_count", **register) == 2
    assert told.of("rest_client_requests_total", code="201", resource="krknoperatortargets") == 1
    assert told.of("rest_client_request_duration_seconds_count", verb="POST") >= 1
    assert told.of("krkn_cache_synced", kind="KrknChaosJob") == 1
    assert told.of("krkn_cache_objects", kind="KrknOperatorTarget") == 1
    assert "canary" not in told.text
    assert target not in told.text


async def test_a_job_is_counted_from_its_start_to_its_end(services: Running) -> None:
    runs, targets = Runs(services.channel), Targets(services.channel)
    target = await targets.create()
    [good] = await runs.run(target)
    [bad] = await runs.run(target, scenarioImage=f"{IMAGE}-exit-3")
    [stopped] = await runs.run(target, scenarioImage=f"{IMAGE}-lasts-60s")
    await runs.when(stopped, "Running")
    running_now = await eventually(
        lambda: scrape(services, "controller"), lambda s: s.of("krkn_jobs", phase="Running") >= 1
    )
    assert running_now.of("leader_election_master_status", name=CONTROLLER_LEASE) == 1
    await runs.stop(stopped)
    ends = [(await runs.when(each)).status for each in (good, bad, stopped)]
    assert ends == ["Succeeded", "Failed", "Stopped"]

    told = await eventually(
        lambda: scrape(services, "controller"), lambda s: s.of("krkn_jobs_finished_total") == 3
    )
    finished = "krkn_jobs_finished_total"
    assert told.of(finished, phase="Succeeded", reason="Completed") == 1
    assert told.of(finished, phase="Failed", reason="HealthCheckFailed") == 1
    assert told.of(finished, phase="Stopped", reason="StopRequested") == 1
    assert told.of("krkn_job_start_delay_seconds_count") == 3
    assert told.of("krkn_job_duration_seconds_count") == 3
    assert told.of("krkn_job_duration_seconds_count", phase="Succeeded") == 1
    assert await eventually(
        lambda: scrape(services, "controller"),
        lambda s: [s.of("krkn_jobs", phase=each) for each in ends] == [1, 1, 1],
    )
    assert told.of("workqueue_adds_total", name="jobs") >= 3
    assert told.of("controller_runtime_reconcile_total", controller="jobs", result="success") >= 3
    assert told.of("controller_runtime_max_concurrent_reconciles", controller="jobs") == 64
    assert told.of("krkn_targets") == 1
    assert told.of("krkn_target_probe_seconds_count", result="Unreachable") >= 1
    assert told.of("krkn_provider_heartbeat_timestamp_seconds") > 0
    assert told.of("krkn_leader_transitions_total") == 1


async def test_what_waits_and_what_holds_it_up_is_counted(services: Running) -> None:
    runs, targets = Runs(services.channel), Targets(services.channel)
    target = await targets.create()
    [stuck] = await runs.run(target, scenarioImage=f"{IMAGE}-image-pull-error")

    async def told() -> Scrape:
        return await scrape(services, "controller")

    pending = "krkn_jobs_pending"
    await eventually(told, lambda seen: seen.of(pending, reason="ErrImagePull") == 1)
    made = await halt(services.cluster, services.namespace)
    await eventually(told, lambda seen: seen.of("krkn_orders", kind="KrknChaosHalt") == 1)
    assert (await runs.when(stuck)).status == "Stopped"
    await lift(services.cluster, made)
    seen = await eventually(told, lambda seen: seen.of("krkn_orders") == 0)
    assert seen.of(pending) == 0


async def test_the_number_of_series_does_not_grow_with_what_callers_send(
    services: Running,
) -> None:
    runs, targets = Runs(services.channel), Targets(services.channel)
    secrets = [canary() for _ in range(3)]
    uuids = await asyncio.gather(*(targets.create(token=secrets[0]) for _ in range(4)))

    # All at once would be too much for a slow machine, and a call waits 15 s at most.
    places = asyncio.Semaphore(10)

    async def a_run(number: int) -> list[str]:
        async with places:
            return await runs.run(
                *uuids,
                scenarioName=f"scenario-{uuid.uuid4().hex[:8]}",
                scenarioImage=f"registry-{number}.example/{uuid.uuid4().hex}:{number}",
                labels={f"label-{number}": f"value-{number}"},
                secretEnvironment={f"VARIABLE_{number}": secrets[1]},
                environment={f"OTHER_{number}": secrets[2]},
            )

    started = await asyncio.gather(*(a_run(number) for number in range(JOBS // len(uuids))))
    for job in (job for jobs in started for job in jobs):
        assert (await runs.when(job)).status == "Succeeded"
    for process in ("server", "controller", "envoy"):
        told = await scrape(services, process)
        assert len(told.samples) < MOST_SERIES, process
        assert not UUID.search(told.text), process
        assert not any(secret in told.text for secret in secrets), process
        assert "scenario-" not in told.text
    finished = "krkn_jobs_finished_total"
    await eventually(
        lambda: scrape(services, "controller"),
        lambda told: told.of(finished, phase="Succeeded") == JOBS,
    )
    # The Events of their starts would have slowed them down.
    path = f"/apis/events.k8s.io/v1/namespaces/{services.namespace}/events"
    events = (await services.cluster.request("GET", path))["items"]
    assert sum(each["reason"] == "Started" for each in events) < JOBS / 4


async def test_the_metrics_of_controllers_say_which_one_leads(
    services: Running, control_plane: ControlPlane, tmp_path: Path
) -> None:
    port = free_port()
    settings = {"controller_metrics_port": port, "lease_seconds": 60}
    name = "leader_election_master_status"
    url = f"http://127.0.0.1:{port}/metrics"
    async with controller(
        control_plane.cluster,
        services.namespace,
        tmp_path,
        settings,
    ) as standby:
        await standby.start()
        assert (await scrape(services, "controller")).of(name, name=CONTROLLER_LEASE) == 1
        told = await Scrape.at(url)
        assert told.has(name, name=CONTROLLER_LEASE)
        assert told.of(name) == 0
        await services.processes.child("controller").stop(10.0)
        await eventually(lambda: Scrape.at(url), lambda s: s.of(name, name=CONTROLLER_LEASE) == 1)


async def test_who_may_call_is_counted(
    start_services: StartServices, control_plane: ControlPlane
) -> None:
    started = await start_services(
        Wanted(controller=False, envoy=False, environment={"KRKN_AUTH": "kubernetes"})
    )
    callers = await make_callers(control_plane, started.namespace)
    assert (await call(started.channel, "ListTargets")).code is grpc.StatusCode.UNAUTHENTICATED
    runner = await callers.metadata("runner")
    for _ in range(3):
        assert (await call(started.channel, "ListTargets", runner)).code is grpc.StatusCode.OK
    invalid = (("authorization", f"Bearer {canary()}"),)
    for _ in range(2):
        refused = await call(started.channel, "ListTargets", invalid)
        assert refused.code is grpc.StatusCode.UNAUTHENTICATED
    told = await scrape(started, "server")
    assert told.of(HANDLED, grpc_code="Unauthenticated", grpc_method="ListTargets") == 3
    assert told.of("krkn_review_cache_total", kind="TokenReview", result="miss") == 2
    assert told.of("krkn_review_cache_total", kind="TokenReview", result="hit") == 3
    assert "canary" not in told.text
    assert told.of("krkn_review_seconds_count", kind="SubjectAccessReview") == 1
    assert told.of("rest_client_requests_total", code="201", resource="tokenreviews") == 2


async def test_an_api_server_that_is_away_shows(binaries: Binaries, tmp_path: Path) -> None:
    name, wanted = f"test-{uuid.uuid4().hex[:8]}", Wanted(envoy=False)
    async with ControlPlane(binaries, only_api_server=True, crds=CLUSTER_WIDE) as alone:
        await make_namespace(alone.cluster, name)
        async with running(alone.cluster, name, tmp_path, wanted) as started:

            async def when(process: str, accept: Callable[[Scrape], object]) -> Scrape:
                return await eventually(lambda: scrape(started, process), accept)

            for process in ("server", "controller"):
                await when(process, is_synced)
            await alone.kill("kube-apiserver")
            for process in ("server", "controller"):
                told = await when(process, lambda s: not is_synced(s) and unanswered(s))
                assert told.of("krkn_watch_restarts_total", kind=KIND, reason="error") > 0
                assert told.of("krkn_cache_objects", kind=KIND) == 0
            await alone.start("kube-apiserver")
            for process in ("server", "controller"):
                await when(process, is_synced)
