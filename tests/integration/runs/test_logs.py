"""StreamLogs: whole, in part, as it is written, and never whole when it is not."""

import asyncio
import re
import uuid
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.resources import names
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.integration.runs.asked import a_job
from tests.integration.runs.conftest import Site, StartServer
from tests.integration.runs.held import Hold, a_proxy, heal
from tests.support.connections import memory, open_connections
from tests.support.jobs import Jobs
from tests.support.requests import IMAGE
from tests.support.rpc import refused
from tests.support.runs import Runs, a_narrow_connection
from tests.support.waiting import eventually

STAMPED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (.*)")
LINES = 50_000


async def an_ended_job(site: Site, behaviour: str = "lasts-1s") -> str:
    """Start a job, and wait until it has ended."""
    job_id = await a_job(site, behaviour)
    await site.runs.when(job_id)
    return job_id


async def test_a_whole_log(site: Site) -> None:
    job_id = await an_ended_job(site, "exit-3")
    log = await site.runs.read_log(job_id)
    first, *_, last = log.splitlines()
    assert (
        first
        == f"scenario pod-scenarios starts on target {(await site.runs.job(job_id)).target_uuid}"
    )
    assert last == "the scenario ended with exit code 3"
    assert await site.other_runs.read_log(job_id) == log
    assert await site.runs.read_log(job_id, follow=True) == log


async def test_a_large_log_is_whole(site: Site) -> None:
    job_id = await an_ended_job(site, f"logs-{LINES}-lines")
    lines = (await site.runs.read_log(job_id)).splitlines()
    numbered = [line.split()[1] for line in lines if line.startswith("line ")]
    assert numbered == [str(number) for number in range(1, LINES + 1)]


async def test_parts_of_a_log(site: Site) -> None:
    job_id = await an_ended_job(site, "logs-20-lines")
    whole = (await site.runs.read_log(job_id)).splitlines()

    async def lines(**options: Any) -> list[str]:
        return (await site.runs.read_log(job_id, **options)).splitlines()

    assert await lines(tail_lines=3) == whole[-3:]
    assert await lines(tail_lines=0) == []
    assert await lines(tail_lines=2**31 - 1) == whole
    stamped = [STAMPED.fullmatch(line) for line in await lines(timestamps=True)]
    assert [match and match[1] for match in stamped] == whole
    [only] = await lines(timestamps=True, tail_lines=1, follow=True)
    assert only.endswith(whole[-1])
    assert STAMPED.fullmatch(only)


async def test_bad_options(site: Site) -> None:
    call = site.runs.log(str(uuid.uuid4()), tail_lines=-1)
    found = await refused(call.read())
    assert (found.code, found.violations) == (StatusCode.INVALID_ARGUMENT, ["tailLines"])


async def test_follow_from_before_the_start_to_the_end(site: Site) -> None:
    job_id = await a_job(site, "lasts-2s")
    logs = await asyncio.gather(
        *(server.read_log(job_id, follow=True) for server in (site.runs, site.other_runs))
    )
    assert (await site.runs.when(job_id)).status == "Succeeded"
    assert logs == [await site.runs.read_log(job_id)] * 2
    assert logs[0].endswith("the scenario ended with exit code 0\n")


async def test_follow_shows_lines_as_they_come(site: Site) -> None:
    job_id = await a_job(site, "never-ends")
    log = site.runs.log(job_id, follow=True)
    seen = b""
    while b"runs for 1 s" not in seen:
        part = await log.read()
        assert part.content_type == "text/plain; charset=utf-8"
        seen += part.data
    assert (await site.runs.job(job_id)).status == "Running"
    log.cancel()


async def test_a_reader_that_leaves_closes_what_was_opened_for_it(site: Site) -> None:
    server, port = site.servers[0].processes.child("server").pid, site.control_plane.port
    jobs = [await a_job(site, "never-ends"), await a_job(site, "never-starts")]
    await site.runs.when(jobs[0], "Running")

    async def count() -> int:
        return open_connections(server, port)

    await count()
    logs = [site.runs.log(jobs[0], follow=True) for _ in range(20)]
    await asyncio.gather(*(log.read() for log in logs))
    most = await count()
    # One that has nothing to read yet, too.
    waiting = site.runs.log(jobs[1], follow=True)
    await site.runs.list()
    for log in (*logs, waiting):
        log.cancel()
    await eventually(count, lambda now: now <= most - 20)


async def test_a_slow_reader_fills_no_memory_and_gets_it_whole(site: Site) -> None:
    job_id = await an_ended_job(site, f"logs-{2 * LINES}-lines")
    whole = await site.runs.read_log(job_id)
    server = site.servers[0].processes
    before = memory(server.child("server").pid)

    async def growth() -> int:
        return memory(server.child("server").pid) - before

    async with a_narrow_connection(server.grpc_address) as runs:
        logs = [runs.log(job_id) for _ in range(3)]
        first = [(await log.read()).data for log in logs]
        last = await growth()
        while (now := await settled(growth)) != last:
            last = now
        assert last < 10 * 1024 * 1024, "three logs of 10 MB each are waiting"
        rest = await asyncio.gather(*map(_slowly, logs))
    assert [a + b for a, b in zip(first, rest, strict=True)] == [whole.encode()] * 3


async def settled(look: Any) -> int:
    """Return a number when it has been the same for a while."""
    same, last = 0, await look()
    while same < 10:
        await asyncio.sleep(0.02)
        now = await look()
        same, last = (same + 1, last) if now == last else (0, now)
    return int(last)


async def _slowly(log: Any) -> bytes:
    """Read the rest of a log, with a little pause after each part."""
    parts = []
    while (part := await log.read()) is not grpc.aio.EOF:
        parts.append(part.data)
        await asyncio.sleep(0.005)
    return b"".join(parts)


async def test_a_job_that_has_not_started_has_no_log_yet(site: Site) -> None:
    job_id = await a_job(site, "never-starts")
    assert await site.runs.read_log(job_id) == ""
    following = asyncio.ensure_future(site.runs.read_log(job_id, follow=True))
    await site.runs.stop(job_id)
    assert await following == "", "it never will have one"
    assert (await site.runs.when(job_id)).status == "Stopped"
    assert await site.runs.read_log(job_id) == ""


async def test_a_scenario_that_says_nothing(site: Site) -> None:
    job_id = await an_ended_job(site, "logs-nothing")
    assert await site.runs.read_log(job_id) == ""
    assert await site.runs.read_log(job_id, follow=True) == ""


@pytest.mark.parametrize("job_id", [str(uuid.uuid4()), "../x", ""])
async def test_a_job_that_is_not_there(site: Site, job_id: str) -> None:
    found = await refused(site.runs.log(job_id).read())
    assert (found.code, found.message) == (StatusCode.NOT_FOUND, "there is no such job")


async def test_a_job_that_is_deleted_while_its_start_is_waited_for(site: Site, jobs: Jobs) -> None:
    job_id = await a_job(site, "never-starts")
    log = site.runs.log(job_id, follow=True)
    await jobs.delete(job_id)
    assert (await refused(log.read())).code is StatusCode.NOT_FOUND


async def test_a_server_that_has_not_heard_of_the_start_asks(
    site: Site, control_plane: ControlPlane, a_server: StartServer
) -> None:
    async with a_proxy(control_plane) as proxy:
        Hold(proxy, "before", "GET krknchaosjobs", 2)  # it lists, and never watches
        async with a_server(proxy.url) as server:
            heal(proxy)
            runs = Runs(server.channel)
            [target] = await site.some_targets(1)
            request = ParseDict(
                {"targetUUIDs": [target], "scenarioImage": IMAGE, "scenarioName": "own"},
                pb.RunScenarioRequest(),
            )
            [job] = (await runs.stub.RunScenario(request)).jobs
            await site.runs.when(job.job_id)
            whole = await site.runs.read_log(job.job_id)
            assert await runs.read_log(job.job_id) == whole
            assert await runs.read_log(job.job_id, follow=True) == whole


async def test_kubectl_reads_the_same(site: Site) -> None:
    job_id = await an_ended_job(site)
    path = f"/api/v1/namespaces/{site.namespace}/pods/{names.pod_for(job_id)}/log"
    reply = await site.cluster.request("GET", path)
    assert reply["text"] == await site.runs.read_log(job_id)
