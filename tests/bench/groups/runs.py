"""What a limit of a run costs the controller: jobs that wait for their turn, and those that do not.

A controller that starts one job after the other uses more for each than one that starts many at
once: it wakes up for every answer. So the limited run stands beside the same jobs by as many calls,
ten at a time, and beside all of them at once. What the controller does all the time counts with
the first two, which last longer.
"""

from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

from deploy.local.services import CONTROLLER
from krkn_grpc.resources.chaos_job import FINAL_PHASES
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench import processor
from tests.bench.bare import each
from tests.bench.bench import Bench
from tests.bench.clearing import clear
from tests.bench.ended import until_ended
from tests.bench.example import SHORT_IMAGE, request
from tests.bench.row import Goal, Row
from tests.support.custom_objects import JOBS
from tests.support.object_watch import ObjectWatch

GROUP = "runs"
_JOBS = 1000
_AT_ONCE = 10
_GOAL = Goal(1.0, "at least")
_SECONDS = 60.0

Way = Callable[[list[str]], Awaitable[list[str]]]
"""Runs a scenario on these targets; returns the ids of its jobs."""


async def measure(bench: Bench) -> list[Row]:
    """Measure a run over many targets, limited and in the other ways, in turn."""
    targets = await bench.targets.first(min(_JOBS, bench.most))
    service: Any = ScenarioRunServiceStub(bench.channel)

    async def limited(targets: list[str], at_once: int = _AT_ONCE) -> list[str]:
        asked = request(targets, SHORT_IMAGE)
        asked.max_parallel = at_once
        reply = await service.RunScenario(asked)
        assert reply.successful_jobs == len(targets), reply
        return [job.job_id for job in reply.jobs]

    async def unlimited(targets: list[str]) -> list[str]:
        return await limited(targets, at_once=0)

    async def one_by_one(targets: list[str]) -> list[str]:
        ids: list[str] = []
        kubeconfig = bench.control_plane.admin_kubeconfig
        async with ObjectWatch(kubeconfig, bench.namespace, [JOBS]) as watch:

            async def run(target: str) -> None:
                (job,) = await limited([target], at_once=0)
                await watch.until("over", lambda: _is_over(watch, job), seconds=_SECONDS)
                ids.append(job)

            await each(targets, run, _AT_ONCE)
        return ids

    ways: list[Way] = [limited, one_by_one, unlimited]
    rounds = [
        [await _spent(bench, targets, way) for way in ways] for _ in range(min(bench.rounds, 2))
    ]
    await clear(bench)
    ours, calls, free = (list(way) for way in zip(*rounds, strict=True))
    name = f"controller, {len(targets)} jobs, {_AT_ONCE} at once"
    return [
        _row(name, ours, calls, "beside: as many calls, ten at a time", _GOAL),
        _row(f"{name}, too", ours, free, "beside: all at once", None),
    ]


def _row(name: str, ours: list[float], others: list[float], note: str, goal: Goal | None) -> Row:
    return Row(
        group=GROUP,
        name=name,
        value=median(ours),
        unit="ms a job",
        bare=median(others),
        ratio=median(other / our for our, other in zip(ours, others, strict=True)),
        goal=goal,
        rounds=ours,
        bare_rounds=others,
        note=note,
    )


async def _spent(bench: Bench, targets: list[str], way: Way) -> float:
    """Return the controller's milliseconds for a job, from the call until all have ended."""
    await clear(bench)
    before = processor.used(bench)
    await until_ended(bench, await way(targets))
    return processor.between(before, processor.used(bench), len(targets))[CONTROLLER]


def _is_over(watch: ObjectWatch, job: str) -> bool:
    status = (watch.latest(JOBS, job) or {}).get("status", {})
    return status.get("phase") in FINAL_PHASES
