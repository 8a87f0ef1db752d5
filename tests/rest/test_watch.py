"""Watching jobs through the real Envoy: one JSON object a line, as it happens."""

import asyncio
import base64
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.support.requests import IMAGE
from tests.support.rest import RUNS, Rest, assert_error, assert_invalid
from tests.support.waiting import eventually

WATCH = f"{RUNS}:watch"


@contextlib.asynccontextmanager
async def watching(rest: Rest, query: str) -> AsyncIterator["Lines"]:
    """Watch until the context is left."""
    async with rest.session.get(URL(f"{WATCH}?{query}", encoded=True)) as response:
        assert response.status == 200
        assert response.headers["content-type"] == "application/x-ndjson"
        yield Lines(response)


class Lines:
    """The lines of a watch, one after the other."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._content = response.content

    async def next(self) -> dict[str, Any]:
        line = await self._content.readline()
        assert line.endswith(b"\n"), "the watch ended"
        message: dict[str, Any] = json.loads(line)
        return message

    async def until(self, kind: str, status: str = "") -> dict[str, Any]:
        while True:
            message = await self.next()
            if message["type"] == kind and (not status or message["job"]["status"] == status):
                return message


async def test_jobs_come_as_they_are_shown_elsewhere(rest: Rest) -> None:
    target = await rest.register()
    [old] = await rest.run(target)
    ended = await rest.job_when(old)
    async with watching(rest, f"targetUUID={target}") as lines:
        assert await lines.next() == {"type": "ADDED", "job": ended, "resumeToken": ""}
        synced = await lines.next()
        assert sorted(synced) == ["resumeToken", "type"]
        assert synced["type"] == "SYNCED"
        [new] = await rest.run(target)
        added = await lines.until("ADDED", "Pending")
        assert sorted(added) == ["job", "resumeToken", "type"]
        assert added["job"]["jobId"] == new
        last = await lines.until("MODIFIED", "Succeeded")
        assert last["job"] == await rest.job(new)
        assert last["job"]["exitCode"] == 0


async def test_a_job_that_goes_is_deleted(rest: Rest) -> None:
    target = await rest.register()
    [job_id] = await rest.run(target, ttlSecondsAfterFinished=0)
    async with watching(rest, f"targetUUID={target}") as lines:
        deleted = await lines.until("DELETED")
        assert (deleted["job"]["jobId"], deleted["job"]["status"]) == (job_id, "Succeeded")


async def test_it_goes_on_where_it_was_cut(rest: Rest) -> None:
    target = await rest.register()
    async with watching(rest, f"targetUUID={target}") as lines:
        token = (await lines.until("SYNCED"))["resumeToken"]
        [job_id] = await rest.run(target)
        told = [await lines.next()]
        while told[-1]["job"]["status"] != "Succeeded":
            told.append(await lines.next())
    for message in told:
        async with watching(rest, f"targetUUID={target}&resumeToken={token}") as lines:
            assert await lines.next() == message
        token = message["resumeToken"]
    assert told[-1]["job"]["jobId"] == job_id


async def test_where_nothing_has_happened_it_is_told_at_once_that_it_goes_on(rest: Rest) -> None:
    target = await rest.register()
    async with watching(rest, f"targetUUID={target}") as lines:
        token = (await lines.until("SYNCED"))["resumeToken"]
    async with (
        asyncio.timeout(60),
        watching(rest, f"targetUUID={target}&resumeToken={token}") as on,
    ):
        [job_id] = await rest.run(target)
        assert (await on.next())["job"]["jobId"] == job_id


@pytest.mark.parametrize("is_resumed", [False, True])
async def test_head_of_a_watch_ends_when_it_has_begun(rest: Rest, is_resumed: bool) -> None:
    target = await rest.register()
    query = f"targetUUID={target}"
    async with watching(rest, query) as lines:
        token = (await lines.until("SYNCED"))["resumeToken"]
    if is_resumed:
        query += f"&resumeToken={token}"
    for _ in range(2):
        async with asyncio.timeout(60), rest.session.head(f"{WATCH}?{query}") as response:
            assert response.status == 200
            assert response.headers["content-type"] == "application/x-ndjson"
    async with rest.session.head(f"{WATCH}?resumeToken=x") as response:
        assert response.status == 400


async def test_filters(rest: Rest) -> None:
    team = uuid.uuid4().hex[:8]
    target = await rest.register()
    changes = {"scenarioImage": f"{IMAGE}-never-ends", "scenarioName": "a b"}
    [wanted] = await rest.run(target, labels={"team": team}, **changes)
    await rest.run(target, labels={"team": team}, scenarioName="another")
    query = f"targetUUID={target}&scenarioName=a%20b&status=Running&labelSelector=team%3D{team}"
    async with watching(rest, query) as lines:
        assert (await lines.until("ADDED"))["job"]["jobId"] == wanted
        assert (await rest.delete(f"{RUNS}/{wanted}")).status == 200
        deleted = await lines.until("DELETED")
        assert (deleted["job"]["jobId"], deleted["job"]["status"]) == (wanted, "Stopping")
    assert (await rest.job_when(wanted))["status"] == "Stopped"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=running", "status"),
        ("labelSelector=a%20in", "labelSelector"),
        ("resumeToken=x", "resumeToken"),
    ],
)
async def test_what_is_wrong_is_a_400(rest: Rest, query: str, field: str) -> None:
    assert_invalid(await rest.get(f"{WATCH}?{query}"), field)


@pytest.mark.parametrize("name", ["pageSize", "pageToken", "targetId", "foo"])
async def test_a_query_parameter_that_is_not_there_is_refused(rest: Rest, name: str) -> None:
    reply = await rest.get(f"{WATCH}?{name}=1")
    assert (reply.status, reply.body["code"]) == (400, 3)
    assert name in reply.body["message"]


async def test_a_token_that_is_too_old_is_a_400_of_its_own(rest: Rest) -> None:
    # From another cluster, where more had happened: the revision is one that this one never had.
    async with watching(rest, "") as lines:
        token = of_revision((await lines.until("SYNCED"))["resumeToken"], 9 * 10**15)
    reply = await rest.get(f"{WATCH}?resumeToken={token}")
    body = assert_error(reply, 400, 11, "TOKEN_TOO_OLD")
    assert body["message"] == "the resumeToken is too old: start anew without one"


async def test_many_watches_that_end_leave_none_behind(rest: Rest) -> None:
    target = await rest.register()
    for _ in range(3):
        async with contextlib.AsyncExitStack() as stack:
            opened = [
                await stack.enter_async_context(watching(rest, f"targetUUID={target}"))
                for _ in range(20)
            ]
            for lines in opened:
                await lines.until("SYNCED")
    # Still as quick as before: who has gone is not written to any more.
    [job_id] = await rest.run(target)
    await eventually(lambda: rest.job(job_id), lambda job: job["status"] == "Succeeded")


def of_revision(token: str, revision: int) -> str:
    """Return the token with another revision in it."""
    content = json.loads(base64.urlsafe_b64decode(token))
    content[-1] = revision
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
