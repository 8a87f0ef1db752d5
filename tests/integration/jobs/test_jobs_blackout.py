"""In a blackout no job starts: it waits, and starts when the blackout is over, changed or gone."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from tests.integration.jobs.conftest import StartController
from tests.support.blackouts import (
    ALWAYS,
    NOT_NOW,
    blackout,
    change,
    ending_in,
    invalid,
    lift,
    path_of,
)
from tests.support.custom_objects import MERGE, Manifest
from tests.support.halts import halt, label
from tests.support.jobs import Jobs
from tests.support.waiting import eventually

DONE = ("Succeeded", "Completed")


def outcome(status: Manifest) -> tuple[str, str]:
    return status["phase"], status["reason"]


def queue_of(status: Manifest) -> tuple[str, str] | None:
    found = [each for each in status.get("conditions", []) if each["type"] == "Queued"]
    return (found[0]["status"], found[0]["reason"]) if found else None


async def waits(jobs: Jobs, job: str) -> Manifest:
    """Wait until the job says that it waits for the end of a blackout, and has no pod."""
    status = await jobs.waiting(job, "Blackout")
    assert (status["phase"], queue_of(status)) == ("Pending", ("True", "Blackout"))
    assert "podUID" not in status
    assert await jobs.pod(job) is None
    return status


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
    async with a_controller(start_deadline_seconds=4) as controller:
        await controller.start()
        target = await own_jobs.target()
        schedule, end = ending_in(8)
        await blackout(own_jobs.cluster, own_jobs.namespace, **schedule)
        job = await own_jobs.job(target)
        status = await waits(own_jobs, job)
        assert status["message"].endswith(f"is in force until {end:%Y-%m-%dT%H:%M:%SZ}.")
        status = await own_jobs.finished(job)
        assert outcome(status) == DONE
        started = datetime.fromisoformat(status["startTime"])
        assert 0 <= (started - end).total_seconds() < 4


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


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"schedule": "often"}, "ScheduleInvalid"),
        ({"schedule": "0 0 30 2 *"}, "ScheduleInvalid"),
        ({"timeZone": "Mars/Olympus"}, "TimeZoneInvalid"),
        ({"targetSelector": "env=("}, "SelectorInvalid"),
    ],
)
async def test_one_that_cannot_be_read_blocks_and_says_so(
    own_jobs: Jobs, a_controller: StartController, wrong: dict[str, Any], reason: str
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        running = await own_jobs.job(target, "never-ends")
        await own_jobs.running(running)
        bad = NOT_NOW | {"stopRunning": True} | wrong
        made = await blackout(own_jobs.cluster, own_jobs.namespace, **bad)
        job = await own_jobs.job(target)
        status = await waits(own_jobs, job)
        assert f"cannot be read (spec.{next(iter(wrong))})" in status["message"]

        async def condition() -> tuple[str, str] | None:
            return await invalid(own_jobs.cluster, made)

        await eventually(condition, lambda found: found == ("True", reason))
        assert (await own_jobs.status(running))["phase"] == "Running", "it stops nothing"
        good = {"timeZone": None, "targetSelector": None, **NOT_NOW}
        await change(own_jobs.cluster, made, **good)
        await eventually(condition, lambda found: found == ("False", "BlackoutRead"))
        assert outcome(await own_jobs.finished(job)) == DONE


async def test_one_that_our_types_do_not_fit_is_obeyed(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """A watch leaves such an object out."""
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        made = await blackout(own_jobs.cluster, own_jobs.namespace, **NOT_NOW)
        year_zero = {
            "type": "Other",
            "status": "True",
            "reason": "Other",
            "message": "",
            "lastTransitionTime": "0000-01-01T00:00:00Z",
        }
        await own_jobs.cluster.request(
            "PATCH", f"{path_of(made)}/status", {"status": {"conditions": [year_zero]}}, MERGE
        )
        assert outcome(await own_jobs.finished(await own_jobs.job(target))) == DONE
        await change(own_jobs.cluster, made, **ALWAYS)

        async def one_that_waits() -> str:
            """Each is made later than the one before: in the end one meets the change."""
            job = await own_jobs.job(target)
            return job if await is_waiting(own_jobs, job) else ""

        job = await eventually(one_that_waits)
        await waits(own_jobs, job)
        await lift(own_jobs.cluster, made)
        assert outcome(await own_jobs.finished(job)) == DONE


async def is_waiting(jobs: Jobs, job: str) -> bool:
    """Wait until the job has ended or waits for a blackout; tell whether it waits."""
    status = await jobs.when(
        job, lambda seen: seen.get("phase") == "Succeeded" or seen.get("reason") == "Blackout"
    )
    return bool(status["reason"] == "Blackout")


async def test_one_that_someone_holds_up_is_over_when_it_is_deleted(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        made = await blackout(own_jobs.cluster, own_jobs.namespace)
        held = {"metadata": {"finalizers": ["example.com/held"]}}
        await own_jobs.cluster.request("PATCH", path_of(made), held, MERGE)
        job = await own_jobs.job(target)
        await waits(own_jobs, job)
        await lift(own_jobs.cluster, made)
        assert outcome(await own_jobs.finished(job)) == DONE
        free = {"metadata": {"finalizers": None}}
        await own_jobs.cluster.request("PATCH", path_of(made), free, MERGE)


async def test_a_controller_that_was_away_sees_it_before_any_start(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        await controller.kill()
        first = await own_jobs.job(target)
        made = await blackout(own_jobs.cluster, own_jobs.namespace)
        await controller.start()
        await waits(own_jobs, first)
        await controller.kill()
        second = await own_jobs.job(target)
        await controller.start()
        await waits(own_jobs, second)
        await waits(own_jobs, first)
        await controller.kill()
        await lift(own_jobs.cluster, made)
        await controller.start()
        for job in (first, second):
            assert outcome(await own_jobs.finished(job)) == DONE


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_at_a_change_of_leaders(
    own_jobs: Jobs, a_controller: StartController, how: str
) -> None:
    async with a_controller() as first, a_controller() as second:
        await first.start()
        await first.logged("leading")
        await second.start()
        target = await own_jobs.target()
        made = await blackout(own_jobs.cluster, own_jobs.namespace)
        before = await own_jobs.job(target)
        await waits(own_jobs, before)
        if how == "killed":
            await first.kill()
        else:
            first.child.pause()
        after = await own_jobs.job(target)
        await waits(own_jobs, after)
        await waits(own_jobs, before)
        await lift(own_jobs.cluster, made)
        for job in (before, after):
            assert outcome(await own_jobs.finished(job)) == DONE
        if how == "frozen":
            await blackout(own_jobs.cluster, own_jobs.namespace)
            last = await own_jobs.job(target)
            first.child.resume()
            await first.logged("not leading any more")
            await waits(own_jobs, last)


async def test_nothing_starts_while_blackouts_may_not_be_listed(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    role = (
        f"/apis/rbac.authorization.k8s.io/v1/namespaces/{own_jobs.namespace}"
        "/roles/krkn-grpc-controller"
    )
    async with a_controller(start_deadline_seconds=20) as controller:
        await controller.start()
        target = await own_jobs.target()
        running = await own_jobs.job(target, "lasts-3s")
        await own_jobs.running(running)
        made = await blackout(own_jobs.cluster, own_jobs.namespace)
        queued = await own_jobs.job(target)
        await waits(own_jobs, queued)
        whole = await own_jobs.cluster.request("GET", role)
        less = [
            {**rule, "resources": [each for each in rule["resources"] if "blackouts" not in each]}
            for rule in whole["rules"]
        ]
        less = [rule for rule in less if rule["resources"]]
        await own_jobs.cluster.request("PATCH", role, {"rules": less}, MERGE)
        await controller.logged("krknchaosblackouts not listed")
        assert outcome(await own_jobs.finished(running)) == DONE, "all else goes on"
        await controller.kill()
        await lift(own_jobs.cluster, made)
        await controller.start()
        await controller.logged("leading")
        job = await own_jobs.job(target)
        for each in (job, queued):
            assert "podUID" not in await own_jobs.waiting(each, "BlackoutsUnknown")
        assert queue_of(await own_jobs.status(queued)) == ("True", "BlackoutsUnknown")
        await own_jobs.cluster.request("PATCH", role, {"rules": whole["rules"]}, MERGE)
        for each in (job, queued):
            assert outcome(await own_jobs.finished(each)) == DONE


async def test_a_blackout_comes_as_jobs_are_made(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """At any moment of a start: what has not started waits, and in the end each ran once."""
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()

        async def make(pause: float) -> str:
            await asyncio.sleep(pause)
            return await own_jobs.job(target)

        made = asyncio.gather(*(make(number * 0.02) for number in range(60)))
        await asyncio.sleep(0.4)
        dark = await blackout(own_jobs.cluster, own_jobs.namespace)
        jobs = await made
        waiting = [job for job in jobs if await is_waiting(own_jobs, job)]
        assert set(jobs[-20:]) <= set(waiting)
        assert jobs[0] not in waiting
        for job in waiting:
            assert "startTime" not in await own_jobs.status(job)
        await lift(own_jobs.cluster, dark)
        for job in jobs:
            assert outcome(await own_jobs.finished(job)) == DONE
