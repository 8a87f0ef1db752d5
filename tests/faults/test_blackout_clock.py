"""Blackouts, while a clock is set, and while they cannot be listed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from tests.faults.conftest import StartBehind
from tests.faults.fault_kinds import EVERY
from tests.faults.proxy import Call, Exchange, Fault
from tests.faults.test_blackouts import SECONDS
from tests.support.blackouts import MINUTE, blackout, once_at
from tests.support.custom_objects import BLACKOUTS
from tests.support.jobs import Jobs
from tests.support.targets import condition
from tests.support.waiting import eventually

WAITS_OR_OVER = ("BlackoutsUnknown", "Completed")


def dated(now: Callable[[], datetime]) -> Callable[[Call], Fault | None]:
    """Return a rule by which the API server's clock shows another time."""

    async def fault(exchange: Exchange) -> web.Response:
        answer = await exchange.forward()
        answer.headers["Date"] = format_datetime(now().astimezone(UTC), usegmt=True)
        return answer

    return lambda call: None if call.is_watch else fault


@pytest.mark.timeout(180)
async def test_the_time_is_the_api_servers(jobs: Jobs, behind_a_proxy: StartBehind) -> None:
    """A blackout begins, stops what runs and ends as its clock says, also when that is set."""
    # The real clock stamps deletions: by the other one their grace is long over.
    behind = await behind_a_proxy(node_lost_seconds=600)
    ahead = timedelta()
    behind.proxy.rule = dated(lambda: datetime.now(UTC) + ahead)
    await behind.controller.start()
    target = await jobs.target()
    running = await jobs.job(target, "never-ends")
    await jobs.running(running)
    begin = datetime.now(UTC).replace(second=0, microsecond=0) + 2 * MINUTE
    end = begin + MINUTE
    spec = {"schedule": once_at(begin), "durationSeconds": 60, "stopRunning": True}
    await blackout(jobs.cluster, jobs.namespace, **spec)
    assert (await jobs.finished(await jobs.job(target)))["phase"] == "Succeeded"

    ahead = begin - datetime.now(UTC) - timedelta(seconds=3)
    status = await jobs.finished(running)
    assert (status["phase"], status["reason"]) == ("Stopped", "Blackout")
    waiting = await jobs.job(target)
    await jobs.waiting(waiting, "Blackout")

    ahead = end - datetime.now(UTC) - timedelta(seconds=3)
    status = await jobs.finished(waiting)
    assert status["phase"] == "Succeeded"
    queued = condition(await jobs.read(waiting), "Queued")
    let_go = datetime.fromisoformat(queued["lastTransitionTime"])
    # By the clock of this machine it would be more than a minute sooner.
    assert timedelta() <= let_go - end <= timedelta(seconds=30)

    ahead = timedelta()
    # Back to before it: nothing is remembered of it. Then into it at once, and back again.
    assert (await jobs.finished(await jobs.job(target)))["phase"] == "Succeeded"
    running = await jobs.job(target, "never-ends")
    await jobs.running(running)
    ahead = begin - datetime.now(UTC) + timedelta(seconds=20)
    assert (await jobs.finished(running))["reason"] == "Blackout"
    waiting = await jobs.job(target)
    await jobs.waiting(waiting, "Blackout")
    ahead = timedelta()
    assert (await jobs.finished(waiting))["phase"] == "Succeeded"


@pytest.mark.parametrize("what", ["list", "watch"])
async def test_blackouts_that_cannot_be_listed_let_nothing_start(
    jobs: Jobs, behind_a_proxy: StartBehind, what: str
) -> None:
    """Without lists nothing starts; without a watch a blackout is found in the lists."""
    behind = await behind_a_proxy()
    await behind.controller.start()
    target = await jobs.target()

    def rule(call: Call) -> Fault | None:
        if not call.path.endswith(f"/{BLACKOUTS}"):
            return None
        return EVERY["internal error"] if call.is_watch == (what == "watch") else None

    behind.proxy.rule = rule
    if what == "watch":
        behind.proxy.cut_watches()
        running = await jobs.job(target, "never-ends")
        await jobs.running(running)
        await blackout(jobs.cluster, jobs.namespace, stopRunning=True)
        status = await jobs.finished(running)
        assert (status["phase"], status["reason"]) == ("Stopped", "Blackout")
        await jobs.waiting(await jobs.job(target), "Blackout")
        return
    await behind.controller.logged("krknchaosblackouts not listed")

    async def one_that_waits() -> str:
        """They are known for some seconds more."""
        job = await jobs.job(target)
        status = await jobs.when(job, lambda seen: seen.get("reason") in WAITS_OR_OVER)
        return job if status["reason"] == "BlackoutsUnknown" else ""

    waiting = await eventually(one_that_waits, seconds=SECONDS)
    assert "podUID" not in await jobs.status(waiting)
    behind.proxy.rule = lambda _: None
    assert (await jobs.finished(waiting))["phase"] == "Succeeded"
