"""In a blackout no job starts: it waits, and starts when the blackout is over, changed or gone."""

import asyncio
from datetime import datetime

from tests.integration.jobs.conftest import StartController
from tests.support.blackouts import (
    ALWAYS,
    DONE,
    NOT_NOW,
    blackout,
    change,
    ending_in,
    is_waiting,
    lift,
    outcome,
    queue_of,
    waits,
)
from tests.support.custom_objects import JOBS, Manifest
from tests.support.halts import halt, label
from tests.support.jobs import Jobs


async def test_a_job_waits_until_the_blackout_is_deleted(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        running = await own_jobs.job(target, "never-ends")
        await own_jobs.running(running)
        made = await blackout(own_jobs.cluster, own_jobs.namespace)
        jobs = [await own_jobs.job(target, onBusy="Refuse") for _ in range(5)]
        for job in jobs:
            status = await waits(own_jobs, job)
            assert status["message"].startswith(f"Blackout {made['metadata']['name']} is in force")
        assert (await own_jobs.status(running))["phase"] == "Running"
        await lift(own_jobs.cluster, made)
        for job in jobs:
            status = await own_jobs.finished(job)
            assert outcome(status) == DONE
            assert queue_of(status) == ("False", "TurnCame")


async def test_a_job_waits_until_the_blackout_ends(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """The controller's start deadline is shorter than that: in the queue it does not count."""
    async with a_controller(start_deadline_seconds=8) as controller:
        await controller.start()
        target = await own_jobs.target()
        schedule, end = ending_in(12)
        await blackout(own_jobs.cluster, own_jobs.namespace, **schedule)
        job = await own_jobs.job(target)
        status = await waits(own_jobs, job)
        assert status["message"].endswith(f"is in force until {end:%Y-%m-%dT%H:%M:%SZ}.")
        status = await own_jobs.finished(job)
        assert outcome(status) == DONE
        assert datetime.fromisoformat(status["startTime"]) >= end


async def test_a_blackout_that_is_changed_frees_what_waits(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        made = await blackout(own_jobs.cluster, own_jobs.namespace)
        job = await own_jobs.job(target)
        await waits(own_jobs, job)
        await change(own_jobs.cluster, made, **NOT_NOW)
        assert outcome(await own_jobs.finished(job)) == DONE
        await change(own_jobs.cluster, made, **ALWAYS)
        job = await own_jobs.job(target)
        await waits(own_jobs, job)
        await change(own_jobs.cluster, made, targetSelector="env=prod")
        assert outcome(await own_jobs.finished(job)) == DONE


async def test_a_selector_spares_other_targets(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        prod, other = await own_jobs.target(), await own_jobs.target()
        await label(own_jobs, prod, {"env": "prod"})
        await blackout(own_jobs.cluster, own_jobs.namespace, targetSelector="env in (prod)")
        on_prod, on_other = await own_jobs.job(prod), await own_jobs.job(other)
        await waits(own_jobs, on_prod)
        assert outcome(await own_jobs.finished(on_other)) == DONE
        await label(own_jobs, prod, {"env": None})
        assert outcome(await own_jobs.finished(on_prod)) == DONE


async def test_while_it_waits_a_job_ends_for_its_own_reasons(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        await blackout(own_jobs.cluster, own_jobs.namespace)
        late = await own_jobs.job(target, queueSeconds=3)
        stopped, halted = await own_jobs.job(target), await own_jobs.job(target)
        for job in (late, stopped, halted):
            await waits(own_jobs, job)
        await own_jobs.stop(stopped)
        assert outcome(await own_jobs.finished(stopped)) == ("Stopped", "StopRequested")
        assert outcome(await own_jobs.finished(late)) == ("Failed", "QueueTimeout")
        await halt(own_jobs.cluster, own_jobs.namespace, targetSelector="!spared")
        assert outcome(await own_jobs.finished(halted)) == ("Stopped", "Halted")
        for job in (late, stopped, halted):
            await own_jobs.no_secrets(job)


async def test_one_stops_what_runs_if_that_is_asked(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        running = await own_jobs.job(target, "never-ends")
        pulling = await own_jobs.job(target, "image-pull-error")
        await own_jobs.running(running)
        await own_jobs.waiting(pulling, "ErrImagePull")
        made = await blackout(own_jobs.cluster, own_jobs.namespace, stopRunning=True)
        message = f"Stopped by blackout {made['metadata']['name']}."
        for job in (running, pulling):
            status = await own_jobs.finished(job)
            assert (*outcome(status), status["message"]) == ("Stopped", "Blackout", message)
            await own_jobs.no_pod(job)
            await own_jobs.no_secrets(job)
        assert (await own_jobs.status(running))["exitCode"] == 143, "it had its grace"
        waiting = await own_jobs.job(target)
        await waits(own_jobs, waiting)
        await lift(own_jobs.cluster, made)
        assert outcome(await own_jobs.finished(waiting)) == DONE


async def test_a_blackout_comes_as_jobs_are_made(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """At any moment of a start: what has not started waits, and in the end each ran once."""
    async with a_controller() as controller, own_jobs.watch() as watch:
        await controller.start()
        target = await own_jobs.target()

        async def make(pause: float) -> str:
            await asyncio.sleep(pause)
            return await own_jobs.job(target)

        made = asyncio.gather(*(make(number * 0.02) for number in range(40)))
        await watch.until("one has started", lambda: any(map(has_started, watch.all(JOBS))))
        dark = await blackout(own_jobs.cluster, own_jobs.namespace)
        later = [await own_jobs.job(target) for _ in range(20)]
        jobs = [*await made, *later]
        waiting = [job for job in jobs if await is_waiting(own_jobs, job)]
        assert set(later) <= set(waiting)
        assert len(waiting) < len(jobs)
        for job in waiting:
            assert "startTime" not in await own_jobs.status(job)
        await lift(own_jobs.cluster, dark)
        for job in jobs:
            assert outcome(await own_jobs.finished(job)) == DONE


def has_started(job: Manifest) -> bool:
    return "startTime" in job.get("status", {})
