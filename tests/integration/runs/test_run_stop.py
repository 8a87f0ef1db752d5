"""StopRun: all jobs of a run end, also those that do not exist yet; as often as one likes."""

import asyncio

import pytest
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.runs.conftest import Site, StartServer, Unsure
from tests.integration.runs.held import Hold, a_proxy, cut, heal
from tests.support.custom_objects import RUNS, Manifest, collection
from tests.support.requests import IMAGE
from tests.support.rpc import refused
from tests.support.runs import Runs

FOR_EVER = f"{IMAGE}-never-ends"


async def stored(site: Site, run_id: str) -> Manifest:
    """Return a run as the API server has it."""
    path = f"{collection(RUNS, site.namespace)}/{run_id}"
    return await site.cluster.request("GET", path)


async def test_all_of_its_jobs_end_and_those_that_wait(site: Site) -> None:
    targets = await site.some_targets(3)
    run = await site.runs.run_of(*targets, scenarioImage=FOR_EVER, maxParallel=1)
    await site.runs.when(run.targets[0].job_id, "Running")
    stopping = await site.runs.stop_run(run.run_id)
    assert stopping.status == "Stopping"
    assert (stopping.stop.reason, stopping.stop.by) == ("StopRequested", "")
    assert stopping.stop.message
    assert [each.job_id for each in stopping.targets] == [each.job_id for each in run.targets]
    ended = await site.runs.run_when(run.run_id)
    assert (ended.status, ended.counts.stopped, ended.counts.total) == ("Stopped", 3, 3)
    for each in run.targets:
        job = await site.runs.job(each.job_id)
        assert (job.status, job.reason) == ("Stopped", "StopRequested")


async def test_many_at_once_are_one_stop(site: Site) -> None:
    [target] = await site.some_targets(1)
    run = await site.runs.run_of(target, scenarioImage=FOR_EVER)
    stops = [server.stop_run(run.run_id) for server in (site.runs, site.other_runs) * 10]
    replies = await asyncio.gather(*stops)
    assert {each.status for each in replies} <= {"Stopping", "Stopped"}
    generation = (await stored(site, run.run_id))["metadata"]["generation"]
    assert generation == 2, "the stop was written once"
    ended = await site.runs.run_when(run.run_id)
    assert await site.other_runs.stop_run(run.run_id) == ended, "asked again, it is as it was"


async def test_what_has_ended_stays_as_it_is(site: Site) -> None:
    [target] = await site.some_targets(1)
    run = await site.runs.run_of(target, scenarioImage=f"{IMAGE}-lasts-0s")
    ended = await site.runs.run_when(run.run_id)
    assert ended.status == "Succeeded"
    assert await site.runs.stop_run(run.run_id) == ended
    assert "stop" not in (await stored(site, run.run_id))["spec"]


async def test_the_server_that_was_told_shows_it_at_once(site: Site) -> None:
    [target] = await site.some_targets(1)
    run = await site.runs.run_of(target, scenarioImage=FOR_EVER)
    await site.runs.stop_run(run.run_id)
    assert (await site.runs.get(run.run_id)).status in ("Stopping", "Stopped")
    [listed] = [
        each
        for status in ("Stopping", "Stopped")
        for each in await site.runs.list_runs(status=status)
        if each.run_id == run.run_id
    ]
    assert listed.stop.reason == "StopRequested"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_stop_that_is_not_answered_is_asked_for_again(
    site: Site, unsure: Unsure, when: str
) -> None:
    [target] = await site.some_targets(1)
    run = await site.runs.run_of(target, scenarioImage=FOR_EVER)
    cut(unsure.proxy, when, lambda call: str(call) == f"PATCH {RUNS}", only_once=True)
    assert (await unsure.runs.stop_run(run.run_id)).status in ("Stopping", "Stopped")
    assert (await stored(site, run.run_id))["spec"]["stop"]["reason"] == "StopRequested"


async def test_without_an_api_server_it_says_so(site: Site, unsure: Unsure) -> None:
    [target] = await site.some_targets(1)
    run = await site.runs.run_of(target, scenarioImage=FOR_EVER)
    await site.runs.run_when(run.run_id, "Running")
    cut(unsure.proxy, "before", lambda call: call.method == "PATCH")
    found = await refused(unsure.runs.stop_run(run.run_id))
    assert found.code is StatusCode.UNAVAILABLE
    assert (await site.runs.get(run.run_id)).status == "Running"


async def test_a_run_that_ends_meanwhile_is_not_touched(site: Site, unsure: Unsure) -> None:
    [target] = await site.some_targets(1)
    run = await site.runs.run_of(target, scenarioImage=f"{IMAGE}-lasts-3s")
    await unsure.runs.run_when(run.run_id, "Running")
    hold = Hold(unsure.proxy, "before", f"PATCH {RUNS}")
    call = asyncio.ensure_future(unsure.runs.stop_run(run.run_id))
    await hold.came.wait()
    await site.runs.run_when(run.run_id, "Succeeded")
    heal(unsure.proxy)
    hold.go_on.set()
    assert (await call).status == "Succeeded"
    assert "stop" not in (await stored(site, run.run_id))["spec"]


async def test_by_a_server_that_has_not_heard_of_the_run(
    site: Site, control_plane: ControlPlane, a_server: StartServer
) -> None:
    async with a_proxy(control_plane) as proxy:
        Hold(proxy, "before", f"GET {RUNS}", 2)  # it lists, and never watches
        async with a_server(proxy.url) as server:
            heal(proxy)
            [target] = await site.some_targets(1)
            run = await site.runs.run_of(target, scenarioImage=FOR_EVER)
            assert (await Runs(server.channel).stop_run(run.run_id)).status == "Stopping"
    assert (await site.runs.run_when(run.run_id)).status == "Stopped"
