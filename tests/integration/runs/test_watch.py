"""WatchScenarioRuns: what there is, then each change once and in order, as the filter sees it."""

import asyncio
import contextlib
import itertools
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.integration.runs.conftest import Site, StartServer, a_site
from tests.support.custom_objects import JOBS, MERGE, collection, whole
from tests.support.jobs import Jobs
from tests.support.requests import IMAGE
from tests.support.rpc import refused
from tests.support.running import Wanted
from tests.support.runs import Runs, Watcher, a_narrow_connection, code_of
from tests.support.waiting import eventually

NEVER_ENDS = f"{IMAGE}-never-ends"


async def test_what_there_is_comes_first_and_then_what_changes(site: Site) -> None:
    [target] = await site.some_targets(1)
    [old] = await site.runs.run(target)
    ended = await site.runs.when(old)
    async with site.runs.watch(target_uuid=target) as watcher:
        synced = await watcher.synced()
        assert watcher.of(old) == [("ADDED", "Succeeded")]
        assert watcher.jobs == {old: ended}
        assert [message.resume_token for message in watcher.told[:-1]] == [""]
        assert (synced.resume_token != "", synced.HasField("job")) == (True, False)

        [new] = await site.runs.run(target)
        last = await watcher.status(new, "Succeeded")
        assert last == await site.runs.job(new)
        kinds, statuses = zip(*watcher.of(new), strict=True)
        assert kinds == ("ADDED", *["MODIFIED"] * (len(kinds) - 1))
        assert [key for key, _ in itertools.groupby(statuses)] == [
            "Pending",
            "Running",
            "Succeeded",
        ]
        assert watcher.of(old) == [("ADDED", "Succeeded")], "nothing is told twice"
        assert all(message.resume_token for message in watcher.told[1:])


async def test_the_jobs_of_one_run(site: Site) -> None:
    targets = await site.some_targets(2)
    run, other = [await site.runs.run_of(*targets) for _ in range(2)]
    mine = {each.job_id for each in run.targets}
    async with site.other_runs.watch(run_id=run.run_id) as watcher:
        for job_id in mine:
            await watcher.status(job_id, "Succeeded")
        assert {message.job.job_id for message in watcher.told if message.HasField("job")} == mine
    await site.runs.run_when(other.run_id)
    async with site.runs.watch(run_id="x") as watcher:
        await watcher.synced()
        assert not watcher.jobs


async def test_a_job_that_is_deleted_is_told_as_it_was(site: Site, jobs: Jobs) -> None:
    [target] = await site.some_targets(1)
    [job_id] = await site.runs.run(target)
    ended = await site.runs.when(job_id)
    async with site.other_runs.watch(target_uuid=target) as watcher:
        await watcher.synced()
        await jobs.delete(job_id)
        gone = await watcher.gone(job_id)
    assert gone.job == ended
    assert watcher.jobs == {}


async def test_what_leaves_the_filter_is_deleted_and_comes_again_as_added(
    site: Site, jobs: Jobs
) -> None:
    [target] = await site.some_targets(1)
    fields = {"target_uuid": target, "label_selector": "team=a"}
    async with site.runs.watch(**fields) as watcher, site.runs.watch(target_uuid=target) as all_of:
        await watcher.synced()
        await all_of.synced()
        [job_id] = await site.runs.run(target, labels={"team": "a"}, scenarioImage=NEVER_ENDS)
        await watcher.status(job_id, "Running")
        for team in ("b", "a"):
            change = {"metadata": {"labels": {"team": team}}}
            await site.cluster.request("PATCH", jobs.path(job_id), change, MERGE)
            if team == "b":
                gone = await watcher.gone(job_id)
                assert (gone.job.labels["team"], gone.job.status) == ("b", "Running"), "as it is"
        await watcher.until(lambda message: message.type == "ADDED")
        await all_of.until(lambda message: message.job.labels["team"] == "b")
        await all_of.until(lambda message: message.job.labels["team"] == "a")
        assert {kind for kind, _ in all_of.of(job_id)[1:]} == {"MODIFIED"}


async def test_a_watch_of_a_status_sees_jobs_pass_through_it(site: Site) -> None:
    [target] = await site.some_targets(1)
    async with site.runs.watch(target_uuid=target, status="Running") as watcher:
        await watcher.synced()
        [job_id] = await site.runs.run(target, scenarioImage=f"{IMAGE}-lasts-3s")
        gone = await watcher.gone(job_id)
    assert gone.job.status == "Succeeded"
    assert watcher.of(job_id)[0] == ("ADDED", "Running")
    assert watcher.of(job_id)[-1] == ("DELETED", "Succeeded")


async def test_a_target_that_is_none_is_watched_in_silence(site: Site) -> None:
    async with site.runs.watch(target_uuid="../x") as watcher:
        assert (await watcher.next()).type == "SYNCED"
        await site.runs.run(*await site.some_targets(1))
        assert len(watcher.told) == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"status": "running"}, "status"),
        ({"label_selector": "a in"}, "labelSelector"),
        ({"resume_token": "x"}, "resumeToken"),
    ],
)
async def test_a_watch_that_is_asked_for_wrongly(site: Site, fields: Any, field: str) -> None:
    call = site.runs.stub.WatchScenarioRuns(pb.WatchScenarioRunsRequest(**fields))
    found = await refused(call.read())
    assert (found.code, found.violations) == (StatusCode.INVALID_ARGUMENT, [field])


async def test_a_slow_reader_is_told_and_hurts_nobody(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    short = Wanted(controller=False, envoy=False, environment={"KRKN_WATCH_HISTORY": "10"})
    async with a_site(control_plane, tmp_path, short) as site:
        address = site.servers[0].processes.grpc_address
        async with (
            a_narrow_connection(address) as narrow,
            narrow.watch() as slow,
            site.runs.watch() as quick,
        ):
            await slow.synced()
            await quick.synced()
            # More than fits between them, and far more changes than are kept.
            path = f"{collection(JOBS, site.namespace)}/{await write_job(site)}"
            for number in range(100):
                status = {"status": {"message": f"{number} {'x' * 4_000}"}}
                await site.cluster.request("PATCH", f"{path}/status", status, MERGE)
                await quick.until(_says(f"{number} "))
            error = await slow.until(lambda message: message.type == "ERROR")
            assert error.error.code == StatusCode.RESOURCE_EXHAUSTED.value[0]
            assert "too slowly" in error.error.message
            assert await slow.call.read() is grpc.aio.EOF
            assert 1 < len(slow.told) < 100 < len(quick.told)


async def test_hundreds_of_watchers_at_once(site: Site) -> None:
    [target] = await site.some_targets(1)
    async with contextlib.AsyncExitStack() as stack:
        servers = itertools.cycle([site.runs, site.other_runs])
        watchers = [
            await stack.enter_async_context(next(servers).watch(target_uuid=target))
            for _ in range(200)
        ]
        await asyncio.gather(*(watcher.synced() for watcher in watchers))
        [job_id] = await site.runs.run(target)
        await asyncio.gather(*(watcher.status(job_id, "Succeeded") for watcher in watchers))
    told = [[message for message in watcher.told if message.job.job_id] for watcher in watchers]
    assert all(each == told[0] for each in told)


async def test_watchers_come_and_go_while_jobs_do(site: Site, jobs: Jobs) -> None:
    """Each starts somewhere, is cut somewhere and goes on elsewhere; in the end all know all."""
    targets = await site.some_targets(5)
    label = uuid.uuid4().hex[:8]
    done = asyncio.Event()

    async def work() -> set[str]:
        left: set[str] = set()
        for number in range(4):
            job_ids = await site.runs.run(*targets, labels={"r": label})
            await asyncio.gather(*(site.runs.when(job_id) for job_id in job_ids))
            if number % 2:
                await asyncio.gather(*(jobs.delete(job_id) for job_id in job_ids))
            else:
                left |= set(job_ids)
        done.set()
        return left

    async def follow(number: int, working: "asyncio.Task[set[str]]") -> Watcher:
        servers = itertools.cycle([site.runs, site.other_runs])
        known: dict[str, pb.Job] = {}
        token = ""
        while True:
            # Longer each time: who is cut before it is synced must not be so for ever.
            number += 1
            fields = {"label_selector": f"r={label}", "resume_token": token}
            async with next(servers).watch(**fields) as watcher:
                watcher.jobs, watcher.token = known, token
                for _ in range(number):
                    waiting = asyncio.ensure_future(watcher.next())
                    ended = asyncio.ensure_future(is_settled(working, known))
                    await asyncio.wait({waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
                    if not waiting.done():
                        waiting.cancel()
                        return watcher
                    ended.cancel()
                    await waiting
                known, token = watcher.jobs, watcher.token
                if not token:  # cut before it was synced: it starts anew
                    known = {}

    async def is_settled(working: "asyncio.Task[set[str]]", known: dict[str, pb.Job]) -> None:
        left = await asyncio.shield(working)
        await eventually(lambda: _same(known, left))

    async def _same(known: dict[str, pb.Job], left: set[str]) -> bool:
        return set(known) == left and all(job.status == "Succeeded" for job in known.values())

    working = asyncio.create_task(work())
    followers = await asyncio.gather(*(follow(number, working) for number in (3, 7, 20)))
    for watcher in followers:
        assert set(watcher.jobs) == working.result()
        for job_id, job in watcher.jobs.items():
            assert job == await site.runs.job(job_id)


async def test_it_is_cut_when_the_server_stops(site: Site, a_server: StartServer) -> None:
    async with a_server() as server, Runs(server.channel).watch() as watcher:
        token = (await watcher.synced()).resume_token
        stopping = asyncio.create_task(server.processes.child("server").stop())
        assert await code_of(watcher.call) is StatusCode.UNAVAILABLE
        await stopping
        assert server.processes.child("server").exit_code == 0
    # Cut, and not ended: there was no ERROR, so it goes on elsewhere.
    assert all(message.type != "ERROR" for message in watcher.told)
    async with site.runs.watch(resume_token=token) as resumed:
        resumed.jobs |= watcher.jobs  # those of other tests may still change
        await site.runs.run(*await site.some_targets(1))
        await resumed.next()


async def write_job(site: Site) -> str:
    """Write a job with kubectl; return its id."""
    manifest = whole(JOBS)
    manifest.pop("status")
    path = collection(JOBS, site.namespace)
    job_id: str = (await site.cluster.request("POST", path, manifest))["metadata"]["name"]
    return job_id


def _says(start: str) -> Callable[[pb.WatchScenarioRunsResponse], bool]:
    """Accept a message whose job's own message starts like this."""
    return lambda message: message.job.message.startswith(start)
