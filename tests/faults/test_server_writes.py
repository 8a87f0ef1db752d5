"""Something happens at the k-th write of a run with a requestId; then another server is asked.

Whatever the first answered, or whether it lived to answer, the repetition comes to exactly one
job a target, and what the first said of each target is true.
"""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.faults.conftest import ALL
from tests.faults.fault_kinds import EVERY, killed, refused
from tests.faults.proxy import Call, Fault, FaultProxy
from tests.faults.scenarios import is_over, lived_rightly, phase
from tests.integration.runs.conftest import Site, a_site
from tests.support.jobs import Jobs
from tests.support.object_watch import ObjectWatch
from tests.support.requests import IMAGE, canary, token_target
from tests.support.rpc import refused as told_why
from tests.support.running import Running, Wanted, running
from tests.support.runs import a_narrow_connection
from tests.support.target_client import Targets
from tests.support.waiting import eventually

SHORT = ("dropped after",)
TARGETS = 3
# The record, and for each target the Secret of its inputs and the job.
WRITES = 1 + 2 * TARGETS
SETTINGS = {
    "KRKN_WRITE_SECONDS": "3",
    "KRKN_SWEEP_SECONDS": "1",
    "KRKN_UNCLAIMED_SECONDS": "6",
}


@dataclass(frozen=True)
class Doubtful:
    """A server behind a proxy, and another one that is not."""

    site: Site
    server: Running
    proxy: FaultProxy

    @property
    def jobs(self) -> Jobs:
        """The administrator's hand on the jobs."""
        return Jobs(self.site.control_plane, self.site.namespace)


@pytest_asyncio.fixture
async def doubtful(control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Doubtful]:
    proxy = FaultProxy(control_plane.url, control_plane.ca_pem)
    free = Wanted(envoy=False, environment=SETTINGS)
    async with proxy.serving(), a_site(control_plane, tmp_path, free) as site:
        (folder := tmp_path / "doubtful").mkdir()
        behind = Wanted(
            controller=False, envoy=False, environment=SETTINGS, kubeconfig_url=proxy.url
        )
        async with running(site.cluster, site.namespace, folder, behind) as server:
            yield Doubtful(site, server, proxy)


@dataclass
class AtWrite:
    """Does something at the k-th write, once."""

    number: int
    fault: Fault
    writes: int = 0

    def rule(self, call: Call) -> Fault | None:
        """Return what happens to this call."""
        self.writes += call.is_write
        return self.fault if call.is_write and self.writes == self.number else None


async def play(
    doubtful: Doubtful, number: int, fault: Fault, *, is_killed: bool = False
) -> list[str]:
    """Ask one server, then the other, and assert that it was one run; return the jobs' ids."""
    targets = await doubtful.site.some_targets(TARGETS)
    asked: dict[str, Any] = {
        "requestId": str(uuid.uuid4()),
        "secretEnvironment": {"S": canary()},
        "scenarioImage": f"{IMAGE}-lasts-0s",
    }
    at = AtWrite(number, fault)
    doubtful.proxy.rule = at.rule
    first: pb.RunScenarioResponse | None = None
    async with a_narrow_connection(doubtful.server.processes.grpc_address) as runs:
        try:
            first = await runs.ask(*targets, **asked)
        except grpc.aio.AioRpcError as error:
            # It says that no job was created, or nothing at all, because it was killed.
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED):
                raise
            if not is_killed:
                assert await doubtful.site.jobs_on(*targets) == []
    doubtful.proxy.rule = lambda _: None
    assert at.writes >= number, "the fault did not happen"
    if first is not None:
        await is_true(doubtful.site, targets, first)
    job_ids = await doubtful.site.runs.run(*targets, **asked)
    if first is not None:
        for job, job_id in zip(first.jobs, job_ids, strict=True):
            assert job.job_id in ("", job_id)
    found = {
        (job["spec"]["targetUUID"], job["metadata"]["name"])
        for job in await doubtful.site.jobs_on(*targets)
    }
    assert found == set(zip(targets, job_ids, strict=True))
    return job_ids


async def is_true(site: Site, targets: list[str], reply: pb.RunScenarioResponse) -> None:
    """Assert that what a reply says of each target is so."""
    assert [job.target_uuid for job in reply.jobs] == targets
    exists = {
        job["spec"]["targetUUID"]: job["metadata"]["name"] for job in await site.jobs_on(*targets)
    }
    for job in reply.jobs:
        match job.status:
            case "Pending":
                assert job.success
                assert exists[job.target_uuid] == job.job_id
            case "Failed":
                assert (job.success, job.job_id, job.pod_name) == (False, "", "")
                assert job.error
                assert job.target_uuid not in exists
            case "Unknown":
                assert not job.success
                assert job.error
                assert exists.get(job.target_uuid, job.job_id) == job.job_id
            case other:
                pytest.fail(f"no outcome of the contract: {other}")


async def all_ran_once(doubtful: Doubtful, watch: ObjectWatch, job_ids: list[str]) -> None:
    """Assert that all ran once, and that no Secret outlives the sweep."""
    for job_id in job_ids:
        await watch.until("over", partial(is_over, watch, job_id), seconds=60)
        assert phase(watch, job_id) == "Succeeded"
        lived_rightly(watch, job_id)
    path = f"/api/v1/namespaces/{doubtful.site.namespace}/secrets"

    async def secrets() -> list[str]:
        listed = await doubtful.site.cluster.request("GET", path, labelSelector="krkn-job-id")
        return [secret["metadata"]["name"] for secret in listed["items"]]

    await eventually(secrets, lambda found: not found, seconds=60)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", EVERY if ALL else SHORT)
async def test_a_fault_at_each_write(doubtful: Doubtful, kind: str) -> None:
    async with doubtful.jobs.watch() as watch:
        job_ids: list[str] = []
        for number in range(1, WRITES + 1):
            job_ids += await play(doubtful, number, EVERY[kind])
        await all_ran_once(doubtful, watch, job_ids)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("when", ["before", "after"] if ALL else ["after"])
async def test_killed_at_each_write(doubtful: Doubtful, when: str) -> None:
    """The server dies with kill -9, before or after the write takes effect."""
    server = doubtful.server.processes

    async def kill() -> None:
        await server.kill("server")

    async with doubtful.jobs.watch() as watch:
        job_ids: list[str] = []
        for number in range(1, WRITES + 1) if ALL else (1, 3, WRITES):
            job_ids += await play(
                doubtful, number, killed(kill, after=when == "after"), is_killed=True
            )
            await server.restart("server")
        await all_ran_once(doubtful, watch, job_ids)


@pytest.mark.parametrize("is_withdrawn", [True, False])
async def test_a_target_that_may_be_half_made_is_not_to_be_asked_for_again(
    doubtful: Doubtful, is_withdrawn: bool
) -> None:
    """The same call would find its name taken by what the first one has left."""
    targets, body = Targets(doubtful.server.channel), token_target()
    throttled = refused(429, "TooManyRequests", retry_after=1)

    def rule(call: Call) -> Fault | None:
        is_throttled = call.path.endswith("/secrets") or (
            call.method == "DELETE" and not is_withdrawn
        )
        return throttled if is_throttled else None

    doubtful.proxy.rule = rule
    refusal = await told_why(targets.create(body))
    assert refusal.code is grpc.StatusCode.UNAVAILABLE
    assert refusal.retry_seconds == (1 if is_withdrawn else None)
    doubtful.proxy.rule = lambda _: None
    again = targets.create(body)
    if is_withdrawn:
        assert await again
    else:
        assert (await told_why(again)).code is grpc.StatusCode.ALREADY_EXISTS
