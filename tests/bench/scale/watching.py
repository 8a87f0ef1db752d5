"""How long a thousand changes take to reach every watcher, and what each message costs."""

import asyncio
import sys
import time

from deploy.local.services import REPOSITORY, SERVER
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bare import each
from tests.bench.bench import Bench
from tests.bench.row import Row
from tests.bench.scale.filling import Filling
from tests.bench.scale.processes import memory, processor_time
from tests.support.custom_objects import JOBS, Manifest, collection

GROUP = "watch"
CHANGES = 1_000
_WATCHERS = (1, 100, 500)
_WATCHED = 10
_SCENARIO = "watched"


async def measure(bench: Bench, filling: Filling) -> list[Row]:
    """Measure each number of watchers; the jobs that change are not started yet, and few."""
    jobs = [await filling.pending(_SCENARIO, number) for number in range(_WATCHED)]
    first = await _first_look(bench, len(filling.jobs))
    return [first, *[await _fan_out(bench, jobs, count) for count in _WATCHERS]]


async def _first_look(bench: Bench, jobs: int) -> Row:
    """Measure how long a new watcher waits until it knows all jobs there are."""
    began = time.perf_counter()
    watch = ScenarioRunServiceStub(bench.channel).WatchScenarioRuns(pb.WatchScenarioRunsRequest())
    async for message in watch:
        if message.type == "SYNCED":
            break
    took = time.perf_counter() - began
    watch.cancel()
    return Row(group=GROUP, name=f"{jobs:,} jobs: all of them", value=1000 * took, unit="ms")


async def _fan_out(bench: Bench, jobs: list[Manifest], count: int) -> Row:
    pid = bench.services.child(SERVER).pid
    address = bench.services.rest_url.removeprefix("http://")
    program = ["-m", "tests.bench.scale.watchers", address, _SCENARIO, str(count), str(CHANGES)]
    watchers = await asyncio.create_subprocess_exec(
        sys.executable, *program, cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE
    )
    assert watchers.stdout is not None
    assert (await watchers.stdout.readline()).strip() == b"synced"

    async def until_all_have_them() -> float:
        assert watchers.stdout is not None
        await each(jobs, lambda job: _change(bench, job, CHANGES // _WATCHED), _WATCHED)
        return float(await watchers.stdout.readline())

    began = time.monotonic()
    ended, processor = await processor_time(pid, until_all_have_them())
    await watchers.wait()
    messages = count * CHANGES
    return Row(
        group=GROUP,
        name=f"{CHANGES:,} changes to {count} watchers",
        value=ended - began,
        unit="s",
        note=f"{1e6 * processor / messages:.0f} us of the server's processor a message, "
        f"{messages / (ended - began):.0f} messages/s, server {memory(pid)[0]:.0f} MiB",
    )


async def _change(bench: Bench, job: Manifest, times: int) -> None:
    path = f"{collection(JOBS, bench.namespace)}/{job['metadata']['name']}"
    for number in range(times):
        status = {"phase": "Pending", "message": f"This is change number {number}."}
        changed = await bench.cluster.request("PUT", f"{path}/status", job | {"status": status})
        job["metadata"] = changed["metadata"]
