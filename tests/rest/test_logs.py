"""Logs through the real Envoy: plain text, as it is written, and never whole when it is not."""

import asyncio
import uuid

import aiohttp
import pytest

from tests.support.connections import open_connections
from tests.support.requests import IMAGE
from tests.support.rest import RUNS, Rest, assert_error, assert_invalid
from tests.support.running import Running
from tests.support.waiting import eventually

PLAIN = "text/plain; charset=utf-8"


async def a_job(rest: Rest, behaviour: str = "lasts-1s") -> str:
    """Start a job of its own target."""
    [job_id] = await rest.run(await rest.register(), scenarioImage=f"{IMAGE}-{behaviour}")
    return job_id


def log_of(job_id: str) -> str:
    return f"{RUNS}/{job_id}/logs"


async def test_a_whole_log_and_parts_of_it(rest: Rest) -> None:
    job_id = await a_job(rest, "exit-3")
    await rest.job_when(job_id)
    reply = await rest.get(log_of(job_id))
    assert reply.status == 200
    assert reply.headers["content-type"] == PLAIN
    assert reply.headers["transfer-encoding"] == "chunked"
    lines = reply.text.splitlines()
    assert lines[0].startswith("scenario pod-scenarios starts on target ")
    assert lines[-1] == "the scenario ended with exit code 3"

    tail = await rest.get(f"{log_of(job_id)}?tailLines=1")
    assert tail.text == f"{lines[-1]}\n"
    stamped = await rest.get(f"{log_of(job_id)}?timestamps=true&tailLines=1")
    stamp, _, text = stamped.text.partition(" ")
    assert (stamp[-1], text) == ("Z", tail.text)
    assert (await rest.get(f"{log_of(job_id)}?tailLines=0")).text == ""


async def test_it_is_followed_as_it_is_written(rest: Rest) -> None:
    job_id = await a_job(rest, "lasts-4s")
    async with rest.session.get(f"{log_of(job_id)}?follow=true") as response:
        assert (await response.content.readline()).startswith(b"scenario ")
        await rest.job_when(job_id, "Running")
        rest_of_it = await response.text()
    whole = (await rest.get(log_of(job_id))).text
    assert whole.endswith(rest_of_it)
    assert rest_of_it.endswith("the scenario ended with exit code 0\n")


async def test_before_the_start_there_is_nothing_yet(rest: Rest) -> None:
    reply = await rest.get(log_of(await a_job(rest, "never-starts")))
    assert (reply.status, reply.headers["content-type"], reply.text) == (200, PLAIN, "")


async def test_the_headers_of_what_has_nothing_to_say_come_at_once(rest: Rest) -> None:
    waiting, silent = await a_job(rest, "never-starts"), await a_job(rest, "never-ends")
    await rest.job_when(silent, "Running")
    for job_id in (waiting, silent):
        path = f"{log_of(job_id)}?follow=true&tailLines=0"
        async with asyncio.timeout(60), rest.session.get(path) as response:
            assert (response.status, response.headers["content-type"]) == (200, PLAIN)


async def test_head_of_a_log_that_goes_on(rest: Rest) -> None:
    waiting, running = await a_job(rest, "never-starts"), await a_job(rest, "never-ends")
    await rest.job_when(running, "Running")
    for path in (log_of(waiting), log_of(running)):
        for query in ("", "?follow=true", "?follow=true&tailLines=0"):
            async with asyncio.timeout(60), rest.session.head(f"{path}{query}") as response:
                assert (response.status, response.headers["content-type"]) == (200, PLAIN)
                assert await response.read() == b""
    async with rest.session.head(log_of(str(uuid.uuid4()))) as response:
        assert response.status == 404


async def test_a_large_log_is_whole(rest: Rest) -> None:
    job_id = await a_job(rest, "logs-20000-lines")
    await rest.job_when(job_id)
    lines = (await rest.get(log_of(job_id))).text.splitlines()
    numbers = [int(line.split()[1]) for line in lines if line.startswith("line ")]
    assert numbers == list(range(1, 20_001))


@pytest.mark.parametrize("job_id", [str(uuid.uuid4()), "x"])
async def test_a_job_that_is_not_there(rest: Rest, job_id: str) -> None:
    assert_error(await rest.get(log_of(job_id)), 404, 5, "NOT_FOUND")


@pytest.mark.parametrize("job_id", ["..%2F..%2Fpods", "%2e%2e"])
async def test_a_path_that_leads_elsewhere(rest: Rest, job_id: str) -> None:
    reply = await rest.get(log_of(job_id))
    assert (reply.status, reply.body["code"]) == (404, 5)


async def test_a_log_whose_pod_is_gone(rest: Rest, shared_services: Running) -> None:
    job_id = await a_job(rest)
    pod = (await rest.job_when(job_id))["podName"]
    before = await rest.get(log_of(job_id))
    assert "krkn-log" not in before.headers
    path = f"/api/v1/namespaces/{shared_services.namespace}"
    await shared_services.cluster.request("DELETE", f"{path}/pods/{pod}")
    await eventually(lambda: rest.get(log_of(job_id)), lambda reply: "krkn-log" in reply.headers)
    for query in ("", "?follow=true", "?tailLines=1", "?tailLines=0"):
        kept = await rest.get(f"{log_of(job_id)}{query}")
        assert (kept.status, kept.headers["krkn-log"]) == (200, "kept")
        assert kept.headers["content-type"] == PLAIN
        assert before.text.endswith(kept.text)
    async with rest.session.head(log_of(job_id)) as response:
        assert (response.status, response.headers["krkn-log"]) == (200, "kept")
    logs = f"/apis/krkn.krkn-chaos.dev/v1alpha1/namespaces/{shared_services.namespace}"
    await shared_services.cluster.request("DELETE", f"{logs}/krknchaosjoblogs/{job_id}")
    body = assert_error(await rest.get(log_of(job_id)), 404, 5, "NOT_FOUND")
    gone = "the log is gone with the job's pod"
    why = "its kept copy was deleted for newer ones, or logs are not kept here"
    assert body["message"] == f"{gone}: {why}"


async def test_what_is_wrong_is_a_400(rest: Rest) -> None:
    path = log_of(str(uuid.uuid4()))
    assert_invalid(await rest.get(f"{path}?tailLines=-1"), "tailLines")
    for query in ("tailLines=x", "follow=maybe", "since=1", "tailLines=99999999999"):
        reply = await rest.get(f"{path}?{query}")
        assert (reply.status, reply.body["code"]) == (400, 3), query


async def test_a_log_that_breaks_off_is_cut(rest: Rest) -> None:
    job_id = await a_job(rest, "never-ends-log-is-cut")
    async with rest.session.get(f"{log_of(job_id)}?follow=true") as response:
        assert response.status == 200
        assert (await response.content.readline()).startswith(b"scenario ")
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_a_reader_that_leaves_closes_what_was_opened_for_it(
    rest: Rest, shared_services: Running
) -> None:
    job_id = await a_job(rest, "never-ends")
    server = shared_services.processes.child("server").pid
    port = int(shared_services.cluster.url.rpartition(":")[2])

    async def count() -> int:
        return open_connections(server, port)

    async with aiohttp.ClientSession(shared_services.processes.rest_url) as leaving:
        responses = [await leaving.get(f"{log_of(job_id)}?follow=true") for _ in range(20)]
        await asyncio.gather(*(response.content.readline() for response in responses))
        most = await count()
        assert most >= 20
        for response in responses:
            response.close()
        await eventually(count, lambda now: now <= most - 20)
