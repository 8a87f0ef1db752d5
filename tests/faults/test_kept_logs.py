"""An API server that does not take a log holds no job back, and the log is never taken twice."""

import asyncio
import uuid
from collections import Counter

import pytest
from aiohttp import web

from krkn_grpc.resources import well_known
from tests.faults.conftest import StartBehind
from tests.faults.fault_kinds import EVERY, refused
from tests.faults.proxy import Call, Exchange, Fault
from tests.faults.scenarios import lived_rightly
from tests.support.cluster_rules import SAID, a_policy
from tests.support.custom_objects import LOGS, collection, whole
from tests.support.jobs import Jobs
from tests.support.kept_logs import kept_logs, stored_bytes, why_not_kept
from tests.support.waiting import eventually

REFUSALS: dict[str, tuple[Fault, str]] = {
    "too large": (refused(413), "Invalid"),
    "not valid": (refused(422, "Invalid"), "Invalid"),
    "forbidden": (refused(403, "Forbidden"), "Forbidden"),
    "no such kind": (refused(404, "NotFound"), "NoSuchKind"),
    "written before, and deleted since": (refused(409, "AlreadyExists"), "NotWritten"),
    "throttled": (EVERY["throttled"], "NotWritten"),
    "away": (EVERY["unavailable"], "NotWritten"),
    "broken": (EVERY["internal error"], "NotWritten"),
}


def is_of_a_log(call: Call) -> bool:
    return call.is_write and f"/{LOGS}" in call.path


@pytest.mark.timeout(120)
async def test_a_refused_log_holds_no_job(jobs: Jobs, behind_a_proxy: StartBehind) -> None:
    behind = await behind_a_proxy()
    await behind.controller.start()
    target = await jobs.target()
    ids = {str(uuid.uuid4()): refusal for refusal in REFUSALS}

    def rule(call: Call) -> Fault | None:
        return REFUSALS[ids[call.job]][0] if is_of_a_log(call) else None

    behind.proxy.rule = rule
    await asyncio.gather(*(jobs.job(target, "lasts-0s", jobId=job) for job in ids))
    ended = await asyncio.gather(*(jobs.finished(job) for job in ids))
    assert {status["phase"] for status in ended} == {"Succeeded"}
    told = dict(zip(ids.values(), map(why_not_kept, ended), strict=True))
    assert told == {refusal: reason for refusal, (_, reason) in REFUSALS.items()}
    assert await kept_logs(jobs.cluster, jobs.namespace) == {}


async def test_a_policy_against_logs_holds_no_job(jobs: Jobs, behind_a_proxy: StartBehind) -> None:
    behind = await behind_a_proxy()
    await behind.controller.start()
    group = "krkn.krkn-chaos.dev"
    async with a_policy(jobs.cluster, jobs.namespace, f"{group}/{LOGS}", "Invalid"):
        job = await jobs.job(await jobs.target(), "lasts-0s")
        status = await jobs.finished(job)
    assert (status["phase"], why_not_kept(status)) == ("Succeeded", "Invalid")
    assert SAID not in str(status)


async def test_the_write_of_a_log_hangs(jobs: Jobs, behind_a_proxy: StartBehind) -> None:
    """It takes effect when the job is final already: one log all the same."""
    behind, let_go = await behind_a_proxy(), asyncio.Event()
    await behind.controller.start()

    async def hang(exchange: Exchange) -> web.Response:
        await let_go.wait()
        return await exchange.forward()

    behind.proxy.rule = lambda call: hang if is_of_a_log(call) else None
    async with jobs.watch() as watch:
        job = await jobs.job(await jobs.target(), "lasts-0s")
        status = await jobs.finished(job)
        assert why_not_kept(status) == "NotWritten"
        let_go.set()
        lived_rightly(watch, job)


async def test_a_node_that_does_not_give_a_log_holds_no_job(
    jobs: Jobs, behind_a_proxy: StartBehind
) -> None:
    behind = await behind_a_proxy()
    await behind.controller.start()
    other = await jobs.target()

    async def hang(exchange: Exchange) -> web.Response:
        await asyncio.sleep(60)
        return exchange.drop()

    hung: set[str] = set()
    behind.proxy.rule = lambda call: (
        hang if call.path.endswith("/log") and call.job in hung else None
    )
    # More than are read at once.
    hung |= {str(uuid.uuid4()) for _ in range(12)}
    await asyncio.gather(*(jobs.job(other, "lasts-0s", jobId=job) for job in hung))
    ended = await asyncio.gather(*(jobs.finished(job, seconds=60) for job in hung))
    assert {(status["phase"], why_not_kept(status)) for status in ended} == {
        ("Succeeded", "NotRead")
    }
    # It reads others again.
    job = await jobs.job(other, "lasts-0s")
    assert why_not_kept(await jobs.finished(job)) == ""


async def test_a_log_that_its_node_has_only_later_is_followed_all_the_same(
    jobs: Jobs, behind_a_proxy: StartBehind
) -> None:
    """Of a pod that is being deleted: when it has gone, there is no log to read."""
    behind = await behind_a_proxy(grace_seconds=2)
    await behind.controller.start()
    faults = [refused(500, "InternalError")]
    behind.proxy.rule = lambda call: faults.pop() if call.path.endswith("/log") and faults else None
    job = await jobs.job(await jobs.target(), "ignores-sigterm")
    await jobs.running(job)
    await jobs.stop(job)
    assert why_not_kept(await jobs.finished(job)) == ""
    assert not faults


async def test_a_lowered_limit_costs_no_job_its_log(
    jobs: Jobs, behind_a_proxy: StartBehind
) -> None:
    """The old logs take long to delete: each new one makes its own room meanwhile."""
    size, limit = 4_000, 60_000
    await asyncio.gather(*(_old_log(jobs, size) for _ in range(80)))
    behind = await behind_a_proxy(keep_log_total_bytes=limit, unclaimed_seconds=600)
    deletions: Counter[str] = Counter()

    async def slowly(exchange: Exchange) -> web.Response:
        deletions[exchange.call.path] += 1
        await asyncio.sleep(0.3)
        return await exchange.forward()

    behind.proxy.rule = lambda call: (
        slowly if call.method == "DELETE" and f"/{LOGS}/" in call.path else None
    )
    await behind.controller.start()
    target = await jobs.target()
    made = await asyncio.gather(*(jobs.job(target, "lasts-0s") for _ in range(6)))
    ended = await asyncio.gather(*map(jobs.finished, made))
    assert {why_not_kept(status) for status in ended} == {""}
    kept = await eventually(
        lambda: kept_logs(jobs.cluster, jobs.namespace),
        lambda kept: sum(map(stored_bytes, kept.values())) <= limit,
    )
    assert kept.keys() >= set(made)
    # Nor were more deleted than had to be, or one of them twice.
    assert set(deletions.values()) == {1}
    assert sum(map(stored_bytes, kept.values())) > limit - 7 * size


async def _old_log(jobs: Jobs, size: int) -> None:
    manifest = whole(LOGS)
    manifest["metadata"]["annotations"] = {well_known.STORED_BYTES: str(size)}
    await jobs.cluster.request("POST", collection(LOGS, jobs.namespace), manifest)
