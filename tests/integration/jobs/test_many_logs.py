"""Many long logs that end at once take a bounded part of the controller's memory."""

import asyncio

import pytest

from tests.integration.jobs.conftest import StartController
from tests.support.connections import memory
from tests.support.jobs import Jobs
from tests.support.kept_logs import kept_logs, why_not_kept

MIB = 1024 * 1024
JOBS, LINES = 64, 100_000  # of 101 bytes each


@pytest.mark.timeout(180)
async def test_64_logs_of_10_mb_at_once(own_jobs: Jobs, a_controller: StartController) -> None:
    jobs = own_jobs
    async with a_controller() as controller:
        await controller.start()
        target = await jobs.target()
        await jobs.finished(await jobs.job(target, "lasts-0s"))
        before = most = memory(controller.child.pid)
        behaviour = f"lasts-2s-logs-{LINES}-lines"
        made = await asyncio.gather(*(jobs.job(target, behaviour) for _ in range(JOBS)))
        waiting = asyncio.gather(*(jobs.finished(job, seconds=120) for job in made))
        while not waiting.done():
            most = max(most, memory(controller.child.pid))
            await asyncio.sleep(0.02)
        ended = await waiting
    assert {status["phase"] for status in ended} == {"Succeeded"}
    kept = await kept_logs(jobs.cluster, jobs.namespace)
    read = [job for job, status in zip(made, ended, strict=True) if not why_not_kept(status)]
    # The others had no turn within their 10 seconds, on a machine that also plays the node.
    assert len(read) >= 4
    assert kept.keys() >= set(read)
    # All of them together have 640 MB.
    assert most - before < 120 * MIB, f"{(most - before) / MIB:.0f} MiB"
