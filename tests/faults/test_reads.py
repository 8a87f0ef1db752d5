"""When the controller looks whether a job was there before: not where it must have seen it."""

from dataclasses import dataclass

import pytest

from krkn_grpc.resources import names
from tests.faults.conftest import StartBehind
from tests.faults.proxy import Call, Fault
from tests.support.custom_objects import JOBS, collection
from tests.support.jobs import Jobs


@dataclass
class Looks:
    """Counts the reads of records, and leaves all calls alone."""

    count: int = 0

    def rule(self, call: Call) -> Fault | None:
        if call.method == "GET" and f"/leases/{names.REQUEST_RECORD}" in call.path:
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
    behind, looks = await behind_a_proxy(), Looks()
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
