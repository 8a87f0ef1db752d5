"""The start deadline passes while no controller is there: what a pod that waits then comes to.

The last of these is what docs/decisions/0013 leaves open, on purpose.
"""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from krkn_grpc.resources import names
from tests.integration.jobs.conftest import StartController
from tests.support.clock import instant, now
from tests.support.jobs import Jobs
from tests.support.waiting import eventually

LATE = timedelta(seconds=3)


@contextlib.asynccontextmanager
async def no_scheduler(jobs: Jobs) -> AsyncIterator[None]:
    """A time in which no pod gets a node."""
    jobs.control_plane.pause("kube-scheduler")
    try:
        yield
    finally:
        jobs.control_plane.resume("kube-scheduler")


async def until_free(jobs: Jobs, job: str) -> None:
    """Wait until the job's pod has no gate any more."""
    await eventually(
        lambda: jobs.pod(job),
        lambda pod: pod is not None and not pod["spec"].get("schedulingGates"),
    )


async def until_late(jobs: Jobs, job: str) -> None:
    """Wait until the job is three seconds old, by the API server's clock."""
    late = instant((await jobs.read(job))["metadata"]["creationTimestamp"]) + LATE
    await eventually(lambda: now(jobs), lambda text: instant(text) >= late)


async def test_a_pod_that_has_no_node_never_starts(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with own_jobs.watch() as watch:
        async with a_controller() as controller, no_scheduler(own_jobs):
            await controller.start()
            job = await own_jobs.job(await own_jobs.target())
            await until_free(own_jobs, job)
            await controller.kill()
            await until_late(own_jobs, job)
            async with a_controller(start_deadline_seconds=2) as successor:
                await successor.start()
                status = await own_jobs.finished(job)
        assert (status["phase"], status["reason"]) == ("Failed", "StartDeadlineExceeded")
        await own_jobs.no_pod(job)
        pods = watch.versions_of("pods", names.pod_for(job))
    assert not any(pod["spec"].get("nodeName") for pod in pods)


async def test_a_pod_that_has_no_image_never_starts(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """It has a node, which was pulling the image all the while."""
    async with a_controller() as controller, own_jobs.watch() as watch:
        await controller.start()
        job = await own_jobs.job(await own_jobs.target(), "image-pull-error")
        await own_jobs.waiting(job, "ErrImagePull")
        await controller.kill()
        await until_late(own_jobs, job)
        async with a_controller(start_deadline_seconds=2) as successor:
            await successor.start()
            status = await own_jobs.finished(job)
            await own_jobs.no_pod(job)
        pods = watch.versions_of("pods", names.pod_for(job))
    assert (status["phase"], status["reason"]) == ("Failed", "ErrImagePull")
    states = [s["state"] for pod in pods for s in pod["status"].get("containerStatuses", ())]
    assert states
    assert not any("running" in state for state in states)


async def test_a_pod_that_nobody_watched_as_it_started_late_is_left_to_run(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """To stop it in the middle would be a worse end of chaos than its own."""
    async with a_controller() as controller:
        async with no_scheduler(own_jobs):
            await controller.start()
            job = await own_jobs.job(await own_jobs.target(), "lasts-5s", timeoutSeconds=60)
            await until_free(own_jobs, job)
            await controller.kill()
            await until_late(own_jobs, job)
        await eventually(
            lambda: own_jobs.pod(job),
            lambda pod: pod is not None and pod["status"].get("phase") == "Running",
        )
        async with a_controller(start_deadline_seconds=2) as successor:
            await successor.start()
            status = await own_jobs.finished(job)
        created = instant((await own_jobs.read(job))["metadata"]["creationTimestamp"])
    assert (status["phase"], status["exitCode"]) == ("Succeeded", 0)
    assert instant(status["startTime"]) - created >= LATE - timedelta(seconds=1)
