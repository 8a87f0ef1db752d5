"""Writes that are not answered: settled by repeating them, or told as unknown, never as refused."""

import uuid
from typing import Any

import pytest
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.runs.conftest import Site, StartServer, Unsure
from tests.integration.runs.held import (
    Hold,
    a_proxy,
    cut,
    heal,
    only_lists_jobs,
    told,
    writes_of,
)
from tests.support.custom_objects import JOBS
from tests.support.jobs import Jobs
from tests.support.requests import canary
from tests.support.rpc import refused
from tests.support.runs import Runs
from tests.support.waiting import eventually

UNKNOWN = "the write was not confirmed: the job may exist; stop it by its jobId"


async def test_an_answer_that_is_lost_once_is_asked_for_again(site: Site, unsure: Unsure) -> None:
    targets = await site.some_targets(3)
    cut(unsure.proxy, "after", lambda call: call.is_write, only_once=True)
    asked = {"requestId": str(uuid.uuid4()), "secretEnvironment": {"S": canary()}}
    job_ids = await unsure.runs.run(*targets, **asked)
    found = await site.jobs_on(*targets)
    assert {job["metadata"]["name"] for job in found} == set(job_ids)
    assert {job_id: (await site.runs.when(job_id)).status for job_id in job_ids} == dict.fromkeys(
        job_ids, "Succeeded"
    )
    # The server that wrote them lists them at once, though no answer said so.
    assert {job.target_uuid for job in await unsure.runs.list()} >= set(targets)


async def test_a_job_that_may_exist_is_unknown_and_can_be_stopped(
    site: Site, unsure: Unsure
) -> None:
    good, bad, other = await site.some_targets(3)
    asked: dict[str, Any] = {
        "requestId": str(uuid.uuid4()),
        "scenarioImage": "registry.example/krkn-hub:never-ends",
    }
    cut(unsure.proxy, "after", writes_of(bad))
    reply = await unsure.runs.ask(good, bad, other, **asked)
    assert told(reply) == [
        (good, "Pending", True),
        (bad, "Unknown", False),
        (other, "Pending", True),
    ]
    assert (reply.successful_jobs, reply.failed_jobs) == (2, 1)
    unknown = reply.jobs[1]
    assert (unknown.error, unknown.pod_name) == (UNKNOWN, f"krkn-job-{unknown.job_id}")
    [found] = await site.jobs_on(bad)
    assert found["metadata"]["name"] == unknown.job_id

    heal(unsure.proxy)
    again = await unsure.runs.ask(good, bad, other, **asked)
    assert told(again) == [(target, "Pending", True) for target in (good, bad, other)]
    assert [job.job_id for job in again.jobs] == [job.job_id for job in reply.jobs]
    assert len(await site.jobs_on(good, bad, other)) == 3
    await site.runs.stop(unknown.job_id)
    assert (await site.runs.when(unknown.job_id)).status == "Stopped"


async def test_a_job_that_never_arrived_is_unknown_and_started_by_the_retry(
    site: Site, unsure: Unsure
) -> None:
    [target], asked = await site.some_targets(1), {"requestId": str(uuid.uuid4())}
    cut(unsure.proxy, "before", writes_of(target))
    reply = await unsure.runs.ask(target, **asked)
    assert told(reply) == [(target, "Unknown", False)]
    job_id = reply.jobs[0].job_id
    assert await site.jobs_on(target) == []
    assert (await refused(site.runs.job(job_id))).code is StatusCode.NOT_FOUND
    assert await site.runs.run(target, **asked) == [job_id]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_without_a_run_there_is_no_job_and_asking_again_is_safe(
    site: Site, unsure: Unsure, when: str
) -> None:
    [target], asked = await site.some_targets(1), {"requestId": str(uuid.uuid4())}
    cut(unsure.proxy, when, lambda call: str(call) == "POST krknchaosruns")
    found = await refused(unsure.runs.start(target, **asked))
    assert (found.code, found.retry_seconds) == (StatusCode.UNAVAILABLE, 1)
    assert await site.jobs_on(target) == []
    heal(unsure.proxy)
    assert len(await unsure.runs.run(target, **asked)) == 1


async def test_a_job_that_has_come_and_gone_is_not_started_by_the_repeated_write(
    site: Site, jobs: Jobs, control_plane: ControlPlane, a_server: StartServer
) -> None:
    """Its caller gave no requestId, so it is for the server to know its own writes."""
    [target] = await site.some_targets(1)
    async with a_proxy(control_plane) as proxy, a_server(proxy.url) as server:
        cut(proxy, "after", writes_of(target))
        hold = Hold(proxy, "before", f"POST {JOBS}", number=2)
        call = Runs(server.channel).start(target, ttlSecondsAfterFinished=0)
        await hold.came.wait()
        # The first write took effect: its job ran, ended and is gone. Now comes the second one.
        await eventually(lambda: site.jobs_on(target), lambda found: not found)
        await eventually(lambda: site.pods_on(target), lambda found: not found)
        async with jobs.watch() as watch:
            heal(proxy)
            hold.go_on.set()
            [started] = (await call).jobs
            await eventually(lambda: site.jobs_on(target), lambda found: not found)
            versions = watch.versions_of(JOBS, started.job_id)
            assert versions[-1]["status"]["reason"] == "AlreadyRan"
            assert not watch.versions_of("pods", started.pod_name)


async def test_inputs_that_cannot_be_written_are_that_targets_failure(
    site: Site, unsure: Unsure
) -> None:
    [target] = await site.some_targets(1)
    cut(unsure.proxy, "after", lambda call: str(call) == "POST secrets")
    reply = await unsure.runs.ask(target, secretEnvironment={"S": canary()})
    assert told(reply) == [(target, "Failed", False)]
    assert (reply.jobs[0].job_id, reply.jobs[0].pod_name) == ("", "")
    assert await site.jobs_on(target) == []


async def test_a_repetition_that_cannot_look_is_unknown_not_refused(
    site: Site, control_plane: ControlPlane, a_server: StartServer
) -> None:
    [target], asked = await site.some_targets(1), {"requestId": str(uuid.uuid4())}
    async with a_proxy(control_plane) as proxy:
        only_lists_jobs(proxy)
        async with a_server(proxy.url, write_seconds=3) as server:
            job_ids = await site.runs.run(target, **asked)
            cut(proxy, "before", lambda call: str(call) == "GET krknchaosjobs")
            reply = await Runs(server.channel).ask(target, **asked)
            assert told(reply) == [(target, "Unknown", False)]
            assert [job.job_id for job in reply.jobs] == job_ids


async def test_a_call_whose_time_is_over_starts_no_more(site: Site, unsure: Unsure) -> None:
    """More targets than are written at once, and no answer: the last ones are not even tried."""
    targets = await site.some_targets(80)
    cut(unsure.proxy, "after", lambda call: str(call) == "POST krknchaosjobs")
    reply = await unsure.runs.ask(*targets)
    statuses = [job.status for job in reply.jobs]
    assert set(statuses) == {"Unknown", "Failed"}
    tried = [job.job_id for job in reply.jobs if job.status == "Unknown"]
    found = {job["metadata"]["name"] for job in await site.jobs_on(*targets)}
    assert found == set(tried)
    assert {job.job_id for job in reply.jobs if job.status == "Failed"} == {""}
