"""A target's limit holds while controllers are killed, frozen and replaced."""

import asyncio
import random
from pathlib import Path

import pytest

from deploy.local.cluster.control_plane import ControlPlane
from tests.faults.conftest import ALL
from tests.integration.jobs.conftest import BRISK, a_namespace
from tests.support.concurrency import most_at_once
from tests.support.controllers import Controller, controller
from tests.support.jobs import Jobs
from tests.support.waiting import eventually

LIMIT = 5
JOBS = 60 if ALL else 30
SECONDS = 300.0
SETTINGS = BRISK | {"start_deadline_seconds": 300, "lease_seconds": 1}


async def made(jobs: Jobs) -> list[str]:
    """Make the jobs, some at the same moment and some later, on one target."""
    target = await jobs.target(maxConcurrentJobs=LIMIT)
    behaviours = [("lasts-0s", "lasts-1s", "exit-7")[number % 3] for number in range(JOBS)]
    return list(await asyncio.gather(*(jobs.job(target, each) for each in behaviours)))


async def is_over(jobs: Jobs, job: str) -> bool:
    return (await jobs.status(job)).get("phase") in ("Succeeded", "Failed")


async def left(jobs: Jobs, wanted: list[str]) -> list[str]:
    """Return those that have not ended."""
    over = await asyncio.gather(*(is_over(jobs, job) for job in wanted))
    return [job for job, ended in zip(wanted, over, strict=True) if not ended]


@pytest.mark.timeout(2 * SECONDS)
async def test_the_controller_is_killed_again_and_again(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    chance = random.Random(19)
    async with (
        a_namespace(control_plane) as jobs,
        controller(control_plane.cluster, jobs.namespace, tmp_path, SETTINGS) as process,
        jobs.watch() as watch,
    ):
        await process.start()
        wanted = await made(jobs)
        for _ in range(8):
            await process.logged("leading")
            await asyncio.sleep(chance.uniform(0.05, 1.5))  # at any moment
            await process.kill()
            await process.start()
        await eventually(lambda: left(jobs, wanted), lambda some: not some, seconds=SECONDS)
        assert 1 < most_at_once(watch, wanted) <= LIMIT


@pytest.mark.timeout(2 * SECONDS)
async def test_the_leader_is_frozen_again_and_again(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    """The one that wakes believes for a moment that it leads, and knows an old state."""
    chance = random.Random(20)
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
            wanted = await made(jobs)
            frozen: list[Controller] = []
            for number in range(4):
                await asyncio.sleep(chance.uniform(0.2, 1.0))  # at any moment
                frozen.append((one, two)[number % 2])
                frozen[-1].child.pause()
                await asyncio.sleep(chance.uniform(1.5, 2.5))  # longer than a lease
                frozen[-1].child.resume()
            await eventually(lambda: left(jobs, wanted), lambda some: not some, seconds=SECONDS)
        assert 1 < most_at_once(watch, wanted) <= LIMIT
