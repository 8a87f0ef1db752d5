"""`make run` as a person meets it: it says where things are, heals, and leaves nothing."""

import asyncio
import os
import re
import signal
import sys
import uuid
from typing import Any

import aiohttp
import pytest
import yaml

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.processes.ports import LOOPBACK
from deploy.local.services import REPOSITORY
from tests.e2e.conftest import StartRun
from tests.support.make_run import Run, ask, target
from tests.support.scrape import Scrape
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(180)

PARTS = ("-m krkn_grpc.server", "-m controller", "envoy.yaml", "kube-apiserver --", "etcd --")


async def takes_load(run: Run, session: aiohttp.ClientSession) -> None:
    """`make load` runs jobs on the demo clusters, and removes what it registered."""

    async def listed(path: str, kind: str) -> list[dict[str, Any]]:
        _, answer = await ask(session, "GET", run.url(path))
        found: list[dict[str, Any]] = answer[kind]
        return found

    targets = await listed("/api/v1/operator/targets", "targets")
    before = len(await listed("/api/v1/scenarios/run", "jobs"))
    load = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.load", "1"),
        cwd=run.local.parent,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "KRKN_REST_PORT": str(run.rest_port)},
    )
    assert await load.wait() == 0
    assert len(await listed("/api/v1/scenarios/run", "jobs")) > before
    left = await listed("/api/v1/operator/targets", "targets")
    assert {each["uuid"] for each in left} == {each["uuid"] for each in targets}


async def is_observed(run: Run) -> None:
    """Prometheus, where the output says it is, scrapes all processes by rules that work."""
    [url] = re.findall(r"Prometheus (http://\S+)", run.output)

    async def asked(path: str) -> Any:
        async with aiohttp.ClientSession() as session:
            _, answer = await ask(session, "GET", f"{url}/api/v1/{path}")
            return answer["data"]

    async def up() -> set[str]:
        result = (await asked("query?query=up==1"))["result"]
        return {series["metric"]["container"] for series in result}

    await eventually(up, lambda seen: seen == {"server", "controller", "envoy"})

    async def health() -> set[str]:
        groups = (await asked("rules"))["groups"]
        return {rule["health"] for group in groups for rule in group["rules"]}

    await eventually(health, lambda seen: seen == {"ok"})


@pytest.mark.usefixtures("programs_of_prometheus")
async def test_from_nothing_to_finished_pods_and_back_to_nothing(start_run: StartRun) -> None:
    run = start_run(KRKN_OBSERVE="1")
    await run.says("krkn-grpc runs")
    await is_observed(run)

    shown = re.findall(r"(http://\S+) \((server|controller|envoy)\)$", run.output, re.MULTILINE)
    assert [process for _, process in shown] == ["server", "controller", "envoy"]
    for url, _ in shown:
        assert (await Scrape.at(url)).samples

    kubeconfigs = sorted(run.local.glob("demo-target-*.kubeconfig"))
    loaded = [yaml.safe_load(kubeconfig.read_text()) for kubeconfig in kubeconfigs]
    servers = {kubeconfig["clusters"][0]["cluster"]["server"] for kubeconfig in loaded}
    assert len(servers) == len(kubeconfigs) == 3

    async with aiohttp.ClientSession() as session:
        uuids = []
        for number, kubeconfig in enumerate(kubeconfigs, 1):
            body = target(f"demo-{number}", kubeconfig)
            status, created = await ask(session, "POST", run.url("/api/v1/operator/targets"), body)
            assert status == 201, created
            uuids.append(created["uuid"])

        unknown = str(uuid.uuid4())
        request = {
            "targetUUIDs": [*uuids[:2], unknown],
            "scenarioImage": "quay.io/krkn-chaos/krkn-hub:pod-scenarios",
            "scenarioName": "pod-scenarios",
        }
        status, answer = await ask(session, "POST", run.url("/api/v1/scenarios/run"), request)
        assert status == 201, answer
        assert (answer["totalTargets"], answer["successfulJobs"]) == (3, 2)
        assert answer["jobs"][2]["error"]

        async def phases() -> list[str]:
            _, listed = await ask(session, "GET", run.url("/api/v1/scenarios/run"))
            return [job["status"] for job in listed["jobs"]]

        await eventually(phases, lambda seen: seen == ["Succeeded"] * 2)
        await takes_load(run, session)

    run.send(signal.SIGINT)
    assert await run.ended() == 0
    assert await run.processes() == {}
    assert not run.local.exists()
    assert list(run.temporary.iterdir()) == []


async def test_what_dies_is_started_again(start_run: StartRun) -> None:
    run = start_run()
    await run.says("krkn-grpc runs")
    for part in PARTS:
        before = await run.processes()
        pids = [pid for line, pid in before.items() if part in line]
        assert len(pids) == 1, (part, before)
        os.kill(pids[0], signal.SIGKILL)
        await eventually(
            run.processes,
            lambda now, part=part, pids=pids: any(  # type: ignore[misc]
                part in line and pid not in pids for line, pid in now.items()
            ),
        )
        async with aiohttp.ClientSession() as session:
            await eventually(lambda s=session: _healthy(s, run), seconds=60)  # type: ignore[misc]
    assert run.output.count("starting it again now") >= 5
    await page_is_let_in(run)

    run.send(signal.SIGTERM)
    assert await run.ended() == 0
    assert await run.processes() == {}


async def page_is_let_in(run: Run) -> None:
    """The page is where the output says, and the key in its address is the one that counts."""
    [(origin, key)] = re.findall(r"the page   (http://\S+)/#token=(\S+)$", run.output, re.MULTILINE)
    own = {"Origin": origin, "Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{origin}/") as reply:
            assert (reply.status, reply.content_type) == (200, "text/html")
        for headers, status in ((own, 400), (own | {"Authorization": "Bearer x"}, 401)):
            url = run.url("/api/v1/halts")
            async with session.post(url, json={"reason": ""}, headers=headers) as reply:
                assert reply.status == status
    for log in (run.local / "logs").iterdir():
        assert key not in log.read_text()


async def _healthy(session: aiohttp.ClientSession, run: Run) -> bool:
    try:
        return (await ask(session, "GET", run.url("/api/v1/health")))[0] == 200
    except (aiohttp.ClientError, ValueError):
        return False


async def test_nothing_outlives_a_starter_that_is_killed(start_run: StartRun) -> None:
    run = start_run()
    await run.says("krkn-grpc runs")
    running = await run.processes()
    assert all(any(part in line for line in running) for part in PARTS), running
    run.send(signal.SIGKILL)
    await run.ended()
    await eventually(run.processes, lambda seen: not seen)

    # What it could not remove is no obstacle for the next start.
    again = start_run()
    await again.says("krkn-grpc runs")
    again.send(signal.SIGTERM)
    assert await again.ended() == 0
    assert not again.local.exists()
    assert list(again.temporary.iterdir()) == []


async def test_a_stop_during_the_start_leaves_nothing(start_run: StartRun) -> None:
    run = start_run()
    await run.says("starting the local control plane")
    await eventually(run.processes)
    run.send(signal.SIGTERM)
    assert await run.ended() == 0
    assert await run.processes() == {}
    assert not run.local.exists()
    assert list(run.temporary.iterdir()) == []


@pytest.mark.parametrize("setting", ["KRKN_REST_PORT", "KRKN_GRPC_PORT", "KRKN_PROMETHEUS_PORT"])
async def test_a_taken_port_is_one_line_before_anything_starts(
    start_run: StartRun, setting: str
) -> None:
    listener = await asyncio.start_server(lambda _r, w: w.close(), LOOPBACK, 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        run = start_run(KRKN_OBSERVE="1", **{setting: str(port)})
        assert await run.ended() == 1
    assert run.output == (
        f"krkn-grpc cannot start: port {port} is taken; set {setting} to another one\n"
    )
    assert not run.local.exists()


async def test_one_run_at_a_time_from_one_folder(start_run: StartRun) -> None:
    first = start_run()
    await first.says("starting the local control plane")
    second = start_run()
    assert await second.ended() == 1
    assert second.output.count("\n") == 1
    assert "runs already" in second.output
    assert first.local.exists()


async def test_a_given_cluster_is_used_and_nothing_is_built(
    start_run: StartRun, control_plane: ControlPlane
) -> None:
    name = f"given-{uuid.uuid4().hex[:8]}"
    run = start_run(
        KRKN_KUBECONFIG=str(control_plane.admin_kubeconfig),
        KRKN_NAMESPACE=name,
        XDG_CACHE_HOME="/no/such/cache",
    )
    await run.says("krkn-grpc runs")
    lines = await run.processes()
    assert len(lines) == 3, lines
    async with aiohttp.ClientSession() as session:
        assert await _healthy(session, run)
    run.send(signal.SIGTERM)
    assert await run.ended() == 0
    await control_plane.cluster.request("DELETE", f"/api/v1/namespaces/{name}")
