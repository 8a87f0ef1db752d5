"""How long it takes from one RunScenario call until the last of its pods is bound to a node.

The bare loop makes the writes that a safe start needs, for 64 jobs at once.
"""

import time
from typing import Any

from deploy.local.services import CONTROLLER, SERVER
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bare import bare, each
from tests.bench.bare_start import BareStart, credential_of
from tests.bench.bench import Bench
from tests.bench.bound import bound
from tests.bench.clearing import clear
from tests.bench.example import Example, request
from tests.bench.row import Goal, Row
from tests.bench.turns import in_turn

GROUP = "start"
_COUNTS = (1, 100, 1000)
_MANY = 100
_AT_ONCE = 64
_GOAL = Goal(0.85, "at least")


async def measure(bench: Bench) -> list[Row]:
    """Measure each number of targets."""
    counts = [count for count in _COUNTS if count <= bench.most]
    target = (await bench.targets.first(max(counts)))[0]
    async with (
        bare(bench, bench.bare_namespace, SERVER) as server,
        bare(bench, bench.bare_namespace, CONTROLLER) as controller,
    ):
        loop = BareStart(
            server,
            controller,
            bench.bare_namespace,
            await Example.ask_for(bench, target),
            await credential_of(bench, target),
        )
        await _measure(bench, loop, min(_MANY, bench.most), rounds=1)  # warms up
        return [await _measure(bench, loop, count, bench.rounds) for count in counts]


async def _measure(bench: Bench, loop: BareStart, count: int, rounds: int) -> Row:
    asked = request(await bench.targets.first(count))
    service: Any = ScenarioRunServiceStub(bench.channel)

    async def by_service() -> float:
        async with bound(bench, bench.namespace) as pods:
            began = time.perf_counter()
            reply = await service.RunScenario(asked)
            assert reply.successful_jobs == count, reply
            return await pods.until(count) - began

    async def by_bare_loop() -> float:
        async with bound(bench, bench.bare_namespace) as pods:
            began = time.perf_counter()
            await each(range(count), loop.start, _AT_ONCE)
            return await pods.until(count) - began

    ways = {"ours": by_service, "bare loop": by_bare_loop}
    times = await in_turn(ways, rounds, lambda: clear(bench))
    plural = "job" if count == 1 else "jobs"
    goal = _GOAL if count >= _MANY else None
    return Row.of_times(GROUP, f"{count} {plural}", times["ours"], times["bare loop"], goal=goal)
