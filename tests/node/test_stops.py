"""Stops of real containers: the grace period, the rollback, and what is dead afterwards."""

import asyncio
from datetime import datetime

import pytest

from tests.node.stage import GRACE_SECONDS, Stage

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("image", ["rolls-back", "under-a-shell"])
async def test_a_stop_lets_the_scenario_roll_back(stage: Stage, image: str) -> None:
    job = await stage.run_one(image, environment={"ROLLBACK_SECONDS": "3"})
    await stage.says(job, "the chaos is on")
    # The node forgets the log of a pod that was deleted; who follows it reads it to its end.
    following = asyncio.create_task(stage.follow(job))
    await stage.stop(job)
    await stage.when(job, lambda shown: shown["status"] == "Stopping")
    shown = await stage.ended(job)
    log = await following
    assert (shown["status"], shown["exitCode"]) == ("Stopped", 143), log
    assert await stage.targets[0].has_config_map(stage.victims, "rolled-back"), log
    assert log.count("received SIGTERM") == log.count("\nrolled back") == 1, log


@pytest.mark.parametrize("image", ["rolls-back", "under-a-shell"])
async def test_a_rollback_that_takes_no_time_is_a_stop_too(stage: Stage, image: str) -> None:
    job = await stage.run_one(image, environment={"ROLLBACK_SECONDS": "0"})
    await stage.says(job, "the chaos is on")
    await stage.stop(job)
    shown = await stage.ended(job)
    assert (shown["status"], shown["exitCode"]) == ("Stopped", 143)
    assert await stage.targets[0].has_config_map(stage.victims, "rolled-back")


@pytest.mark.parametrize("image", ["rolls-back", "under-a-shell"])
async def test_a_scenario_whose_time_is_over_rolls_back(stage: Stage, image: str) -> None:
    job = await stage.run_one(image, environment={"ROLLBACK_SECONDS": "1"}, timeoutSeconds=10)
    shown = await stage.ended(job)
    assert (shown["status"], shown["reason"]) == ("Failed", "DeadlineExceeded")
    assert await stage.targets[0].has_config_map(stage.victims, "rolled-back")


@pytest.mark.parametrize("image", ["prepares", "prepares-and-becomes"])
async def test_a_stop_while_the_scenario_prepares_is_heard_when_it_begins(
    stage: Stage, image: str
) -> None:
    job = await stage.run_one(image, environment={"ROLLBACK_SECONDS": "1"})
    await stage.says(job, "preparing")
    await stage.stop(job)
    shown = await stage.ended(job)
    assert (shown["status"], shown["exitCode"]) == ("Stopped", 143)
    assert await stage.targets[0].has_config_map(stage.victims, "rolled-back")


async def test_a_scenario_that_hears_nothing_is_dead_when_its_grace_is_over(stage: Stage) -> None:
    job = await stage.run_one("ignores-sigterm")
    await stage.says(job, "the chaos is on")
    assert await stage.processes("ignores-sigterm.sh")
    await stage.stop(job)
    shown = await stage.ended(job)
    assert await stage.processes("ignores-sigterm.sh") == []
    assert (shown["status"], shown["exitCode"]) == ("Stopped", 137)
    # It was given its time, in whole seconds.
    asked = await stage.event(job, "Killing")
    lasted = _moment(shown["completionTime"]) - _moment(asked["firstTimestamp"])
    assert lasted.total_seconds() >= GRACE_SECONDS - 2


async def test_an_image_without_a_shell_stops_as_if_there_were_no_hook(stage: Stage) -> None:
    job = await stage.run_one("no-shell")
    await stage.running(job)
    await stage.stop(job)
    shown = await stage.ended(job)
    assert shown["status"] == "Stopped"
    # SIGTERM reached it after the hook had failed: nothing waited for the end of the grace period.
    assert shown["exitCode"] != 137
    assert await stage.event(job, "FailedPreStopHook")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
