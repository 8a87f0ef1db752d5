"""What the controller reads before it makes a pod: not what it must have seen."""

import asyncio
from dataclasses import dataclass

import pytest

from krkn_grpc.resources import names
from tests.faults.conftest import StartBehind
from tests.faults.proxy import Call, Fault
from tests.support.custom_objects import JOBS, TARGETS, collection
from tests.support.jobs import Jobs


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


async def revision(jobs: Jobs) -> str:
    listed = await jobs.cluster.request("GET", collection(JOBS, jobs.namespace), limit="1")
    now: str = listed["metadata"]["resourceVersion"]
    return now


@pytest.mark.timeout(180)
async def test_only_what_it_cannot_know_is_read(jobs: Jobs, behind_a_proxy: StartBehind) -> None:
    behind, looks = await behind_a_proxy(), Looks(f"/leases/{names.REQUEST_RECORD}")
    behind.proxy.rule = looks.rule
    await behind.controller.start()
    await behind.controller.logged("leading")
    target = await jobs.target()
    asked_at = await revision(jobs)

    known = await jobs.job(target, asked_at=asked_at)
    await jobs.finished(known)
    assert looks.new() == 0

    by_hand = await jobs.job(target)
    await jobs.finished(by_hand)
    assert looks.new() >= 1

    await jobs.delete(known)
    await jobs.gone(known)
    await jobs.no_pod(known)
    await jobs.job(target, jobId=known, asked_at=asked_at)
    assert (await jobs.finished(known))["phase"] == "Succeeded", "nobody has recorded it"
    assert looks.new() >= 1, "a job of this name was there"

    await behind.controller.kill()
    await behind.controller.start()
    await jobs.finished(await jobs.job(target, asked_at=asked_at))
    assert looks.new() >= 1, "whoever has just come has not seen what was before"
    await jobs.finished(await jobs.job(target, asked_at=await revision(jobs)))
    assert looks.new() == 0


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
