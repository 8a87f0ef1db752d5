"""The resumeToken of a watch: it goes on from there, on any server, or says that it cannot."""

import base64
import json
from typing import Any

from grpc import StatusCode

from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.integration.runs.conftest import Site, StartServer
from tests.support.rpc import refused
from tests.support.runs import Runs


async def test_it_goes_on_from_any_token_on_either_server(site: Site) -> None:
    """From wherever it was cut, the rest is the same: nothing is lost and nothing told twice."""
    [target] = await site.some_targets(1)
    # Since the later of the two began something has happened: else it cannot know whether anything
    # did between what the earlier one has seen last and what itself began with.
    [before] = await site.runs.run(target)
    for server in (site.runs, site.other_runs):
        await server.when(before, "Succeeded")
    async with site.runs.watch(target_uuid=target) as watcher:
        await watcher.synced()
        for _ in range(2):
            [job_id] = await site.runs.run(target)
            await watcher.status(job_id, "Succeeded")
    told = [message for message in watcher.told if message.resume_token]
    for cut_at, message in enumerate(told[:-1]):
        for server in (site.runs, site.other_runs):
            async with server.watch(
                target_uuid=target, resume_token=message.resume_token
            ) as resumed:
                rest = [await resumed.call.read() for _ in told[cut_at + 1 :]]
                assert rest == told[cut_at + 1 :]


async def test_a_token_is_for_its_own_filters(site: Site) -> None:
    async with site.runs.watch(status="Running") as watcher:
        token = (await watcher.synced()).resume_token
    request = pb.WatchScenarioRunsRequest(status="Failed", resume_token=token)
    found = await refused(site.runs.stub.WatchScenarioRuns(request).read())
    assert (found.code, found.violations) == (StatusCode.INVALID_ARGUMENT, ["resumeToken"])


async def test_a_token_of_another_cluster_is_too_old(site: Site) -> None:
    async with site.runs.watch() as watcher:
        token = (await watcher.synced()).resume_token
    forged = of_revision(token, 10**15)
    request = pb.WatchScenarioRunsRequest(resume_token=forged)
    found = await refused(site.runs.stub.WatchScenarioRuns(request).read())
    assert (found.code, found.reason) == (StatusCode.OUT_OF_RANGE, "TOKEN_TOO_OLD")


async def test_a_token_from_before_the_server_is_too_old(site: Site, a_server: StartServer) -> None:
    [target] = await site.some_targets(1)
    async with site.runs.watch(target_uuid=target) as watcher:
        token = (await watcher.synced()).resume_token
        await watcher.status(*await site.runs.run(target), "Succeeded")
        newest = watcher.token
    async with a_server(watch_history=3) as server:
        runs = Runs(server.channel)
        request = pb.WatchScenarioRunsRequest(target_uuid=target, resume_token=token)
        found = await refused(runs.stub.WatchScenarioRuns(request).read())
        assert (found.code, found.reason) == (StatusCode.OUT_OF_RANGE, "TOKEN_TOO_OLD")
        assert found.message == "the resumeToken is too old: start anew without one"
        # And so is, when more has happened than is kept, one that was not.
        async with runs.watch(target_uuid=target) as fresh:
            token = (await fresh.synced()).resume_token
            assert _content(fresh.token)[-1] >= _content(newest)[-1]
            for _ in range(2):
                await fresh.status(*await site.runs.run(target), "Succeeded")
        request.resume_token = token
        assert (await refused(runs.stub.WatchScenarioRuns(request).read())).code is (
            StatusCode.OUT_OF_RANGE
        )


def of_revision(token: str, revision: int) -> str:
    """Return the token with another revision in it."""
    content = [*_content(token)[:-1], revision]
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def _content(token: str) -> list[Any]:
    """Return what the token says; a revision is the last of it."""
    content: list[Any] = json.loads(base64.urlsafe_b64decode(token))
    return content
