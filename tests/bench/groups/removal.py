"""How long it takes to delete all finished jobs of one request, until the last is gone.

Before a job goes, it is noted what a repeated call must know. The bare loop deletes jobs like them,
which never ran, lifts their finalizers, and notes nothing. The pods are gone before: Kubernetes
removes those of deleted jobs, which is in neither figure.
"""

import time
import uuid
from dataclasses import dataclass
from typing import Any

from deploy.local.services import CONTROLLER, SERVER
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bare import Bare, bare, each
from tests.bench.bench import Bench
from tests.bench.clearing import clear, clear_pods
from tests.bench.ended import until_ended
from tests.bench.example import SHORT_IMAGE, Example, request
from tests.bench.row import Row
from tests.bench.turns import Way, in_turn
from tests.support.custom_objects import JOBS, MERGE, collection
from tests.support.waiting import eventually

GROUP = "removal"
_COUNTS = (100, 1000)
_AT_ONCE = 64
_LONGEST_SECONDS = 300.0
_FREE = b'{"metadata":{"finalizers":null}}'


async def measure(bench: Bench) -> list[Row]:
    """Measure each number of jobs."""
    counts = [count for count in _COUNTS if count <= bench.most]
    target = (await bench.targets.first(max(counts)))[0]
    async with (
        bare(bench, bench.namespace, CONTROLLER) as controller,
        bare(bench, bench.bare_namespace, SERVER) as bare_server,
        bare(bench, bench.bare_namespace, CONTROLLER) as bare_controller,
    ):
        loop = _BareRemoval(
            bare_server,
            bare_controller,
            collection(JOBS, bench.bare_namespace),
            await Example.ask_for(bench, target),
        )
        return [await _measure(bench, controller, loop, count) for count in counts]


@dataclass(frozen=True)
class _BareRemoval:
    server: Bare
    controller: Bare
    path: str
    example: Example

    async def create(self, job: str) -> None:
        await self.server.write("POST", self.path, self.example.copy(job))

    async def remove(self, job: str) -> None:
        await self.controller.write("DELETE", f"{self.path}/{job}", b"{}")
        await self.controller.write("PATCH", f"{self.path}/{job}", _FREE, MERGE)


async def _measure(bench: Bench, controller: Bare, loop: _BareRemoval, count: int) -> Row:
    async def by_service() -> float:
        path = collection(JOBS, bench.namespace)
        jobs = await _finished(bench, count)
        began = time.perf_counter()
        await each(jobs, lambda job: controller.write("DELETE", f"{path}/{job}", b"{}"), _AT_ONCE)
        await eventually(
            lambda: bench.cluster.request("GET", path, limit="1"),
            lambda left: not left["items"],
            seconds=_LONGEST_SECONDS,
        )
        return time.perf_counter() - began

    async def by_loop() -> float:
        jobs = [str(uuid.uuid4()) for _ in range(count)]
        await each(jobs, loop.create, _AT_ONCE)
        await bench.quiet()
        began = time.perf_counter()
        await each(jobs, loop.remove, _AT_ONCE)
        return time.perf_counter() - began

    ways: dict[str, Way] = {"ours": by_service, "bare": by_loop}
    times = await in_turn(ways, bench.rounds, lambda: clear(bench))
    return Row.of_times(
        GROUP, f"{count} jobs", times["ours"], times["bare"], series="jobs", count=count
    )


async def _finished(bench: Bench, count: int) -> list[str]:
    """Run one request to its end, and remove its pods; return its jobs."""
    service: Any = ScenarioRunServiceStub(bench.channel)
    asked = request(await bench.targets.first(count), SHORT_IMAGE)
    asked.request_id = str(uuid.uuid4())
    reply = await service.RunScenario(asked)
    jobs = [job.job_id for job in reply.jobs]
    await until_ended(bench, jobs)
    await clear_pods(bench)
    return jobs
