"""Very many jobs at once: all end, within bounds of memory and connections, and all go."""

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.faults.conftest import ALL
from tests.integration.runs.conftest import Site, a_site
from tests.support.connections import memory, open_connections
from tests.support.custom_objects import JOBS, collection
from tests.support.requests import IMAGE, canary
from tests.support.run_calls import FINAL
from tests.support.running import Wanted
from tests.support.waiting import eventually

COUNT = 2_000 if ALL else 160
TARGETS = 20
SECONDS = 600.0 if ALL else 200.0
# What 300 jobs use is a fifth of it; what grows with each job and never shrinks is more.
MOST_MEMORY = 600 * 1024 * 1024
# One pool of 128 for calls; a watch for each kind, and what is being closed.
MOST_CONNECTIONS = 144


@pytest_asyncio.fixture
async def own_site(control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Site]:
    wanted = Wanted(envoy=False, environment={"KRKN_SWEEP_SECONDS": "2"})
    async with a_site(control_plane, tmp_path, wanted) as site:
        yield site


@dataclass
class Peaks:
    """The most that each process has used at any time that was looked."""

    site: Site
    memory: Counter[str] = field(default_factory=Counter)
    connections: Counter[str] = field(default_factory=Counter)

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look, again and again, until the context is left."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.wait([looking])
        self.assert_bounded()

    async def _look(self) -> None:
        while True:
            for child in self.site.servers[0].processes.children:
                port = self.site.control_plane.port
                used = memory(child.pid)
                opened = open_connections(child.pid, port)
                self.memory[child.name] = max(self.memory[child.name], used)
                self.connections[child.name] = max(self.connections[child.name], opened)
            await asyncio.sleep(0.2)

    def assert_bounded(self) -> None:
        """Assert that no process used more than it may."""
        assert set(self.memory) == {"server", "controller"}
        assert max(self.memory.values()) < MOST_MEMORY, self.memory
        assert max(self.connections.values()) <= MOST_CONNECTIONS, self.connections
        assert min(self.connections.values()) > 1, "the connections were not seen"


@pytest.mark.timeout(2 * SECONDS)
async def test_very_many_jobs_at_once(own_site: Site) -> None:
    targets = await own_site.some_targets(TARGETS)
    namespace = own_site.namespace
    async with Peaks(own_site).watched(), own_site.runs.watch() as watcher:
        await watcher.synced()
        calls = [_run(own_site, targets) for _ in range(COUNT // TARGETS)]
        job_ids = [job_id for some in await asyncio.gather(*calls) for job_id in some]
        assert len(set(job_ids)) == COUNT

        async with asyncio.timeout(SECONDS):
            left = set(job_ids)
            while left:
                message = await watcher.next()
                if message.job.status in FINAL:
                    left.discard(message.job.job_id)
        ended = Counter((job.status, job.exit_code) for job in watcher.jobs.values())
        assert ended == {("Succeeded", 0): COUNT}
        pods = await own_site.cluster.request("GET", f"/api/v1/namespaces/{namespace}/pods")
        assert len({pod["metadata"]["name"] for pod in pods["items"]}) == COUNT

        await own_site.cluster.request("DELETE", collection(JOBS, namespace))
        async with asyncio.timeout(SECONDS):
            while watcher.jobs:
                await watcher.next()
    assert await own_site.runs.list() == []
    for kind in ("pods", "secrets"):
        await eventually(partial(_of_jobs, own_site, kind), lambda left: not left, seconds=SECONDS)


async def _run(site: Site, targets: list[str]) -> list[str]:
    """Run on all targets; what a busy machine did not do in time is asked for again."""
    asked: dict[str, Any] = {
        "requestId": str(uuid.uuid4()),
        "scenarioImage": f"{IMAGE}-lasts-0s",
        "secretEnvironment": {"S": canary()},
    }
    while True:
        with contextlib.suppress(grpc.aio.AioRpcError):
            reply = await site.runs.ask(*targets, **asked)
            if reply.failed_jobs == 0:
                return [job.job_id for job in reply.jobs]
        await asyncio.sleep(1)


async def _of_jobs(site: Site, kind: str) -> list[str]:
    listed = await site.cluster.request(
        "GET", f"/api/v1/namespaces/{site.namespace}/{kind}", labelSelector="krkn-job-id"
    )
    return [item["metadata"]["name"] for item in listed["items"]]
