"""A stop works in every state: it wins or loses cleanly, and nothing is left."""

import asyncio

from tests.integration.jobs.conftest import StartController
from tests.support.jobs import Jobs
from tests.support.waiting import eventually


async def test_before_it_has_a_pod(own_jobs: Jobs, a_controller: StartController) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
    job = await own_jobs.job(target)
    await own_jobs.stop(job)
    async with a_controller() as controller:
        await controller.start()
        status = await own_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Stopped", "StopRequested")
    assert status["message"] == "The scenario was stopped before it started."
    assert "podUID" not in status
    assert await own_jobs.pod(job) is None
    assert await own_jobs.secrets_of(job) == set()


async def test_as_it_is_made(patient_jobs: Jobs) -> None:
    """At any moment between the job and its container: with luck each job is another one."""
    target = await patient_jobs.target()

    async def make_and_stop(pause: float) -> str:
        job = await patient_jobs.job(target, "never-ends")
        await asyncio.sleep(pause)
        await patient_jobs.stop(job)
        return job

    jobs = await asyncio.gather(*(make_and_stop(number * 0.01) for number in range(20)))
    for job in jobs:
        status = await patient_jobs.finished(job)
        assert status["phase"] == "Stopped"
        await patient_jobs.no_pod(job)
        await patient_jobs.no_secrets(job)


async def test_as_it_waits_for_its_image(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "image-pull-error")
    await patient_jobs.waiting(job, "ErrImagePull")
    await patient_jobs.stop(job)
    status = await patient_jobs.finished(job)
    assert status["phase"] == "Stopped"
    assert "exitCode" not in status, "it has none: its container never was"
    await patient_jobs.no_pod(job)
    await patient_jobs.no_secrets(job)


async def test_as_it_runs(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "never-ends")
    await patient_jobs.running(job)
    await patient_jobs.stop(job)
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["exitCode"]) == ("Stopped", 143)
    await patient_jobs.no_pod(job)
    await patient_jobs.no_secrets(job)


async def test_a_scenario_that_does_not_listen(patient_jobs: Jobs) -> None:
    """It is not final before its container ended, which here takes the whole grace period."""
    job = await patient_jobs.job(await patient_jobs.target(), "ignores-sigterm")
    await patient_jobs.running(job)
    await patient_jobs.stop(job)
    going = await eventually(
        lambda: patient_jobs.pod(job), lambda pod: pod and "deletionTimestamp" in pod["metadata"]
    )
    assert going is not None
    assert going["metadata"]["deletionGracePeriodSeconds"] == 2
    assert (await patient_jobs.status(job))["phase"] == "Running"
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["exitCode"]) == ("Stopped", 137)
    await patient_jobs.no_pod(job)


async def test_after_it_ended(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "exit-9")
    before = await patient_jobs.finished(job)
    await patient_jobs.stop(job)
    other = await patient_jobs.job(await patient_jobs.target())
    await patient_jobs.finished(other)
    assert await patient_jobs.status(job) == before
    assert await patient_jobs.pod(job) is not None, "its log stays"


async def test_as_it_ends(patient_jobs: Jobs) -> None:
    """Each job ends one way or the other, and its exit code says the same as its phase.

    But for one that ended in the very second of its stop: it may have heard of the stop.
    """
    target = await patient_jobs.target()

    async def run(pause: float) -> str:
        job = await patient_jobs.job(target, "lasts-1s")
        await patient_jobs.started(job)
        await asyncio.sleep(pause)
        await patient_jobs.stop(job)
        return job

    for job in await asyncio.gather(*(run(0.7 + number * 0.04) for number in range(16))):
        status = await patient_jobs.finished(job)
        seen = (status["phase"], status.get("exitCode"))
        assert seen in [("Succeeded", 0), ("Stopped", 0), ("Stopped", 143)]
        await patient_jobs.no_secrets(job)


async def test_while_the_controller_is_away(own_jobs: Jobs, a_controller: StartController) -> None:
    async with a_controller() as controller:
        await controller.start()
        job = await own_jobs.job(await own_jobs.target(), "never-ends")
        await own_jobs.running(job)
        await controller.kill()
        await own_jobs.stop(job)
        await controller.start()
        status = await own_jobs.finished(job)
        assert (status["phase"], status["exitCode"]) == ("Stopped", 143)
        await own_jobs.no_pod(job)
