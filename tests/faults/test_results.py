"""The read of an ended pod's log fails in every way: the job ends all the same, and in time."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Callable

import pytest
from aiohttp import web

from tests.faults.conftest import Behind, StartBehind
from tests.faults.fault_kinds import dropped_before, held, not_the_api_server, refused
from tests.faults.proxy import Call, Exchange, Fault
from tests.support.chaos_runs import a_run_of
from tests.support.custom_objects import MERGE, RUNS
from tests.support.jobs import Jobs
from tests.support.kept_logs import why_not_kept
from tests.support.waiting import eventually

# The controller waits for a log no longer.
BOUND = 10.0


async def begins_and_hangs(exchange: Exchange) -> web.StreamResponse:
    await exchange.begin(b"a line\n" * 1000)
    await asyncio.Event().wait()
    raise AssertionError("never")


async def begins_and_breaks(exchange: Exchange) -> web.StreamResponse:
    await exchange.begin(b"a line\n" * 1000)
    return exchange.drop()


FAULTS: dict[str, Fault] = {
    "our account may not": refused(403, "Forbidden"),
    "the pod is gone": refused(404, "NotFound"),
    "it waits to start": refused(400, "BadRequest"),
    "the node does not answer": refused(500, "InternalError"),
    "too many requests": refused(429, "TooManyRequests", 1),
    "a page for people": not_the_api_server(200),
    "no connection": dropped_before,
    "breaks off": begins_and_breaks,
}


def is_log(call: Call) -> bool:
    return call.path.endswith("/log")


def is_final_status(call: Call, job: str) -> bool:
    is_status = call.method == "PUT" and call.path.endswith(f"/{job}/status")
    return is_status and b'"phase":"Succeeded"' in call.body


async def test_a_job_whose_log_cannot_be_read_ends_without_a_result(
    jobs: Jobs, behind_a_proxy: StartBehind
) -> None:
    behind = await behind_a_proxy()
    await behind.controller.start()
    target = await jobs.target()
    faults = {str(uuid.uuid4()): fault for fault in FAULTS.values()}
    good = str(uuid.uuid4())
    behind.proxy.rule = lambda call: faults.get(call.job) if is_log(call) else None
    for job in (*faults, good):
        await jobs.job(target, jobId=job)
    for job in faults:
        status = await jobs.finished(job)
        assert (status["phase"], status["exitCode"]) == ("Succeeded", 0)
        assert "result" not in status
    assert (await jobs.finished(good))["result"]["runUuid"] == good
    reads = [call.job for call in behind.proxy.calls if is_log(call)]
    assert set(reads) == {*faults, good}
    # A connection that breaks before it has answered is tried once more.
    assert len(reads) <= len(faults) + 2


async def test_a_log_that_hangs_holds_up_nothing_but_its_own_job_and_not_for_long(
    jobs: Jobs, behind_a_proxy: StartBehind
) -> None:
    """There are more that hang than workers, and other jobs run, end and are stopped."""
    behind = await behind_a_proxy(workers=2)
    await behind.controller.start()
    target = await jobs.target()
    never = asyncio.Event()
    hang = {str(uuid.uuid4()): fault for fault in (held(never), begins_and_hangs) * 2}
    stopped = await jobs.job(target, "never-ends")
    await jobs.running(stopped)
    behind.proxy.rule = lambda call: hang.get(call.job) if is_log(call) else None
    for job in hang:
        await jobs.job(target, jobId=job)
    await eventually(lambda: counted(behind, is_log), lambda count: count == len(hang))
    began = time.monotonic()

    other = await jobs.job(target, "lasts-0s")
    await jobs.stop(stopped)
    assert (await jobs.finished(other))["result"]["resiliencyScore"] == 92
    assert (await jobs.finished(stopped))["phase"] == "Stopped"
    assert {(await jobs.status(job))["phase"] for job in hang} == {"Running"}

    for job in hang:
        status = await jobs.finished(job)
        assert (status["phase"], "result" in status) == ("Succeeded", False)
    assert time.monotonic() - began < 4 * BOUND


async def test_a_pod_that_goes_while_its_log_is_read(
    jobs: Jobs, behind_a_proxy: StartBehind
) -> None:
    behind = await behind_a_proxy()
    await behind.controller.start()
    job = str(uuid.uuid4())

    async def goes(exchange: Exchange) -> web.StreamResponse:
        await jobs.tear_pod_out(job)
        return await exchange.forward()

    behind.proxy.rule = lambda call: goes if is_log(call) else None
    await jobs.job(await jobs.target(), jobId=job)
    status = await jobs.finished(job)
    assert (status["phase"], status["exitCode"]) == ("Succeeded", 0)
    assert "result" not in status


async def test_no_read_begins_for_a_job_that_ended_while_it_was_looked_at(
    jobs: Jobs, behind_a_proxy: StartBehind
) -> None:
    """Nobody would forget what is read then."""
    behind = await behind_a_proxy()
    await behind.controller.start()
    target = await jobs.target()
    # A run that no watch has reported is read for each look at a job of it.
    with behind.proxy.late(RUNS):
        run = await a_run_of(jobs, target, ["never-ends"] * 2)
        deleted, ended = run.job_ids
        for job in run.job_ids:
            await jobs.running(job)
        let_go = asyncio.Event()

        def is_look(call: Call) -> bool:
            return call.method == "GET" and call.path == run.path

        behind.proxy.calls.clear()
        behind.proxy.rule = lambda call: held(let_go) if is_look(call) else None
        for job in run.job_ids:
            await jobs.set_container_state(job, {"terminated": {"exitCode": 0}}, phase="Succeeded")
        await eventually(lambda: counted(behind, is_look), lambda count: count >= 2)
        await jobs.delete(deleted)
        final = {"status": {"phase": "Failed", "reason": "Other", "message": ""}}
        await jobs.cluster.request("PATCH", f"{jobs.path(ended)}/status", final, MERGE)
        for event in ("job deleted", "job ended"):
            await behind.controller.logged(event)
        let_go.set()
        other = await jobs.job(target)
        assert "result" in await jobs.finished(other)
    assert {call.job for call in behind.proxy.calls if is_log(call)} == {other}


@pytest.mark.parametrize("moment", ["while it reads", "before it writes", "after it has written"])
async def test_a_controller_that_dies_reads_again(
    jobs: Jobs, behind_a_proxy: StartBehind, moment: str
) -> None:
    behind = await behind_a_proxy()
    await behind.controller.start()
    job, died = str(uuid.uuid4()), asyncio.Event()

    async def dies(exchange: Exchange) -> web.StreamResponse:
        if moment == "after it has written":
            await exchange.forward()
        await behind.controller.kill()
        died.set()
        return exchange.drop()

    def rule(call: Call) -> Fault | None:
        at = is_log(call) if moment == "while it reads" else is_final_status(call, job)
        return dies if at and not died.is_set() else None

    behind.proxy.rule = rule
    await jobs.job(await jobs.target(), jobId=job)
    await asyncio.wait_for(died.wait(), 60)
    await behind.controller.start()
    status = await jobs.finished(job)
    assert (status["phase"], status["result"]["runUuid"]) == ("Succeeded", job)
    await jobs.no_secrets(job)
    reads = await counted(behind, is_log)
    assert reads == (1 if moment == "after it has written" else 2)


@pytest.mark.parametrize("behaviour", ["", "logs-nothing"])
async def test_a_result_costs_one_read_and_no_write(
    jobs: Jobs, behind_a_proxy: StartBehind, behaviour: str
) -> None:
    behind = await behind_a_proxy()
    await behind.controller.start()
    job = await jobs.job(await jobs.target(), f"lasts-3s-{behaviour}")
    assert ("result" in await jobs.finished(job)) is not bool(behaviour)
    await jobs.no_secrets(job)
    calls = [call for call in behind.proxy.calls if call.job == job]
    assert len([call for call in calls if is_log(call)]) == 1
    # Named, running, final.
    assert len([call for call in calls if call.path.endswith(f"/{job}/status")]) == 3


async def test_what_is_switched_off_costs_nothing(jobs: Jobs, behind_a_proxy: StartBehind) -> None:
    """Without kept logs exactly one write less; without results besides no read of a log."""

    async def costs(**settings: int | str) -> tuple[Counter[tuple[str, str]], int, bool]:
        behind = await behind_a_proxy(**settings)
        await behind.controller.start()
        job = await jobs.job(await jobs.target(), "lasts-2s")
        status = await jobs.finished(job)
        await jobs.no_secrets(job)
        await behind.controller.stop()
        # Claims, leader election and the heartbeat are not about one job.
        calls = [call for call in behind.proxy.calls if job in f"{call.path} {call.body!r}"]
        writes = Counter(
            (call.method, call.path.replace(job, "JOB"))
            for call in calls
            if call.is_write and "/krknchaosruns/" not in call.path
        )
        assert why_not_kept(status) == ""
        return writes, sum(map(is_log, calls)), "result" in status

    writes, reads, has_result = await costs()
    assert (reads, has_result) == (1, True)
    without_logs, reads, has_result = await costs(keep_log_bytes=0)
    assert (reads, has_result) == (1, True)
    [(kept, count)] = (writes - without_logs).items()
    assert (kept[0], kept[1].rpartition("/")[2], count) == ("POST", "krknchaosjoblogs", 1)
    assert without_logs - writes == Counter()
    assert await costs(keep_log_bytes=0, read_results="false") == (without_logs, 0, False)
    assert await costs(read_results="false") == (writes, 1, False)


async def counted(behind: Behind, which: Callable[[Call], bool]) -> int:
    return sum(map(which, behind.proxy.calls))
