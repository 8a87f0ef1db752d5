"""Who may run a run again and read its logs, and in whose name it is stopped."""

import contextlib
import uuid
from typing import Any

import grpc
import pytest
from grpc import StatusCode

from krkn_grpc.server.auth.policy import LOGS_OF_RUNS
from krkn_grpc.v1 import runs_pb2
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.integration.auth.callers import Metadata
from tests.integration.auth.calls import call
from tests.integration.auth.conftest import Guarded
from tests.integration.auth.test_runs import register, run
from tests.support.custom_objects import JOBS, RUNS, TARGETS
from tests.support.waiting import eventually

CREATE = {"resources": [JOBS], "verbs": ["create"]}
GET_RUNS = {"resources": [RUNS], "verbs": ["get"]}
RUN_ALL = {"resources": [TARGETS], "verbs": ["run"]}
READ_LOGS = {"resources": [f"{JOBS}/log"], "verbs": ["get"]}
SECONDS = 60.0


async def an_account(guarded: Guarded, *rules: dict[str, Any]) -> tuple[str, Metadata]:
    """Make an account with these rights alone; return its name and its token."""
    name = f"account-{uuid.uuid4().hex[:8]}"
    await guarded.callers.make_role(name, *rules)
    metadata = await guarded.callers.make(name, name)
    for rule in rules:
        [resource], verb = rule["resources"], rule["verbs"][0]
        resource, _, subresource = resource.partition("/")
        if not subresource and "resourceNames" not in rule:
            await guarded.callers.until_allowed(name, verb, resource)
    return name, metadata


async def a_run(guarded: Guarded) -> tuple[str, str]:
    """Make a run of one target; return their ids."""
    target = await register(guarded)
    found = await run(guarded, await guarded.callers.metadata("runner"), target)
    run_id: str = found.reply.run_id
    return run_id, target


async def test_a_run_and_its_stop_name_their_callers(guarded: Guarded) -> None:
    run_id, _ = await a_run(guarded)
    channel, runner = guarded.running.channel, await guarded.callers.metadata("runner")
    stopper, metadata = await an_account(guarded, {"resources": [RUNS], "verbs": ["update"]})
    stopped = await call(channel, "StopRun", metadata, run_id=run_id)
    assert stopped.reply.requested_by == guarded.callers.name("runner")
    assert stopped.reply.stop.by == guarded.callers.name(stopper)
    again = await call(channel, "StopRun", runner, run_id=run_id)
    assert again.reply == stopped.reply, "the first one to stop it stays named"
    request = runs_pb2.ListRunsRequest(requested_by=guarded.callers.name("runner"))
    listed = await call(channel, "ListRuns", runner, request=request)
    assert run_id in {each.run_id for each in listed.reply.runs}


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([GET_RUNS, RUN_ALL], f"you may not create {JOBS}"),
        ([CREATE, RUN_ALL], f"you may not get {RUNS}"),
    ],
)
async def test_a_rerun_needs_the_right_to_see_the_run_and_to_run(
    guarded: Guarded, rules: list[dict[str, Any]], said: str
) -> None:
    run_id, _ = await a_run(guarded)
    _, metadata = await an_account(guarded, *rules)
    for asked in (run_id, str(uuid.uuid4())):
        found = await call(guarded.running.channel, "RerunRun", metadata, run_id=asked)
        assert (found.code, found.details) == (StatusCode.PERMISSION_DENIED, said)


async def test_the_right_to_see_one_run_is_enough_to_run_it_again(guarded: Guarded) -> None:
    run_id, target = await a_run(guarded)
    other, _ = await a_run(guarded)
    rule = {**GET_RUNS, "resourceNames": [run_id]}
    name, metadata = await an_account(guarded, CREATE, RUN_ALL, rule)
    found = await eventually(
        lambda: call(guarded.running.channel, "RerunRun", metadata, run_id=run_id),
        lambda found: found.code is StatusCode.OK,
    )
    assert [each.target_uuid for each in found.reply.jobs] == [target]
    [job] = found.reply.jobs
    runner = await guarded.callers.metadata("runner")
    shown = await call(guarded.running.channel, "GetScenarioRunStatus", runner, job_id=job.job_id)
    assert shown.reply.requested_by == guarded.callers.name(name)
    refused = await call(guarded.running.channel, "RerunRun", metadata, run_id=other)
    assert refused.code is StatusCode.PERMISSION_DENIED


async def test_a_target_that_one_may_not_run_is_not_there_for_a_rerun(guarded: Guarded) -> None:
    run_id, _ = await a_run(guarded)
    _, metadata = await an_account(guarded, CREATE, GET_RUNS)
    found = await call(guarded.running.channel, "RerunRun", metadata, run_id=run_id)
    assert found.code is StatusCode.OK, found
    assert [(each.success, each.error) for each in found.reply.jobs] == [
        (False, "there is no such target")
    ]


def follow(guarded: Guarded, metadata: Metadata, run_id: str) -> Any:
    """Follow the logs of a run."""
    stub = ScenarioRunServiceStub(guarded.running.channel)
    request = runs_pb2.StreamRunLogsRequest(run_id=run_id, follow=True)
    return stub.StreamRunLogs(request, metadata=metadata, timeout=SECONDS)


async def test_the_right_to_one_jobs_log_is_not_that_to_a_runs(guarded: Guarded) -> None:
    run_id, _ = await a_run(guarded)
    for name in (run_id, str(uuid.uuid4())):
        _, metadata = await an_account(guarded, {**READ_LOGS, "resourceNames": [name]})
        found = await call(guarded.running.channel, "StreamRunLogs", metadata, run_id=run_id)
        assert found.code is StatusCode.PERMISSION_DENIED


async def test_quiet_logs_end_when_their_right_does(guarded: Guarded) -> None:
    """Without a controller the job waits for ever."""
    run_id, _ = await a_run(guarded)
    account, metadata = await an_account(guarded, READ_LOGS, GET_RUNS)
    logs = follow(guarded, metadata, run_id)
    await logs.initial_metadata()
    await guarded.callers.unbind(account, account)
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await logs.read()
    assert ended.value.code() is StatusCode.PERMISSION_DENIED
    assert ended.value.details() == "you may no longer read these logs"


async def test_one_caller_gets_half_of_the_places(guarded: Guarded) -> None:
    run_id, _ = await a_run(guarded)
    runner = await guarded.callers.metadata("runner")
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(LOGS_OF_RUNS.places // 2):
            logs = follow(guarded, runner, run_id)
            stack.callback(logs.cancel)
            await logs.initial_metadata()
        found = await call(guarded.running.channel, "StreamRunLogs", runner, run_id=run_id)
        assert found.code is StatusCode.RESOURCE_EXHAUSTED, found
    after = await eventually(
        lambda: call(guarded.running.channel, "StreamRunLogs", runner, run_id=run_id),
        lambda found: found.code is not StatusCode.RESOURCE_EXHAUSTED,
    )
    assert after.code is StatusCode.OK
