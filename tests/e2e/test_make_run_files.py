"""The files of `make run`: the space that they need, and what is kept for the next start."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from deploy.local.cluster import credentials
from deploy.local.cluster.api import Cluster
from deploy.local.processes.ports import free_port
from deploy.local.services import REPOSITORY
from tests.e2e.conftest import StartRun
from tests.support.make_run import Run, ask, target
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(180)


async def test_too_little_space_is_one_line_before_anything_starts(tmp_path: Path) -> None:
    (small := tmp_path / "small").mkdir()
    own = 'mount -t tmpfs -o size=8m none "$TMPDIR" && exec "$0" -m deploy.local'
    run = await asyncio.create_subprocess_exec(
        *("unshare", "--map-root-user", "--mount", "sh", "-c", own, sys.executable),
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "TMPDIR": str(small),
            "KRKN_REST_PORT": str(free_port()),
            "KRKN_GRPC_PORT": str(free_port()),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await run.communicate()
    assert said.decode() == (
        f"krkn-grpc cannot start: {small} has 8 MB free, and 320 MB are needed; "
        "make room, or set TMPDIR to another folder\n"
    )
    assert run.returncode == 1
    assert not (tmp_path / ".local").exists()


async def test_what_is_kept_is_there_at_the_next_start(start_run: StartRun, tmp_path: Path) -> None:
    run = start_run(KRKN_KEEP="1")
    await run.says("krkn-grpc runs")
    path = "/api/v1/operator/targets"
    async with aiohttp.ClientSession() as session:
        kubeconfig = run.local / "demo-target-1.kubeconfig"
        credential = kubeconfig.read_bytes()
        _, made = await ask(session, "POST", run.url(path), target("kept", kubeconfig))
        run.send(signal.SIGINT)
        assert await run.ended() == 0
        assert sorted(entry.name for entry in run.local.iterdir()) == [".in-use", "logs", "state"]
        first_log = (run.local / "logs" / "server.log").read_text()

        again = start_run(KRKN_KEEP="1")
        await again.says("krkn-grpc runs")
        _, kept = await ask(session, "GET", again.url(f"{path}/{made['uuid']}"))
        await has_logs(again, session, made["uuid"])
    assert kept["clusterName"] == "kept"
    # What the target was registered with is still good: address, certificate and token.
    registered = tmp_path / "registered.kubeconfig"
    registered.write_bytes(credential)
    async with Cluster(await credentials.of_kubeconfig(registered, tmp_path)) as cluster:
        pods = await cluster.request("GET", "/api/v1/namespaces/krkn-demo/pods")
    assert pods["kind"] == "PodList"
    assert (again.local / "logs" / "server.log").read_text().startswith(first_log)
    again.send(signal.SIGINT)
    assert await again.ended() == 0


async def has_logs(run: Run, session: aiohttp.ClientSession, target: str) -> None:
    """The log of a new scenario is that of its node, which is another process at each start."""
    jobs = run.url("/api/v1/scenarios/run")
    body = {
        "targetUUIDs": [target],
        "scenarioImage": "quay.io/krkn-chaos/krkn-hub:pod-scenarios",
        "scenarioName": "pod-scenarios",
    }
    _, asked = await ask(session, "POST", jobs, body)
    job = f"{jobs}/{asked['jobs'][0]['jobId']}"

    async def status() -> object:
        return (await ask(session, "GET", job))[1]["status"]

    await eventually(status, lambda seen: seen == "Succeeded")
    async with session.get(f"{job}/logs") as reply:
        assert reply.status == 200
        assert "the scenario ended with exit code 0" in await reply.text()
