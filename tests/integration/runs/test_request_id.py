"""A requestId means the same jobs for ever: on each replica, after a crash, after they are gone."""

import asyncio
import itertools
import uuid
from typing import Any

import grpc
import pytest

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.integration.runs.conftest import Site, StartServer, Unsure
from tests.integration.runs.held import Hold, a_proxy, heal, told
from tests.support.custom_objects import RUNS as CHAOS_RUNS
from tests.support.custom_objects import Manifest, collection
from tests.support.inventory import written
from tests.support.jobs import Jobs
from tests.support.requests import IMAGE, canary
from tests.support.rpc import refused
from tests.support.runs import Runs
from tests.support.waiting import eventually

FILE = {"name": "f", "content": "eA==", "mountPath": "/etc/f"}


def new_id() -> str:
    return str(uuid.uuid4())


def ids(reply: pb.RunScenarioResponse) -> list[str]:
    assert reply.failed_jobs == 0, reply
    return [job.job_id for job in reply.jobs]


async def assert_one_job_each(site: Site, targets: list[str], job_ids: list[str]) -> None:
    """Assert that each target has exactly this job, which runs once and to its end."""
    found = await site.jobs_on(*targets)
    by_target = {job["spec"]["targetUUID"]: job["metadata"]["name"] for job in found}
    assert by_target == dict(zip(targets, job_ids, strict=True))
    assert len(found) == len(targets)
    for target, job_id in zip(targets, job_ids, strict=True):
        assert (await site.runs.when(job_id)).status == "Succeeded"
        assert len(await site.pods_on(target)) == 1


async def test_twenty_retries_to_two_servers_are_one_run(site: Site) -> None:
    targets = await site.some_targets(3)
    servers = itertools.cycle([site.runs, site.other_runs])
    asked = {"requestId": new_id(), "secretEnvironment": {"S": canary()}, "files": [FILE]}
    replies = await asyncio.gather(*(next(servers).ask(*targets, **asked) for _ in range(20)))
    job_ids = ids(replies[0])
    assert [ids(reply) for reply in replies] == [job_ids] * 20
    await assert_one_job_each(site, targets, job_ids)


@pytest.mark.parametrize(
    ("when", "what", "number"),
    [
        pytest.param("before", "POST krknchaosruns", 1, id="before its first write"),
        pytest.param("after", "POST krknchaosruns", 1, id="with nothing but the run"),
        pytest.param("after", "POST secrets", 2, id="with inputs and no job"),
        pytest.param("before", "POST krknchaosjobs", 2, id="with one job"),
        pytest.param("after", "POST krknchaosjobs", 3, id="with all, before it says so"),
    ],
)
async def test_killed_half_way_the_retry_on_another_finishes_it(
    site: Site,
    control_plane: ControlPlane,
    a_server: StartServer,
    when: str,
    what: str,
    number: int,
) -> None:
    targets = await site.some_targets(3)
    asked: dict[str, Any] = {"requestId": new_id(), "secretEnvironment": {"S": canary()}}
    async with a_proxy(control_plane) as proxy, a_server(proxy.url) as victim:
        hold = Hold(proxy, when, what, number)
        call = Runs(victim.channel).start(*targets, **asked)
        await hold.came.wait()
        await victim.processes.kill("server")
        with pytest.raises(grpc.aio.AioRpcError):
            await call
    job_ids = ids(await site.runs.ask(*targets, **asked))
    assert ids(await site.other_runs.ask(*targets, **asked)) == job_ids
    await assert_one_job_each(site, targets, job_ids)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda known: {"scenarioName": "another"}, id="name"),
        pytest.param(lambda known: {"secretEnvironment": {"S": "2"}}, id="a secret"),
        pytest.param(lambda known: {"files": [FILE | {"content": "eQ=="}]}, id="a file"),
        pytest.param(lambda known: {"environment": {"A": "2"}}, id="environment"),
        pytest.param(lambda known: {"targetUUIDs": known[:1]}, id="fewer targets"),
        pytest.param(lambda known: {"targetUUIDs": [*known, new_id()]}, id="more targets"),
        pytest.param(lambda known: {"targetUUIDs": known[::-1]}, id="another order"),
        pytest.param(lambda known: {"timeoutSeconds": 5}, id="timeout"),
        pytest.param(
            lambda known: {"scenarioName": "another", "validateOnly": True}, id="only validated"
        ),
    ],
)
async def test_another_body_is_refused_and_starts_nothing(site: Site, change: Any) -> None:
    targets = await site.some_targets(2)
    asked = {
        "requestId": new_id(),
        "environment": {"A": "1"},
        "secretEnvironment": {"S": "1"},
        "files": [FILE],
    }
    await site.runs.run(*targets, **asked)
    before = await written(site.cluster, site.namespace)
    for server in (site.runs, site.other_runs):
        found = await refused(server.start(*targets, **(asked | change(targets))))
        assert (found.code.name, found.reason) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert await written(site.cluster, site.namespace) <= before


async def test_validation_remembers_nothing(site: Site) -> None:
    [target], request_id = await site.some_targets(1), new_id()
    before = await written(site.cluster, site.namespace)
    reply = await site.runs.ask(target, requestId=request_id, validateOnly=True)
    assert told(reply) == [(target, "Pending", True)]
    assert await written(site.cluster, site.namespace) <= before
    await site.runs.run(target, requestId=request_id, scenarioName="another")


async def test_validation_of_a_run_that_was_made_says_what_became_of_it(site: Site) -> None:
    targets, request_id = await site.some_targets(2), new_id()
    asked: dict[str, Any] = {"requestId": request_id}
    made = await site.runs.ask(*targets, **asked)
    for job_id in ids(made):
        assert (await site.runs.when(job_id)).status == "Succeeded"

    async def is_told() -> bool:
        reply = await site.other_runs.ask(*targets, **asked, validateOnly=True)
        assert (reply.run_id, reply.jobs) == (made.run_id, made.jobs)
        return reply.message == "The run of this requestId was already made: Succeeded."

    before = await written(site.cluster, site.namespace)
    await eventually(is_told)
    assert await written(site.cluster, site.namespace) <= before


@pytest.mark.parametrize("by", ["kubectl", "its time to live"])
async def test_after_its_job_is_gone_a_retry_starts_nothing(
    site: Site, jobs: Jobs, by: str
) -> None:
    target, other = await site.some_targets(2)
    asked: dict[str, Any] = {"requestId": new_id()}
    if by == "kubectl":
        job_ids = await site.runs.run(target, other, **asked)
        await jobs.delete(job_ids[0])
        await jobs.gone(job_ids[0])
    else:
        asked["ttlSecondsAfterFinished"] = 0
        job_ids = await site.runs.run(target, other, **asked)
        for job_id in job_ids:
            await jobs.gone(job_id)
    left = {job["metadata"]["name"] for job in await site.jobs_on(target, other)}
    for server in (site.runs, site.other_runs):
        assert ids(await server.ask(target, other, **asked)) == job_ids
    assert {job["metadata"]["name"] for job in await site.jobs_on(target, other)} <= left
    assert (await refused(site.runs.job(job_ids[0]))).code is grpc.StatusCode.NOT_FOUND


async def test_a_job_that_goes_while_the_retry_is_on_its_way_is_not_started_again(
    site: Site, jobs: Jobs, unsure: Unsure
) -> None:
    [target] = await site.some_targets(1)
    asked = {"requestId": new_id()}
    job_ids = await site.runs.run(target, **asked)
    # It has read the run, which says nothing of a deletion.
    hold = Hold(unsure.proxy, "after", "GET krknchaosruns")
    call = asyncio.ensure_future(unsure.runs.start(target, **asked))
    await hold.came.wait()
    await jobs.delete(job_ids[0])
    await jobs.gone(job_ids[0])
    heal(unsure.proxy)
    hold.go_on.set()
    assert ids(await call) == job_ids
    assert await site.jobs_on(target) == []


async def test_a_write_that_arrives_after_its_job_is_gone_starts_nothing(
    site: Site, jobs: Jobs, unsure: Unsure
) -> None:
    """The one case in which a job is there again; the run keeps the controller from it."""
    [target] = await site.some_targets(1)
    asked = {"requestId": new_id()}
    hold = Hold(unsure.proxy, "before", "POST krknchaosjobs")
    late = asyncio.ensure_future(unsure.runs.start(target, **asked))
    await hold.came.wait()
    [job_id] = await site.runs.run(target, **asked)
    await site.runs.when(job_id, "Succeeded")
    await jobs.delete(job_id)
    await jobs.gone(job_id)
    heal(unsure.proxy)
    hold.go_on.set()
    assert [entry.job_id for entry in (await late).jobs] == [job_id]
    await eventually(lambda: site.jobs_on(target))
    job = await site.runs.when(job_id)
    assert (job.status, job.reason) == ("Failed", "AlreadyRan")
    assert await site.pods_on(target) == []


async def test_a_job_that_somebody_else_made_of_the_id_is_not_the_call_s(
    site: Site, jobs: Jobs, unsure: Unsure
) -> None:
    """Who may read runs knows the ids of jobs before they are there."""
    target, other = await site.some_targets(2)
    hold = Hold(unsure.proxy, "before", "POST krknchaosjobs")
    asked = {"requestId": new_id()}
    late = asyncio.ensure_future(unsure.runs.start(target, **asked))
    await hold.came.wait()
    run = await the_run_on(site, target)
    [job_id] = [each["jobId"] for each in run["spec"]["targets"]]
    await jobs.job(await jobs.read_target(other), jobId=job_id)
    heal(unsure.proxy)
    hold.go_on.set()
    taken = (target, "Failed", "somebody else has created a job of this job's id")
    for reply in (await late, await site.runs.ask(target, **asked)):
        assert [(each.target_uuid, each.status, each.error) for each in reply.jobs] == [taken]
    assert await site.jobs_on(target) == []


async def test_of_a_job_that_may_still_come_a_retry_does_not_say_that_it_failed(
    site: Site, unsure: Unsure
) -> None:
    [target] = await site.some_targets(1)
    hold = Hold(unsure.proxy, "before", "POST krknchaosjobs")
    asked = {"requestId": new_id()}
    late = asyncio.ensure_future(unsure.runs.start(target, **asked))
    await hold.came.wait()
    await site.targets.delete(target)
    reply = await site.runs.ask(target, **asked)
    heal(unsure.proxy)
    hold.go_on.set()
    [entry] = (await late).jobs
    assert (reply.jobs[0].status, reply.jobs[0].job_id) == ("Unknown", entry.job_id)
    assert reply.jobs[0].error == "there is no such target"


async def test_a_name_of_any_length_is_its_own_failure(site: Site) -> None:
    [target], long = await site.some_targets(1), "x" * 300
    asked = {"requestId": new_id()}
    replies = [await site.runs.ask(long, target, **asked) for _ in range(2)]
    assert told(replies[0]) == [(long, "Failed", False), (target, "Pending", True)]
    assert replies[0].jobs[0].error == "there is no such target"
    assert replies[0] == replies[1]
    refused = (await the_run_on(site, target))["spec"]["refused"]
    assert [len(each["targetUUID"]) for each in refused] == [253]


async def the_run_on(site: Site, target: str) -> Manifest:
    """Return the stored run of a job on the target."""
    path = collection(CHAOS_RUNS, site.namespace)
    runs = (await site.cluster.request("GET", path))["items"]
    [run] = [run for run in runs if any(t["targetUUID"] == target for t in run["spec"]["targets"])]
    return dict(run)


async def test_a_job_outlives_its_target_for_the_retry(site: Site) -> None:
    [target] = await site.some_targets(1)
    asked = {"requestId": new_id(), "scenarioImage": f"{IMAGE}-never-ends"}
    job_ids = await site.runs.run(target, **asked)
    await site.targets.delete(target)
    assert ids(await site.runs.ask(target, **asked)) == job_ids
