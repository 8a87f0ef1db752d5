"""The limits of a run hold while controllers are killed, frozen and replaced."""

import asyncio
import itertools
import random
from pathlib import Path

import pytest

from deploy.local.cluster.control_plane import ControlPlane
from tests.faults.conftest import ALL
from tests.integration.jobs.conftest import BRISK, a_namespace
from tests.support.chaos_runs import ChaosRun, a_run_of
from tests.support.concurrency import most_at_once
from tests.support.controllers import Controller, controller
from tests.support.custom_objects import RUNS
from tests.support.jobs import FINAL, Jobs
from tests.support.object_watch import ObjectWatch
from tests.support.waiting import eventually

LIMIT = 5
JOBS = 60
SECONDS = 300.0
SETTINGS = BRISK | {"start_deadline_seconds": 300, "lease_seconds": 1}
COUNTED = ("succeeded", "failed", "stopped", "refused")


async def made(jobs: Jobs, **limits: int) -> ChaosRun:
    behaviours = [("lasts-0s", "lasts-1s", "exit-7")[number % 3] for number in range(JOBS)]
    return await a_run_of(jobs, await jobs.target(), behaviours, **limits)


async def left(run: ChaosRun) -> list[str]:
    """Return the jobs that have not ended."""
    phases = await asyncio.gather(*(run.jobs.status(job) for job in run.job_ids))
    return [
        job
        for job, status in zip(run.job_ids, phases, strict=True)
        if status.get("phase") not in FINAL
    ]


async def all_end(run: ChaosRun) -> None:
    await eventually(lambda: left(run), lambda some: not some, seconds=SECONDS)


def counts_never_fell(watch: ObjectWatch, run: ChaosRun) -> None:
    statuses = [each.get("status", {}) for each in watch.versions_of(RUNS, run.name)]
    counts = [status["counts"] for status in statuses if "counts" in status]
    for before, after in itertools.pairwise(counts):
        assert all(before[kind] <= after[kind] for kind in COUNTED), (before, after)
    assert all(sum(each.values()) == 2 * each["total"] for each in counts), counts
    assert len(counts) > 1, "some were seen"


@pytest.mark.timeout(2 * SECONDS)
async def test_the_controller_is_killed_again_and_again(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    chance = random.Random(21)
    async with (
        a_namespace(control_plane) as jobs,
        controller(control_plane.cluster, jobs.namespace, tmp_path, SETTINGS) as process,
        jobs.watch() as watch,
    ):
        await process.start()
        run = await made(jobs, maxParallel=LIMIT)
        for _ in range(12 if ALL else 6):
            await process.logged("leading")
            await asyncio.sleep(chance.uniform(0.05, 1.5))  # at any moment
            await process.kill()
            await process.start()
        await all_end(run)
        status = await run.finished()
        assert 1 < most_at_once(watch, run.job_ids) <= LIMIT
        counts_never_fell(watch, run)
        assert (status["counts"]["succeeded"], status["counts"]["failed"]) == (40, 20)


@pytest.mark.timeout(2 * SECONDS)
async def test_the_leader_is_frozen_again_and_again(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    """The one that wakes believes for a moment that it leads, and knows an old state."""
    chance = random.Random(22)
    async with a_namespace(control_plane) as jobs, jobs.watch() as watch:
        folders = [tmp_path / name for name in ("one", "two")]
        for folder in folders:
            folder.mkdir()
        async with (
            controller(control_plane.cluster, jobs.namespace, folders[0], SETTINGS) as one,
            controller(control_plane.cluster, jobs.namespace, folders[1], SETTINGS) as two,
        ):
            await one.start()
            await one.logged("leading")
            await two.start()
            run = await made(jobs, maxParallel=LIMIT)
            frozen: list[Controller] = []
            for number in range(4):
                await asyncio.sleep(chance.uniform(0.2, 1.0))  # at any moment
                frozen.append((one, two)[number % 2])
                frozen[-1].child.pause()
                await asyncio.sleep(chance.uniform(1.5, 2.5))  # longer than a lease
                frozen[-1].child.resume()
            await all_end(run)
            await run.finished()
        assert 1 < most_at_once(watch, run.job_ids) <= LIMIT
        counts_never_fell(watch, run)


@pytest.mark.timeout(2 * SECONDS)
async def test_failures_are_met_exactly_over_crashes(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    """One at a time, and each fails: so many fail as are allowed, and one more."""
    chance, allowed = random.Random(23), 4
    async with (
        a_namespace(control_plane) as jobs,
        controller(control_plane.cluster, jobs.namespace, tmp_path, SETTINGS) as process,
        jobs.watch() as watch,
    ):
        await process.start()
        target = await jobs.target()
        behaviours = ["lasts-0s-exit-3"] * 12
        run = await a_run_of(jobs, target, behaviours, maxParallel=1, maxFailures=allowed)
        for _ in range(6):
            await process.logged("leading")
            await asyncio.sleep(chance.uniform(0.05, 1.0))  # at any moment
            await process.kill()
            await process.start()
        await all_end(run)
        counts = (await run.finished())["counts"]
        assert (counts["failed"], counts["stopped"]) == (allowed + 1, 12 - allowed - 1)
        counts_never_fell(watch, run)


async def test_the_status_is_written_seldom(control_plane: ControlPlane, tmp_path: Path) -> None:
    """Two hundred jobs that end within some seconds make no more than a write in two of them."""
    async with (
        a_namespace(control_plane) as jobs,
        controller(control_plane.cluster, jobs.namespace, tmp_path, SETTINGS) as process,
        jobs.watch() as watch,
    ):
        await process.start()
        loop = asyncio.get_running_loop()
        began = loop.time()
        run = await a_run_of(jobs, await jobs.target(), ["lasts-0s"] * 200)
        await run.finished(seconds=SECONDS)
        lasted = loop.time() - began
        statuses = [each.get("status", {}) for each in watch.versions_of(RUNS, run.name)]
        counts = [status.get("counts") for status in statuses]
        writes = sum(one != other for one, other in itertools.pairwise(counts))
        # At the first start, at the end, and between them one in two seconds.
        assert 2 <= writes <= 3 + lasted / 2
