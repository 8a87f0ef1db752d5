"""What follows a log when something falls silent, breaks off or stops."""

import asyncio

import pytest
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.runs.asked import a_job
from tests.integration.runs.conftest import Site, StartServer
from tests.integration.runs.held import a_proxy, cut
from tests.support.runs import Runs, code_of


async def test_a_log_that_breaks_off_is_not_taken_for_whole(site: Site) -> None:
    job_id = await a_job(site, "never-ends-log-is-cut")
    log = site.runs.log(job_id, follow=True)
    assert (await log.read()).data.startswith(b"scenario ")
    assert await code_of(log) is StatusCode.UNAVAILABLE
    assert await log.details() == "the log broke off; try again"


@pytest.mark.parametrize(
    ("what", "message"),
    [
        pytest.param("the API server", "the Kubernetes API cannot be reached now", id="no answer"),
        pytest.param("the end of the log", "the log broke off; try again", id="no end"),
    ],
)
async def test_a_log_whose_other_end_has_died_is_not_waited_for(
    site: Site, control_plane: ControlPlane, a_server: StartServer, what: str, message: str
) -> None:
    """A connection that nobody closed is as silent as a scenario that has nothing to say."""
    job_id = await a_job(site, "never-ends")
    await site.runs.when(job_id, "Running")
    async with (
        a_proxy(control_plane) as proxy,
        a_server(proxy.url, log_silence_seconds=1) as server,
    ):
        log = Runs(server.channel).log(job_id, follow=True)
        assert (await log.read()).data.startswith(b"scenario ")
        proxy.streams_flow.clear()
        if what == "the API server":
            cut(proxy, "before", lambda call: True)
        else:
            await site.runs.stop(job_id)
        assert await code_of(log) is StatusCode.UNAVAILABLE
        assert message in await log.details()


async def test_a_silent_scenario_is_waited_for(site: Site, a_server: StartServer) -> None:
    job_id = await a_job(site, "never-ends-logs-nothing")
    await site.runs.when(job_id, "Running")
    async with a_server(log_silence_seconds=0.1) as server:
        log = Runs(server.channel).log(job_id, follow=True)
        more = asyncio.ensure_future(log.read())
        assert not (await asyncio.wait({more}, timeout=2))[0], "it was cut"
        await site.runs.stop(job_id)
        await more
        assert await code_of(log) is StatusCode.OK


async def test_following_ends_when_the_server_stops(site: Site, a_server: StartServer) -> None:
    running, waiting = await a_job(site, "never-ends"), await a_job(site, "never-starts")
    async with a_server() as server:
        logs = [Runs(server.channel).log(job_id, follow=True) for job_id in (running, waiting)]
        await logs[0].read()
        # Not 20 s later: that is for calls that come to an end by themselves.
        stopping = asyncio.create_task(server.processes.child("server").stop(10))
        assert [await code_of(log) for log in logs] == [StatusCode.UNAVAILABLE] * 2
        await stopping
        assert server.processes.child("server").exit_code == 0
