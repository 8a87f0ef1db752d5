"""A target takes so many jobs at once: the others wait for their turn, in their order."""

import asyncio

import pytest

from krkn_grpc.resources import names
from tests.integration.jobs.conftest import StartController
from tests.support.concurrency import most_at_once
from tests.support.custom_objects import JOBS, MERGE, TARGETS, Manifest, collection
from tests.support.jobs import FINAL, Jobs
from tests.support.object_watch import ObjectWatch
from tests.support.targets import condition

BUSY = "The target's limit of 1 at once is taken by jobs that came before."


async def limit(jobs: Jobs, target: Manifest, most: int | None) -> None:
    """Give the target another limit."""
    path = f"{collection(TARGETS, jobs.namespace)}/{target['metadata']['name']}"
    await jobs.cluster.request("PATCH", path, {"spec": {"maxConcurrentJobs": most}}, MERGE)


async def test_they_take_turns(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target(maxConcurrentJobs=2)
    async with patient_jobs.watch() as watch:
        first = [await patient_jobs.job(target, "never-ends") for _ in range(2)]
        for job in first:
            await patient_jobs.running(job)
        made = await asyncio.gather(
            *(patient_jobs.job(target, "lasts-0s") for _ in range(12)),
            *(patient_jobs.job(target, "exit-3") for _ in range(3)),
        )
        for job in made:
            await patient_jobs.waiting(job, "TargetBusy")
        for job in first:
            await patient_jobs.stop(job)
        await watch.until("all over", lambda: all(final_at(watch, job) for job in made), seconds=90)
        assert most_at_once(watch, made) == 2
        seen = [watch.versions_of(JOBS, job)[0]["metadata"] for job in made]
        seen.sort(key=lambda job: (job["creationTimestamp"], job["name"]))
        in_order = [job["name"] for job in seen]
        for place, job in enumerate(in_order):
            start = free_at(watch, job)
            before = [final_at(watch, each) for each in in_order[:place]]
            assert sum(end > start for end in before) < 2


def free_at(watch: ObjectWatch, job: str) -> int:
    """Return the revision from which the job's pod could start."""
    pods = watch.versions_of("pods", names.pod_for(job))
    return next(revision(pod) for pod in pods if not pod["spec"].get("schedulingGates"))


def final_at(watch: ObjectWatch, job: str) -> int:
    """Return the revision at which the job was final, 0 while it is not."""
    versions = watch.versions_of(JOBS, job)
    ends = (revision(job) for job in versions if job.get("status", {}).get("phase") in FINAL)
    return next(ends, 0)


def revision(item: Manifest) -> int:
    return int(item["metadata"]["resourceVersion"])


async def test_what_a_waiting_job_says(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target(maxConcurrentJobs=1)
    first = await patient_jobs.job(target, "never-ends")
    await patient_jobs.running(first)
    second = await patient_jobs.job(target)
    status = await patient_jobs.waiting(second, "TargetBusy")
    assert (status["phase"], status["message"]) == ("Pending", BUSY)
    queued = condition(await patient_jobs.read(second), "Queued")
    assert (queued["status"], queued["reason"]) == ("True", "TargetBusy")
    assert await patient_jobs.pod(second) is None
    await patient_jobs.stop(first)
    status = await patient_jobs.finished(second)
    assert (status["phase"], status["reason"]) == ("Succeeded", "Completed")
    assert condition(await patient_jobs.read(second), "Queued")["status"] == "False"
    assert (await patient_jobs.status(first))["phase"] == "Stopped"


async def test_the_end_of_the_wait(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target(maxConcurrentJobs=1)
    first = await patient_jobs.job(target, "never-ends")
    await patient_jobs.running(first)
    brief = await patient_jobs.job(target, queueSeconds=2)
    refused = await patient_jobs.job(target, onBusy="Refuse")
    stopped = await patient_jobs.job(target)
    await patient_jobs.waiting(stopped, "TargetBusy")
    await patient_jobs.stop(stopped)
    ends = [await patient_jobs.finished(job) for job in (brief, refused, stopped)]
    told = [(status["phase"], status["reason"]) for status in ends]
    assert told == [
        ("Failed", "QueueTimeout"),
        ("Failed", "TargetBusy"),
        ("Stopped", "StopRequested"),
    ]
    for job in (brief, refused, stopped):
        assert await patient_jobs.pod(job) is None
    await patient_jobs.stop(first)
    await patient_jobs.finished(first)


async def test_the_start_deadline_counts_from_the_turn(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller(start_deadline_seconds=8) as controller:
        await controller.start()
        target = await own_jobs.target(maxConcurrentJobs=1)
        first = await own_jobs.job(target, "lasts-9s")
        second = await own_jobs.job(target)
        never = await own_jobs.job(target, "image-pull-error")
        assert (await own_jobs.finished(first))["phase"] == "Succeeded"
        assert (await own_jobs.finished(second))["phase"] == "Succeeded"
        status = await own_jobs.finished(never)
        assert (status["phase"], status["reason"]) == ("Failed", "ErrImagePull")


@pytest.mark.parametrize("most", [0, None, 2])
async def test_a_limit_that_is_raised_wakes_those_that_wait(
    patient_jobs: Jobs, most: int | None
) -> None:
    target = await patient_jobs.target(maxConcurrentJobs=1)
    first = await patient_jobs.job(target, "never-ends")
    await patient_jobs.running(first)
    second = await patient_jobs.job(target)
    await patient_jobs.waiting(second, "TargetBusy")
    await limit(patient_jobs, target, most)
    assert (await patient_jobs.finished(second))["phase"] == "Succeeded"
    await patient_jobs.stop(first)
    await patient_jobs.finished(first)


async def test_the_pod_of_a_deleted_job_keeps_the_turn_until_it_has_ended(
    patient_jobs: Jobs,
) -> None:
    target = await patient_jobs.target(maxConcurrentJobs=1)
    async with patient_jobs.watch() as watch:
        first = await patient_jobs.job(target, "never-ends")
        await patient_jobs.running(first)
        second = await patient_jobs.job(target, "lasts-0s")
        await patient_jobs.waiting(second, "TargetBusy")
        await patient_jobs.delete(first)
        assert (await patient_jobs.finished(second))["phase"] == "Succeeded"
        assert most_at_once(watch, [first, second]) == 1


async def test_a_limit_for_targets_without_their_own(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller(target_concurrency=1) as controller, own_jobs.watch() as watch:
        await controller.start()
        usual, free = await own_jobs.target(), await own_jobs.target(maxConcurrentJobs=0)
        made = {
            each["metadata"]["name"]: [await own_jobs.job(each, "lasts-1s") for _ in range(4)]
            for each in (usual, free)
        }
        for jobs in made.values():
            for job in jobs:
                assert (await own_jobs.finished(job, seconds=60))["phase"] == "Succeeded"
        assert most_at_once(watch, made[usual["metadata"]["name"]]) == 1
        assert most_at_once(watch, made[free["metadata"]["name"]]) > 1
        assert set(watch.names(JOBS)) == {job for jobs in made.values() for job in jobs}
