"""A stream outlives the call that was allowed: its right is asked for again, and it has a place."""

import asyncio
import contextlib
import uuid
from typing import Any

import grpc
import pytest
from grpc import StatusCode

from krkn_grpc.v1 import scenario_runs_pb2 as runs
from krkn_grpc.v1 import scenario_runs_pb2_grpc as runs_grpc
from krkn_grpc.v1 import targets_pb2
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub
from tests.integration.auth.calls import call
from tests.integration.auth.conftest import Asked, Guarded
from tests.integration.auth.test_runs import register, run
from tests.support.api_proxy import Call, Cut
from tests.support.custom_objects import JOBS, TARGETS
from tests.support.rest import RUNS
from tests.support.waiting import eventually

READ_ALL = {"resources": [JOBS], "verbs": ["get", "list", "watch"]}
READ_TARGETS = {"resources": [TARGETS], "verbs": ["get", "list", "watch"]}
READ_LOGS = {"resources": [f"{JOBS}/log"], "verbs": ["get"]}
SECONDS = 60.0


@pytest.fixture
async def reader(guarded: Guarded) -> str:
    """An account that may watch jobs and read logs, for now."""
    account = f"reader-{uuid.uuid4().hex[:8]}"
    await guarded.callers.make_role("reader", READ_ALL, READ_LOGS)
    await guarded.callers.make(account, "reader")
    await guarded.callers.until_allowed(account, "watch", JOBS)
    return account


async def a_waiting_job(guarded: Guarded) -> str:
    """Make a job; without a controller it waits for ever."""
    found = await run(guarded, await guarded.callers.metadata("runner"), await register(guarded))
    job_id: str = found.reply.jobs[0].job_id
    return job_id


async def watching(guarded: Guarded, account: str) -> Any:
    """Watch all jobs, and read what there is."""
    metadata = await guarded.callers.metadata(account)
    stub = runs_grpc.ScenarioRunServiceStub(guarded.running.channel)
    watch = stub.WatchScenarioRuns(
        runs.WatchScenarioRunsRequest(), metadata=metadata, timeout=SECONDS
    )
    async for message in watch:
        if message.type == "SYNCED":
            break
    return watch


async def test_a_quiet_watch_ends_when_its_right_does(guarded: Guarded, reader: str) -> None:
    watch = await watching(guarded, reader)
    await guarded.callers.unbind(reader, "reader")
    *_, last = [message async for message in watch]
    assert (last.type, last.error.code) == ("ERROR", StatusCode.PERMISSION_DENIED.value[0])
    assert not last.HasField("job")


async def test_a_watch_of_targets_ends_when_its_right_does(guarded: Guarded) -> None:
    account = f"reader-{uuid.uuid4().hex[:8]}"
    await guarded.callers.make_role("target-reader", READ_TARGETS)
    await guarded.callers.make(account, "target-reader")
    await guarded.callers.until_allowed(account, "watch", TARGETS)
    stub = TargetServiceStub(guarded.running.channel)
    watch = stub.WatchTargets(
        targets_pb2.WatchTargetsRequest(),
        metadata=await guarded.callers.metadata(account),
        timeout=SECONDS,
    )
    async for message in watch:
        if message.type == "SYNCED":
            break
    await guarded.callers.unbind(account, "target-reader")
    *_, last = [message async for message in watch]
    assert (last.type, last.error.code) == ("ERROR", StatusCode.PERMISSION_DENIED.value[0])
    assert last.error.message == "you may no longer watch targets"


async def test_a_busy_watch_ends_when_its_right_does(guarded: Guarded, reader: str) -> None:
    watch = await watching(guarded, reader)
    await guarded.callers.unbind(reader, "reader")

    async def keep_busy() -> None:
        target = await register(guarded)
        while True:
            await run(guarded, await guarded.callers.metadata("runner"), target)

    busy = asyncio.create_task(keep_busy())
    try:
        *_, last = [message async for message in watch]
    finally:
        busy.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await busy
    assert (last.type, last.error.code) == ("ERROR", StatusCode.PERMISSION_DENIED.value[0])


async def test_an_account_that_is_deleted_is_a_stranger(guarded: Guarded, reader: str) -> None:
    metadata = await guarded.callers.metadata(reader)
    watch = await watching(guarded, reader)
    await guarded.callers.remove(reader)
    # The API server itself remembers for 10 s whose token it was.
    *_, last = [message async for message in watch]
    assert (last.type, last.error.code) == ("ERROR", StatusCode.PERMISSION_DENIED.value[0])
    found = await call(guarded.running.channel, "ListTargets", metadata)
    assert found.code is StatusCode.UNAUTHENTICATED


async def test_a_watch_whose_right_cannot_be_asked_for_says_so(
    guarded: Guarded, reader: str
) -> None:
    watch = await watching(guarded, reader)

    async def cut(seen: Call) -> None:
        if seen.path.endswith("reviews"):
            raise Cut

    guarded.proxy.before = cut
    *_, last = [message async for message in watch]
    assert (last.type, last.error.code) == ("ERROR", StatusCode.UNAVAILABLE.value[0])


async def test_a_right_that_stays_lets_the_watch_go_on(guarded: Guarded, reader: str) -> None:
    watch = await watching(guarded, reader)
    with guarded.watched() as asked:
        await eventually(lambda: access_questions(asked), lambda count: count >= 3)
    job_id = await a_waiting_job(guarded)
    async for message in watch:
        if message.job.job_id == job_id:
            break
    watch.cancel()


async def access_questions(asked: Asked) -> int:
    """How often was asked whether somebody may do anything."""
    return len(asked.reviews("subjectaccessreviews"))


async def log_questions(asked: Asked) -> int:
    """How often was asked whether somebody may read a log."""
    attributes = [spec["resourceAttributes"] for spec in asked.reviews("subjectaccessreviews")]
    return sum(each.get("subresource") == "log" for each in attributes)


async def test_a_silent_log_ends_when_its_right_does(guarded: Guarded, reader: str) -> None:
    job_id = await a_waiting_job(guarded)
    stub = runs_grpc.ScenarioRunServiceStub(guarded.running.channel)
    request = runs.StreamLogsRequest(job_id=job_id, follow=True)
    metadata = await guarded.callers.metadata(reader)
    with guarded.watched() as asked:
        log = stub.StreamLogs(request, metadata=metadata, timeout=SECONDS)
        # Let in, and asked about again.
        await eventually(lambda: log_questions(asked), lambda found: found > 1)
    await guarded.callers.unbind(reader, "reader")
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await log.read()
    assert ended.value.code() is StatusCode.PERMISSION_DENIED
    assert ended.value.details() == "you may no longer read this log"


async def test_a_watch_over_rest_ends_with_the_error(guarded: Guarded, reader: str) -> None:
    headers = dict(await guarded.callers.metadata(reader))
    async with guarded.running.rest.get(f"{RUNS}:watch", headers=headers) as response:
        assert response.status == 200
        async for line in response.content:
            if b"SYNCED" in line:
                break
        await guarded.callers.unbind(reader, "reader")
        *_, last = [line async for line in response.content]
    assert b'"type":"ERROR"' in last
    assert b'"code":7' in last


async def test_readers_that_never_read_cost_the_others_nothing(
    guarded: Guarded, reader: str
) -> None:
    slow = [await watching(guarded, reader) for _ in range(200)]
    try:
        target = await register(guarded)
        runner = await guarded.callers.metadata("runner")
        for _ in range(20):
            found = await run(guarded, runner, target)
            assert found.reply.successful_jobs == 1, found
        (await watching(guarded, "viewer")).cancel()
    finally:
        for stream in slow:
            stream.cancel()
