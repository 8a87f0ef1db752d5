"""What the controller reads: not what it must have seen, and nothing but the API server's."""

import asyncio
import json
from dataclasses import dataclass

import pytest
from aiohttp import web

from krkn_grpc.resources import names
from tests.faults.conftest import StartBehind
from tests.faults.fault_kinds import held, not_the_api_server
from tests.faults.proxy import Call, Exchange, Fault
from tests.support.custom_objects import TARGETS
from tests.support.jobs import Jobs
from tests.support.waiting import eventually


@dataclass
class Looks:
    """Counts the reads of single objects, and leaves all calls alone."""

    path: str
    count: int = 0

    def rule(self, call: Call) -> Fault | None:
        if call.method == "GET" and self.path in call.path:
            self.count += 1
        return None

    def new(self) -> int:
        """Return how many there were since this was asked last."""
        found, self.count = self.count, 0
        return found


@pytest.mark.timeout(180)
async def test_the_target_is_read_for_an_old_job_only(
    jobs: Jobs, behind_a_proxy: StartBehind
) -> None:
    """A watch that was cut off without a word may not decide for longer than half a minute."""
    behind = await behind_a_proxy()
    await behind.controller.start()
    target = await jobs.target()
    looks = Looks(f"/{TARGETS}/{target['metadata']['name']}")
    behind.proxy.rule = looks.rule
    await jobs.finished(await jobs.job(target))
    assert looks.new() == 0

    await behind.controller.kill()
    old = await jobs.job(target)
    await asyncio.sleep(31)  # it is the age itself that is waited for
    await behind.controller.start()
    assert (await jobs.finished(old))["phase"] == "Succeeded"
    assert looks.new() >= 1


async def without_items(exchange: Exchange) -> web.Response:
    """A list as an API server gives it that is far behind."""
    answer = await exchange.forward()
    listed = json.loads(answer.body)  # type: ignore[arg-type]  # bytes, as forward made it
    return web.json_response(listed | {"items": []})


@pytest.mark.parametrize("code", [200, 404])
async def test_a_page_in_the_place_of_a_pod_does_not_say_that_it_is_gone(
    jobs: Jobs, behind_a_proxy: StartBehind, code: int
) -> None:
    behind = await behind_a_proxy()
    await behind.controller.start()
    job = await jobs.job(await jobs.target(), "never-ends")
    before = await jobs.running(job)
    await behind.controller.kill()
    pod, reads, never = f"/pods/{names.pod_for(job)}", 0, asyncio.Event()

    def rule(call: Call) -> Fault | None:
        nonlocal reads
        if call.path.endswith("/pods"):
            return held(never) if call.is_watch else without_items
        if call.method == "GET" and call.path.endswith(pod):
            reads += 1
            return not_the_api_server(code)
        return None

    async def has_asked_again() -> bool:
        return reads >= 3

    behind.proxy.rule = rule
    await behind.controller.start()
    await eventually(has_asked_again)
    assert await jobs.status(job) == before
    assert await jobs.secrets_of(job)

    behind.proxy.rule = lambda _: None
    behind.proxy.cut_watches()
    await jobs.stop(job)
    assert (await jobs.finished(job))["phase"] == "Stopped"
