"""Blackouts are obeyed that cannot be read, came while nobody looked, or may not be listed."""

from typing import Any

import pytest

from tests.integration.jobs.conftest import StartController
from tests.support.blackouts import (
    ALWAYS,
    DONE,
    NOT_NOW,
    blackout,
    change,
    invalid,
    is_waiting,
    lift,
    outcome,
    path_of,
    queue_of,
    waits,
)
from tests.support.custom_objects import MERGE
from tests.support.jobs import Jobs
from tests.support.waiting import eventually


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
