"""A run as one thing: how many at once, how many failures, a stop for all, and what came of it."""

import asyncio
from typing import Any

import pytest

from tests.support.chaos_runs import ChaosRun, a_run, a_run_of
from tests.support.concurrency import most_at_once
from tests.support.jobs import Jobs

BUSY = "The run's limit of 1 at once is taken by jobs that come before."
NOTHING = {"pending": 0, "running": 0, "succeeded": 0, "failed": 0, "stopped": 0, "refused": 0}


async def outcomes(run: ChaosRun) -> list[tuple[str, str]]:
    """The phase and the reason of each job."""
    ended = await asyncio.gather(*(run.jobs.finished(job, seconds=60) for job in run.job_ids))
    return [(status["phase"], status["reason"]) for status in ended]


async def test_a_run_counts_its_jobs(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    refused = [{"targetUUID": "nobody", "error": "there is no such target"}]
    run = await a_run_of(patient_jobs, target, ["", "exit-3", "never-ends"], refused=refused)
    one_each = {"total": 4, "succeeded": 1, "failed": 1, "running": 1, "refused": 1}
    status = await run.when(lambda status: status.get("counts") == NOTHING | one_each)
    assert status["phase"] == "Running"
    await patient_jobs.stop(run.job_ids[2])
    status = await run.finished()
    assert status["phase"] == "Stopped"
    assert status["counts"] == NOTHING | one_each | {"running": 0, "stopped": 1}
    first, last = [await patient_jobs.status(run.job_ids[number]) for number in (0, 2)]
    assert status["startTime"] <= first["startTime"]
    assert status["completionTime"] >= last["completionTime"]


async def test_a_run_runs_from_its_first_start_on(patient_jobs: Jobs) -> None:
    """A job that ends before it starts is counted, and is no start of the run."""
    target = await patient_jobs.target(maxConcurrentJobs=1)
    busy = await patient_jobs.job(target, "never-ends")
    await patient_jobs.running(busy)
    run = await a_run(patient_jobs, [target] * 2)
    await run.job(0, target, onBusy="Refuse")
    await run.job(1, target)
    status = await run.when(lambda status: (status.get("counts") or {}).get("failed"))
    assert status["counts"] == NOTHING | {"total": 2, "failed": 1, "pending": 1}
    assert (status["phase"], status.get("startTime")) == ("Pending", None)
    await patient_jobs.stop(busy)
    status = await run.finished()
    assert (status["phase"], status["counts"]["succeeded"]) == ("PartiallyFailed", 1)
    started = (await patient_jobs.status(run.job_ids[1]))["startTime"]
    assert status["startTime"] == started


@pytest.mark.parametrize(
    ("behaviours", "phase"),
    [(["", ""], "Succeeded"), (["", "exit-1"], "PartiallyFailed"), (["exit-1"] * 2, "Failed")],
)
async def test_what_became_of_a_run(patient_jobs: Jobs, behaviours: list[str], phase: str) -> None:
    run = await a_run_of(patient_jobs, await patient_jobs.target(), behaviours)
    assert (await run.finished())["phase"] == phase


async def test_so_many_at_once_in_the_order_of_the_run(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    async with patient_jobs.watch() as watch:
        behaviours = [("lasts-0s", "exit-3")[number % 2] for number in range(12)]
        run = await a_run_of(patient_jobs, target, behaviours, maxParallel=3)
        assert (await run.finished(seconds=90))["phase"] == "PartiallyFailed"
        assert most_at_once(watch, run.job_ids) == 3


async def test_what_a_waiting_job_says(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    run = await a_run_of(patient_jobs, target, ["never-ends", ""], maxParallel=1)
    first, second = run.job_ids
    status = await patient_jobs.waiting(second, "WaitingForTurn")
    assert (status["phase"], status["message"]) == ("Pending", BUSY)
    await patient_jobs.running(first)
    assert await patient_jobs.pod(second) is None
    await patient_jobs.stop(first)
    assert (await patient_jobs.finished(second))["phase"] == "Succeeded"


async def test_a_job_that_is_not_there_yet_keeps_its_place(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    run = await a_run(patient_jobs, [target] * 2, maxParallel=1)
    await run.job(1, target)
    await patient_jobs.waiting(run.job_ids[1], "WaitingForTurn")
    await run.job(0, target)
    assert await outcomes(run) == [("Succeeded", "Completed")] * 2


async def test_too_many_failures_end_the_rest(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    behaviours = ["exit-1", "", "exit-1", "", ""]
    run = await a_run_of(patient_jobs, target, behaviours, maxParallel=1, maxFailures=1)
    assert await outcomes(run) == [
        ("Failed", "ScenarioFailed"),
        ("Succeeded", "Completed"),
        ("Failed", "ScenarioFailed"),
        *[("Stopped", "FailureThreshold")] * 2,
    ]
    assert (await run.finished())["phase"] == "Stopped"


@pytest.mark.parametrize("abort", [False, True], ids=["they go on", "they are stopped"])
async def test_too_many_failures_and_those_that_run(patient_jobs: Jobs, abort: bool) -> None:
    target = await patient_jobs.target()
    limits: dict[str, Any] = {"maxParallel": 2, "maxFailures": 0, "abortRunning": abort}
    run = await a_run(patient_jobs, [target] * 3, **limits)
    await run.job(0, target, "never-ends")
    await patient_jobs.running(run.job_ids[0])
    await run.job(2, target)
    await run.job(1, target, "exit-1")
    last = await patient_jobs.finished(run.job_ids[2])
    assert (last["phase"], last["reason"]) == ("Stopped", "FailureThreshold")
    if abort:
        first = await patient_jobs.finished(run.job_ids[0])
        assert (first["phase"], first["reason"]) == ("Stopped", "FailureThreshold")
    else:
        assert (await patient_jobs.status(run.job_ids[0]))["phase"] == "Running"
        await patient_jobs.stop(run.job_ids[0])
    assert (await run.finished())["phase"] == "Stopped"


async def test_a_stop_is_for_all_also_for_those_to_come(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    run = await a_run(patient_jobs, [target] * 3, maxParallel=1)
    await run.job(0, target, "never-ends")
    await run.job(1, target)
    await patient_jobs.running(run.job_ids[0])
    await patient_jobs.waiting(run.job_ids[1], "WaitingForTurn")
    await run.stop("AbortCondition", "The alert X fires.")
    await run.job(2, target)
    assert await outcomes(run) == [("Stopped", "AbortCondition")] * 3
    told = await patient_jobs.status(run.job_ids[2])
    assert told["message"] == "The alert X fires."
    assert (await run.finished())["phase"] == "Stopped"


async def test_without_their_run_jobs_end(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    run = await a_run_of(patient_jobs, target, ["never-ends", ""], maxParallel=1)
    await patient_jobs.running(run.job_ids[0])
    await patient_jobs.waiting(run.job_ids[1], "WaitingForTurn")
    await run.delete()
    assert await outcomes(run) == [("Stopped", "RunDeleted"), ("Failed", "RunDeleted")]


async def test_a_job_goes_when_its_run_has_counted_it(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    run = await a_run(patient_jobs, [target] * 3)
    behaviours = ["", "exit-1", ""]
    for number, behaviour in enumerate(behaviours):
        await run.job(number, target, behaviour, ttlSecondsAfterFinished=0)
    status = await run.when(lambda status: len(status.get("departed", [])) == 3)
    assert status["phase"] == "PartiallyFailed"
    assert status["counts"] == NOTHING | {"total": 3, "succeeded": 2, "failed": 1}
    assert sorted(status["departed"]) == run.job_ids
    for job in run.job_ids:
        await patient_jobs.gone(job)
    assert (await run.status()) == status


async def test_a_job_that_someone_deletes_counts_on(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    run = await a_run_of(patient_jobs, target, ["", "never-ends"])
    await patient_jobs.finished(run.job_ids[0])
    await patient_jobs.running(run.job_ids[1])
    for job in run.job_ids:
        await patient_jobs.delete(job)
    status = await run.finished()
    assert status["counts"] == NOTHING | {"total": 2, "succeeded": 1, "stopped": 1}
