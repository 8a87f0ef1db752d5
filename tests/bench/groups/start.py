"""How long it takes from one RunScenario call until the last of its pods is bound to a node.

The bare loop makes the writes that a safe start needs, for 64 jobs at once: once as anybody would,
and once asking the API server for as little as we do.
"""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from deploy.local.services import CONTROLLER, SERVER
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bare import bare, each
from tests.bench.bare_start import BareStart, LeanStart, credential_of
from tests.bench.bench import Bench
from tests.bench.bound import bound
from tests.bench.clearing import clear
from tests.bench.example import Example, request
from tests.bench.row import Goal, Row
from tests.bench.turns import Way, in_turn, rounds_over

GROUP = "start"
_COUNTS = (1, 100, 1000)
_MANY = 100
_AT_ONCE = 64
_PLAIN, _LEAN = "bare loop", "lean bare loop"
_GOAL = Goal(0.85, "at least")


async def measure(bench: Bench) -> list[Row]:
    """Measure each number of targets."""
    counts = [count for count in _COUNTS if count <= bench.most]
    target = (await bench.targets.first(max(counts)))[0]
    async with (
        bare(bench, bench.bare_namespace, SERVER) as server,
        bare(bench, bench.bare_namespace, CONTROLLER) as controller,
    ):
        example = await Example.ask_for(bench, target)
        credential = await credential_of(bench, target)
        loops = {
            name: kind(server, controller, bench.bare_namespace, example, credential)
            for name, kind in {_PLAIN: BareStart, _LEAN: LeanStart}.items()
        }
        await _measure(bench, loops, min(_MANY, bench.most), rounds=1)  # warms up
        measured = [
            await _measure(bench, loops, count, rounds_over(count, bench.rounds))
            for count in counts
        ]
        return [row for rows in measured for row in rows]


async def _measure(
    bench: Bench, loops: Mapping[str, BareStart], count: int, rounds: int
) -> list[Row]:
    asked = request(await bench.targets.first(count))
    service: Any = ScenarioRunServiceStub(bench.channel)

    async def by_service() -> float:
        async with bound(bench, bench.namespace) as pods:
            began = time.perf_counter()
            reply = await service.RunScenario(asked)
            assert reply.successful_jobs == count, reply
            return await pods.until(count) - began

    async def by(loop: BareStart) -> float:
        async with bound(bench, bench.bare_namespace) as pods:
            began = time.perf_counter()
            await each(range(count), loop.start, _AT_ONCE)
            return await pods.until(count) - began

    ways: dict[str, Way] = {name: partial(by, loop) for name, loop in loops.items()}
    times = await in_turn({"ours": by_service} | ways, rounds, lambda: clear(bench))
    jobs = f"{count} {'job' if count == 1 else 'jobs'}"
    goal = _GOAL if count >= _MANY else None
    return [
        Row.of_times(
            GROUP, jobs, times["ours"], times[_PLAIN], goal=goal, series="jobs", count=count
        ),
        Row.of_times(GROUP, f"{jobs}, lean bare loop", times["ours"], times[_LEAN]),
    ]
