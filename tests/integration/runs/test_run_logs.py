"""StreamRunLogs: the logs of all jobs of a run, line by line, in order or as they are written."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from grpc import StatusCode

from krkn_grpc.server.chaos_runs import logs
from krkn_grpc.v1 import runs_pb2 as pb
from tests.integration.runs.conftest import Site, StartServer
from tests.integration.runs.test_logs import settled
from tests.support.connections import memory
from tests.support.jobs import Jobs
from tests.support.requests import IMAGE
from tests.support.rpc import refused
from tests.support.runs import Runs, a_narrow_connection, code_of
from tests.support.waiting import SECONDS, eventually

Lines = Iterable[pb.StreamRunLogsResponse]


async def an_ended_run(site: Site, count: int, behaviour: str) -> pb.Run:
    """Run on so many targets, and wait until all have ended."""
    run = await site.runs.run_of(
        *await site.some_targets(count), scenarioImage=f"{IMAGE}-{behaviour}"
    )
    return await site.runs.run_when(run.run_id)


def by_job(lines: Lines) -> dict[str, str]:
    """The text of each job, by its id."""
    texts: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        texts[line.job_id].append(f"{line.line}\n")
    return {job_id: "".join(parts) for job_id, parts in texts.items()}


async def logs_of(site: Site, run: pb.Run) -> dict[str, str]:
    """The log of each job of a run as StreamLogs has it."""
    return {each.job_id: await site.runs.read_log(each.job_id) for each in run.targets}


async def test_all_logs_in_the_order_of_the_request(site: Site) -> None:
    run = await an_ended_run(site, 3, "logs-200-lines-lasts-0s")
    lines = await site.runs.run_lines(run.run_id)
    assert list(dict.fromkeys(line.job_id for line in lines)) == [
        each.job_id for each in run.targets
    ]
    ids = [line.job_id for line in lines]
    assert ids == sorted(ids, key=[each.job_id for each in run.targets].index), "one after another"
    assert by_job(lines) == await logs_of(site, run)
    for job_id, name in {(line.job_id, line.cluster_name) for line in lines}:
        assert name == (await site.runs.job(job_id)).cluster_name
    assert await site.other_runs.run_lines(run.run_id) == lines
    assert by_job(await site.runs.run_lines(run.run_id, follow=True)) == by_job(lines)


async def test_the_last_lines_of_each(site: Site) -> None:
    run = await an_ended_run(site, 2, "exit-3-lasts-0s")
    for follow in (False, True):
        lines = await site.runs.run_lines(run.run_id, tail_lines=1, follow=follow)
        last = {each.job_id: "the scenario ended with exit code 3\n" for each in run.targets}
        assert by_job(lines) == last
        assert await site.runs.run_lines(run.run_id, tail_lines=0, follow=follow) == []


async def test_bad_options(site: Site) -> None:
    found = await refused(site.runs.run_log(str(uuid.uuid4()), tail_lines=-1).read())
    assert (found.code, found.violations) == (StatusCode.INVALID_ARGUMENT, ["tailLines"])


async def test_follow_from_before_the_start_to_the_end_of_the_last(site: Site) -> None:
    """Three jobs, one after the other."""
    run = await site.runs.run_of(
        *await site.some_targets(3), scenarioImage=f"{IMAGE}-lasts-1s", maxParallel=1
    )
    lines, others = await asyncio.gather(
        *(server.run_lines(run.run_id, follow=True) for server in (site.runs, site.other_runs))
    )
    assert (await site.runs.run_when(run.run_id)).status == "Succeeded"
    assert by_job(lines) == by_job(others) == await logs_of(site, run)


async def test_follow_shows_the_lines_of_all_as_they_come(site: Site) -> None:
    run = await site.runs.run_of(*await site.some_targets(2), scenarioImage=f"{IMAGE}-never-ends")
    log = site.runs.run_log(run.run_id, follow=True)
    seen: set[str] = set()
    while seen != {each.job_id for each in run.targets}:
        line = await log.read()
        if "runs for 2 s" in line.line:
            seen.add(line.job_id)
    await site.runs.stop_run(run.run_id)
    assert await code_of(log) is StatusCode.OK


async def test_more_jobs_than_logs_are_open_at_once(
    site: Site,
) -> None:
    count = logs.MOST_OPEN + 5
    run = await site.runs.run_of(*await site.some_targets(count), scenarioImage=f"{IMAGE}-lasts-1s")
    texts = by_job(await site.runs.run_lines(run.run_id, follow=True))
    assert texts.keys() == {each.job_id for each in run.targets}
    # Of a busy node, a followed log may have a second more than the same log later.
    for each in run.targets:
        first = texts[each.job_id].splitlines()[0]
        assert first == f"scenario pod-scenarios starts on target {each.target_uuid}"


async def test_a_slow_reader_fills_no_memory_and_gets_it_whole(site: Site) -> None:
    run = await an_ended_run(site, 10, "logs-50000-lines-lasts-0s")
    whole = await logs_of(site, run)
    server = site.servers[0].processes
    before = memory(server.child("server").pid)

    async def growth() -> int:
        return memory(server.child("server").pid) - before

    async with a_narrow_connection(server.grpc_address) as runs:
        request = pb.StreamRunLogsAsTextRequest(run_id=run.run_id, follow=True)
        parts = aiter(runs.stub.StreamRunLogsAsText(request))
        first = await anext(parts)
        last = await growth()
        while (now := await settled(growth)) != last:
            last = now
        assert last < 20 * 1024 * 1024, "ten logs of 5 MB each are open"
        text = b"".join([first.data, *[part.data async for part in parts]]).decode()
    found: dict[str, list[str]] = defaultdict(list)
    for line in text.splitlines(keepends=True):
        name, _, rest = line.removeprefix("[").partition("] ")
        found[name].append(rest)
    assert sorted(map("".join, found.values())) == sorted(whole.values())


async def test_only_what_failed(site: Site) -> None:
    good, bad = await site.some_targets(2)
    run = await site.runs.run_of(bad, scenarioImage=f"{IMAGE}-exit-3-lasts-1s")
    fine = await site.runs.run_of(good, scenarioImage=f"{IMAGE}-lasts-1s")
    followed = await asyncio.gather(
        *(site.runs.run_lines(each.run_id, follow=True, only_failed=True) for each in (run, fine))
    )
    assert [len(by_job(lines)) for lines in followed] == [1, 0]
    assert by_job(followed[0]) == await logs_of(site, run)
    assert await site.runs.run_lines(run.run_id, only_failed=True) == followed[0]
    assert await site.runs.run_lines(fine.run_id, only_failed=True) == []


async def test_before_the_start_there_is_nothing_yet(site: Site) -> None:
    [target] = await site.some_targets(1)
    run = await site.runs.run_of(target, scenarioImage=f"{IMAGE}-never-starts")
    assert await site.runs.run_lines(run.run_id) == []
    log = site.runs.run_log(run.run_id, follow=True)
    # The headers come at once, though there is no line.
    await log.initial_metadata()
    await site.runs.stop_run(run.run_id)
    assert await code_of(log) is StatusCode.OK


async def test_a_job_whose_log_is_gone_is_left_out(site: Site, jobs: Jobs) -> None:
    run = await an_ended_run(site, 2, "lasts-0s")
    gone, kept = (each.job_id for each in run.targets)
    await jobs.delete(gone)
    await jobs.gone(gone)
    for follow in (False, True):
        call = site.runs.run_lines(run.run_id, follow=follow)
        lines = await asyncio.wait_for(call, SECONDS)
        assert by_job(lines).keys() == {kept}


async def test_a_deleted_job_ends_its_part_of_a_stream(site: Site, jobs: Jobs) -> None:
    run = await site.runs.run_of(
        *await site.some_targets(2), scenarioImage=f"{IMAGE}-lasts-2s", maxParallel=1
    )
    first, waiting = (each.job_id for each in run.targets)
    log = site.runs.run_log(run.run_id, follow=True)
    await log.read()
    await jobs.delete(waiting)
    assert await code_of(log) is StatusCode.OK
    assert (await site.runs.when(first)).status == "Succeeded"


async def test_a_server_that_stops_cuts_what_is_followed(site: Site, a_server: StartServer) -> None:
    [target] = await site.some_targets(1)
    run = await site.runs.run_of(target, scenarioImage=f"{IMAGE}-never-ends")
    async with a_server() as server:
        log = Runs(server.channel).run_log(run.run_id, follow=True)
        await log.read()
        stopping = asyncio.ensure_future(server.processes.child("server").stop(10))
        assert await code_of(log) is StatusCode.UNAVAILABLE
        await stopping
    await site.runs.stop_run(run.run_id)


async def test_a_log_that_breaks_off_fails_the_stream_after_the_others(site: Site) -> None:
    targets = await site.some_targets(2)
    run = await site.runs.run_of(*targets, scenarioImage=f"{IMAGE}-never-ends-log-is-cut")
    log = site.runs.run_log(run.run_id, follow=True)
    seen: set[str] = set()
    found = await refused(_read(log, seen))
    assert (found.code, found.message) == (
        StatusCode.UNAVAILABLE,
        "2 of the logs broke off; try again",
    )
    assert seen == {each.job_id for each in run.targets}
    await site.runs.stop_run(run.run_id)


async def _read(log: Any, seen: set[str]) -> None:
    async for line in log:
        seen.add(line.job_id)


async def test_who_hangs_up_leaves_nothing_behind(site: Site) -> None:
    run = await site.runs.run_of(*await site.some_targets(3), scenarioImage=f"{IMAGE}-never-ends")
    for _ in range(20):
        log = site.runs.run_log(run.run_id, follow=True)
        await log.read()
        log.cancel()
    # More of them than places: each has given its own back.
    log = site.runs.run_log(run.run_id, follow=True)
    assert (await eventually(log.read)).job_id
    log.cancel()
    await site.runs.stop_run(run.run_id)
