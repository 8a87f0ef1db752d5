"""StopScenarioRun in every state a job can be in, from any server, as often as one likes."""

import asyncio
import uuid
from functools import partial

import pytest
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.runs.conftest import Site, StartServer, Unsure
from tests.integration.runs.held import Hold, a_proxy, cut, heal
from tests.support.jobs import Jobs
from tests.support.requests import IMAGE
from tests.support.rpc import refused
from tests.support.runs import Runs
from tests.support.waiting import eventually


async def a_job(site: Site, behaviour: str) -> str:
    """Start a job of its own target."""
    [target] = await site.some_targets(1)
    [job_id] = await site.runs.run(target, scenarioImage=f"{IMAGE}-{behaviour}")
    return job_id


async def assert_stopped(site: Site, jobs: Jobs, job_id: str) -> None:
    """Assert that a job ends as Stopped, and that nothing is left of it but itself."""
    job = await site.runs.when(job_id)
    assert (job.status, job.reason) == ("Stopped", "StopRequested")
    await jobs.no_secrets(job_id)
    await jobs.no_pod(job_id)


async def test_at_once(site: Site, jobs: Jobs) -> None:
    job_id = await a_job(site, "never-ends")
    assert (await site.runs.stop(job_id)).status in ("Stopping", "Stopped")
    await assert_stopped(site, jobs, job_id)


async def test_as_it_waits_for_its_image(site: Site, jobs: Jobs) -> None:
    job_id = await a_job(site, "image-pull-error")
    await eventually(lambda: site.runs.job(job_id), lambda job: job.reason == "ErrImagePull")
    stopping = await site.runs.stop(job_id)
    assert stopping.status == "Stopping"
    await assert_stopped(site, jobs, job_id)
    assert not (await site.runs.job(job_id)).HasField("exit_code")


async def test_as_it_runs_on_either_server(site: Site, jobs: Jobs) -> None:
    for server in (site.runs, site.other_runs):
        job_id = await a_job(site, "never-ends")
        await site.runs.when(job_id, "Running")
        assert (await server.stop(job_id)).status == "Stopping"
        assert (await server.job(job_id)).status in ("Stopping", "Stopped")
        await assert_stopped(site, jobs, job_id)
        assert (await site.runs.job(job_id)).exit_code == 143


async def test_a_job_that_is_stopping_stays_so(site: Site, jobs: Jobs) -> None:
    job_id = await a_job(site, "ignores-sigterm")
    await site.runs.when(job_id, "Running")
    first = await site.runs.stop(job_id)
    again = await site.other_runs.stop(job_id)
    assert {first.status, again.status} == {"Stopping"}
    version = (await jobs.read(job_id))["metadata"]["generation"]
    await site.runs.stop(job_id)
    assert (await jobs.read(job_id))["metadata"]["generation"] == version, "nothing was written"


async def test_what_was_stopped_stays_in_the_history(site: Site, jobs: Jobs) -> None:
    """A stop ends a job, as Stopped and never as Failed, and takes no record of it away."""
    job_id = await a_job(site, "never-ends")
    await site.runs.when(job_id, "Running")
    await site.runs.stop(job_id)
    await assert_stopped(site, jobs, job_id)
    job = await site.runs.job(job_id)
    assert job.start_time
    assert job.completion_time
    assert await site.runs.stop(job_id) == job, "asked again, it is as it was"
    for server in (site.runs, site.other_runs):
        listed = await eventually(
            partial(server.list, target_uuid=job.target_uuid, status="Stopped"), bool
        )
        assert listed == [job]


async def test_many_at_once_are_one_stop(site: Site, jobs: Jobs) -> None:
    job_id = await a_job(site, "never-ends")
    await site.runs.when(job_id, "Running")
    stops = [server.stop(job_id) for server in (site.runs, site.other_runs) for _ in range(10)]
    replies = await asyncio.gather(*stops)
    assert {job.status for job in replies} <= {"Stopping", "Stopped"}
    await assert_stopped(site, jobs, job_id)


@pytest.mark.parametrize(
    ("behaviour", "status"), [("lasts-0s", "Succeeded"), ("exit-3-lasts-0s", "Failed")]
)
async def test_what_has_ended_stays_as_it_is(
    site: Site, jobs: Jobs, behaviour: str, status: str
) -> None:
    job_id = await a_job(site, behaviour)
    ended = await site.runs.when(job_id)
    assert ended.status == status
    before = await jobs.read(job_id)
    assert await site.runs.stop(job_id) == ended
    assert await site.other_runs.stop(job_id) == ended
    assert await jobs.read(job_id) == before


async def test_a_job_that_ends_meanwhile_is_not_touched(
    site: Site, jobs: Jobs, unsure: Unsure
) -> None:
    job_id = await a_job(site, "lasts-3s")
    await unsure.runs.when(job_id, "Running")
    hold = Hold(unsure.proxy, "before", "PATCH krknchaosjobs")
    call = asyncio.ensure_future(unsure.runs.stop(job_id))
    await hold.came.wait()
    await site.runs.when(job_id, "Succeeded")
    heal(unsure.proxy)
    hold.go_on.set()
    assert (await call).status == "Succeeded"
    assert not (await jobs.read(job_id))["spec"].get("stop")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_stop_that_is_not_answered_is_asked_for_again(
    site: Site, jobs: Jobs, unsure: Unsure, when: str
) -> None:
    job_id = await a_job(site, "never-ends")
    await unsure.runs.when(job_id, "Running")
    cut(unsure.proxy, when, lambda call: str(call) == "PATCH krknchaosjobs", only_once=True)
    assert (await unsure.runs.stop(job_id)).status in ("Stopping", "Stopped")
    await assert_stopped(site, jobs, job_id)


async def test_without_an_api_server_it_says_so(site: Site, unsure: Unsure) -> None:
    job_id = await a_job(site, "never-ends")
    await unsure.runs.when(job_id, "Running")
    cut(unsure.proxy, "before", lambda call: call.method == "PATCH")
    found = await refused(unsure.runs.stop(job_id))
    assert found.code is StatusCode.UNAVAILABLE
    assert (await site.runs.job(job_id)).status == "Running"


async def test_a_job_that_is_not_there(site: Site, jobs: Jobs) -> None:
    job_id = await a_job(site, "lasts-0s")
    await jobs.delete(job_id)
    await jobs.gone(job_id)
    for absent in (job_id, str(uuid.uuid4())):
        found = await refused(site.other_runs.stop(absent))
        assert (found.code, found.message) == (StatusCode.NOT_FOUND, "there is no such job")


async def test_by_a_server_that_has_not_heard_of_the_job(
    site: Site, jobs: Jobs, control_plane: ControlPlane, a_server: StartServer
) -> None:
    async with a_proxy(control_plane) as proxy:
        Hold(proxy, "before", "GET krknchaosjobs", 2)  # it lists, and never watches
        async with a_server(proxy.url) as server:
            heal(proxy)
            job_id = await a_job(site, "never-ends")
            assert (await Runs(server.channel).stop(job_id)).status == "Stopping"
    await assert_stopped(site, jobs, job_id)
