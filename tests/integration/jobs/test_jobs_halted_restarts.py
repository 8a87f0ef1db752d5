"""A halt holds while controllers are away, die and take over."""

import pytest

from tests.integration.jobs.conftest import StartController
from tests.support.halts import ALL, HALTED, ends_halted, halt, lift, outcome
from tests.support.jobs import Jobs


async def test_a_halt_is_seen_before_any_start_by_a_controller_that_was_away(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        running = await own_jobs.job(target, "never-ends")
        await own_jobs.running(running)
        await controller.kill()
        waiting = [await own_jobs.job(target) for _ in range(5)]
        halted = await halt(own_jobs.cluster, own_jobs.namespace, **ALL)
        await controller.start()
        await ends_halted(own_jobs, running)
        for job in waiting:
            assert "podUID" not in await ends_halted(own_jobs, job)
        await controller.kill()
        await lift(own_jobs.cluster, halted)
        new = await own_jobs.job(target)
        await controller.start()
        assert (await own_jobs.finished(new))["phase"] == "Succeeded"
        for job in (running, *waiting):
            assert outcome(await own_jobs.status(job)) == HALTED


async def test_a_halt_that_came_and_went_while_the_controller_was_away_is_none(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        running = await own_jobs.job(target, "never-ends")
        await own_jobs.running(running)
        await controller.kill()
        await lift(own_jobs.cluster, await halt(own_jobs.cluster, own_jobs.namespace, **ALL))
        await controller.start()
        new = await own_jobs.job(target)
        assert (await own_jobs.finished(new))["phase"] == "Succeeded"
        assert (await own_jobs.status(running))["phase"] == "Running"


async def test_what_was_begun_ends_although_halt_and_controller_are_gone(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller(grace_seconds=5) as controller:
        await controller.start()
        job = await own_jobs.job(await own_jobs.target(), "ignores-sigterm")
        await own_jobs.running(job)
        halted = await halt(own_jobs.cluster, own_jobs.namespace)
        await own_jobs.waiting(job, "Halted")
        await controller.kill()
        await lift(own_jobs.cluster, halted)
        await controller.start()
        await ends_halted(own_jobs, job)


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_at_a_change_of_leaders(
    own_jobs: Jobs, a_controller: StartController, how: str
) -> None:
    async with a_controller() as first, a_controller() as second:
        await first.start()
        await first.logged("leading")
        await second.start()
        target = await own_jobs.target()
        running = await own_jobs.job(target, "never-ends")
        await own_jobs.running(running)
        if how == "killed":
            await first.kill()
        else:
            first.child.pause()
        waiting = await own_jobs.job(target)
        await halt(own_jobs.cluster, own_jobs.namespace, **ALL)
        await ends_halted(own_jobs, running)
        assert "podUID" not in await ends_halted(own_jobs, waiting)
        if how == "frozen":
            first.child.resume()
            await first.logged("not leading any more")
            await ends_halted(own_jobs, await own_jobs.job(target))
