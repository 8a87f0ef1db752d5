"""What a limit of a run costs the controller: jobs that wait for their turn, and those that do not.

The limited run lasts longer, and what the controller does all the time counts with it.
"""

from statistics import median
from typing import Any

from deploy.local.services import CONTROLLER
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench import processor
from tests.bench.bench import Bench
from tests.bench.clearing import clear
from tests.bench.ended import until_ended
from tests.bench.example import SHORT_IMAGE, request
from tests.bench.row import Goal, Row

GROUP = "runs"
_JOBS = 1000
_AT_ONCE = 10
_GOAL = Goal(1.0, "at least")


async def measure(bench: Bench) -> list[Row]:
    """Measure a run over many targets with and without maxParallel, in turn."""
    jobs = min(_JOBS, bench.most)
    rounds = [
        (await _spent(bench, jobs, 0), await _spent(bench, jobs, _AT_ONCE))
        for _ in range(min(bench.rounds, 2))
    ]
    await clear(bench)
    free, limited = (list(each) for each in zip(*rounds, strict=True))
    return [
        Row(
            group=GROUP,
            name=f"controller, {jobs} jobs, {_AT_ONCE} at once",
            value=median(limited),
            unit="ms a job",
            bare=median(free),
            ratio=median(one / other for one, other in rounds),
            goal=_GOAL,
            rounds=limited,
            bare_rounds=free,
            note="beside: without a limit",
        )
    ]


async def _spent(bench: Bench, jobs: int, at_once: int) -> float:
    """Return the controller's milliseconds for a job, from the call until all have ended."""
    service: Any = ScenarioRunServiceStub(bench.channel)
    asked = request(await bench.targets.first(jobs), SHORT_IMAGE)
    asked.max_parallel = at_once
    await clear(bench)
    before = processor.used(bench)
    reply = await service.RunScenario(asked)
    assert reply.successful_jobs == jobs, reply
    await until_ended(bench, [job.job_id for job in reply.jobs])
    return processor.between(before, processor.used(bench), jobs)[CONTROLLER]
