"""RunScenario while its targets are halted, and jobs that a halt of the service ends."""

import uuid
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict

from krkn_grpc.v1 import halts_pb2 as pb
from krkn_grpc.v1 import scenario_runs_pb2
from tests.integration.halts.conftest import Halting
from tests.support.custom_objects import RUNS as CHAOS_RUNS
from tests.support.custom_objects import Manifest, collection
from tests.support.halts import halt, label, lift
from tests.support.requests import IMAGE, a_run
from tests.support.rest import RUNS, assert_error
from tests.support.rpc import refused, told
from tests.support.runs import Runs
from tests.support.waiting import eventually

LASTS = f"{IMAGE}-lasts-0s"
RUNS_ON = f"{IMAGE}-never-ends"


async def two_targets(halting: Halting) -> tuple[str, str]:
    """Two targets, of which the first is labelled as production."""
    first, second = await halting.site.some_targets(2)
    await label(halting.jobs, {"metadata": {"name": first}}, {"env": "prod"})

    async def knows(server: int) -> bool:
        # A halt that is made by the server itself is known to it at once, a label is not.
        seen = Runs(halting.site.servers[server].channel)
        made = await halting.create(selector="env=prod")
        try:
            await seen.ask(first, validateOnly=True)
        except grpc.aio.AioRpcError:
            return True
        finally:
            await halting.delete(made.name)
        return False

    await eventually(lambda: knows(0))
    return first, second


async def stored_runs(halting: Halting) -> list[str]:
    """Return the names of all stored runs."""
    path = collection(CHAOS_RUNS, halting.site.namespace)
    listed: Manifest = await halting.site.cluster.request("GET", path)
    return sorted(each["metadata"]["name"] for each in listed["items"])


@pytest.mark.parametrize("fields", [{}, {"validateOnly": True}, {"requestId": "new"}])
async def test_a_run_on_halted_targets_is_refused(halting: Halting, fields: dict[str, Any]) -> None:
    if "requestId" in fields:
        fields = {"requestId": str(uuid.uuid4())}
    targets = await halting.site.some_targets(2)
    made = await halting.create("do not touch anything")
    before = await stored_runs(halting)
    reason = await refused(halting.site.runs.ask(*targets, **fields))
    assert (reason.code, reason.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "Halted")
    assert reason.message == f"Halted by {made.name}: do not touch anything"
    assert reason.retry_seconds is None
    reply = await halting.rest.post(RUNS, a_run(*targets, **fields))
    assert_error(reply, 400, 9, "Halted")
    assert await halting.site.jobs_on(*targets) == []
    assert await stored_runs(halting) == before, "what starts nothing writes nothing"
    await halting.delete(made.name)
    reply = await halting.rest.post(RUNS, a_run(*targets, scenarioImage=LASTS, **fields))
    assert reply.status in (200, 201)


async def test_a_target_that_is_halted_hinders_no_other(halting: Halting) -> None:
    prod, other = await two_targets(halting)
    made = await halting.create(selector="env=prod")
    reply = await halting.site.runs.ask(prod, other, "nowhere", scenarioImage=LASTS)
    first, second, third = reply.jobs
    assert (first.status, first.success, first.job_id) == ("Failed", False, "")
    assert first.error == f"Halted by {made.name}: an incident"
    assert (second.status, second.success) == ("Pending", True)
    assert third.error == "there is no such target"
    assert (await halting.site.runs.when(second.job_id)).status == "Succeeded"
    none = await halting.rest.post(RUNS, a_run(prod, "nowhere"))
    assert none.status == 500, "not all of them are halted"


async def test_a_known_request_id_is_answered_as_before(halting: Halting) -> None:
    targets = await halting.site.some_targets(2)
    asked = {"requestId": str(uuid.uuid4()), "scenarioImage": RUNS_ON}
    jobs = await halting.site.runs.run(*targets, **asked)
    for job in jobs:
        await halting.site.runs.when(job, "Running")
    await halting.create("an incident")
    assert await halting.site.runs.run(*targets, **asked) == jobs
    for job in jobs:
        ended = await halting.site.runs.when(job)
        assert (ended.status, ended.reason, ended.exit_code) == ("Stopped", "Halted", 143)
        assert "an incident" in ended.message
    assert await halting.site.runs.run(*targets, **asked) == jobs


async def test_a_call_that_a_proxy_repeats_is_answered_as_before(halting: Halting) -> None:
    [target] = await halting.site.some_targets(1)
    again = {"x-request-id": str(uuid.uuid4())}
    url, body = RUNS, a_run(target, scenarioImage=RUNS_ON)
    async with halting.site.servers[0].rest.post(url, json=body, headers=again) as first:
        assert first.status == 201
        before = await first.json()
    await halting.create()
    async with halting.site.servers[0].rest.post(url, json=body, headers=again) as second:
        assert second.status == 201
        assert second.headers["krkn-repeated"] == "true"
        assert (await second.json())["jobs"] == before["jobs"]


async def test_a_refused_request_id_can_be_used_when_the_halt_is_gone(halting: Halting) -> None:
    [target] = await halting.site.some_targets(1)
    asked = {"requestId": str(uuid.uuid4()), "scenarioImage": LASTS}
    made = await halting.create()
    for _ in range(2):
        assert (await refused(halting.site.runs.ask(target, **asked))).reason == "Halted"
    await halting.delete(made.name)
    [job] = await halting.site.runs.run(target, **asked)
    assert [each["metadata"]["name"] for each in await halting.site.jobs_on(target)] == [job]
    assert (await halting.site.runs.when(job)).status == "Succeeded"


async def test_another_replica_knows_of_what_was_just_done(halting: Halting) -> None:
    """By the revision of the reply, which a client sends along."""
    [target] = await halting.site.some_targets(1)
    for number in range(5):
        request = pb.CreateHaltRequest(reason=f"number {number}")
        made, headers = await told(halting.stub(0).CreateHalt(request))
        sent = (("krkn-revision", headers["krkn-revision"]),)
        other = halting.site.other_runs
        reason = await refused(start(other, target, sent))
        assert reason.reason == "Halted"
        listed = await halting.stub(1).ListHalts(pb.ListHaltsRequest(), metadata=sent)
        assert [each.name for each in listed.halts] == [made.name]
        _, headers = await told(halting.stub(0).DeleteHalt(pb.DeleteHaltRequest(name=made.name)))
        sent = (("krkn-revision", headers["krkn-revision"]),)
        reply = await start(other, target, sent)
        assert reply.successful_jobs == 1
        assert (await halting.site.runs.when(reply.jobs[0].job_id)).status == "Succeeded"


def start(runs: Runs, target: str, metadata: tuple[tuple[str, str], ...]) -> Any:
    request = ParseDict(a_run(target, scenarioImage=LASTS), scenario_runs_pb2.RunScenarioRequest())
    return runs.stub.RunScenario(request, metadata=metadata)


async def test_a_job_shows_that_it_is_stopping(halting: Halting) -> None:
    [target] = await halting.site.some_targets(1)
    [job] = await halting.site.runs.run(target, scenarioImage=f"{IMAGE}-ignores-sigterm")
    await halting.site.runs.when(job, "Running")
    await halting.create()
    seen = await halting.site.runs.when(job, "Stopping")
    assert seen.reason == "Halted"
    assert [each.job_id for each in await halting.site.runs.list(status="Stopping")] == [job]


async def test_kubectl_halts_while_no_server_is_there(halting: Halting) -> None:
    [target] = await halting.site.some_targets(1)
    [job] = await halting.site.runs.run(target, scenarioImage=RUNS_ON)
    await halting.site.runs.when(job, "Running")
    processes = halting.site.servers[0].processes
    await processes.kill("server")
    made = await halt(halting.site.cluster, halting.site.namespace, reason="by kubectl")
    status = await halting.jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Stopped", "Halted")
    await processes.restart("server")
    reason = await refused(halting.site.runs.ask(target))
    assert reason.message.endswith(": by kubectl")
    await processes.kill("server")
    await lift(halting.site.cluster, made)
    await processes.restart("server")
    [job] = await halting.site.runs.run(target, scenarioImage=LASTS)
    assert (await halting.site.runs.when(job)).status == "Succeeded"
