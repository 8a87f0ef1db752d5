"""Targets through the real Envoy: labels, checks on request, and the watch."""

import asyncio
import json
from typing import Any

import pytest
from yarl import URL

from tests.support.requests import IMAGE, token_target, unused_name
from tests.support.rest import RUNS, TARGETS, Reply, Rest, assert_error, assert_invalid
from tests.support.waiting import eventually


async def send(rest: Rest, verb: str, path: str, **sent: Any) -> Reply:
    """Send exactly this, without any header that is not given."""
    skip = ["Content-Type", "Accept", "Accept-Encoding", "User-Agent"]
    async with rest.session.request(verb, path, skip_auto_headers=skip, **sent) as response:
        return Reply(response.status, response.headers, await response.text())


async def patch(rest: Rest, target: str, body: object) -> Reply:
    return await rest.patch(f"{TARGETS}/{target}", body)


async def test_a_patch_replies_with_the_target_as_it_is_then(rest: Rest) -> None:
    team = unused_name()
    target = await rest.register(labels={"env": "prod"})
    reply = await patch(rest, target, {"labels": {"team": team}, "removeLabels": ["env"]})
    assert reply.status == 200
    assert reply.headers["krkn-revision"].startswith("krknoperatortargets.")
    assert reply.body["labels"] == {"team": team}
    shown = (await rest.get(f"{TARGETS}/{target}")).body
    steady = ("uuid", "clusterName", "labels", "provider", "createdAt")
    assert {name: shown[name] for name in steady} == {name: reply.body[name] for name in steady}
    assert (shown["provider"], shown["serverVersion"]) == ("krkn-operator", "")

    name = unused_name()
    renamed = await patch(rest, target, {"clusterName": name, "labels": None})
    assert (renamed.body["clusterName"], renamed.body["labels"]) == (name, {"team": team})
    # Who knows nothing of labels replaces the target and takes none away.
    replaced = await rest.put(f"{TARGETS}/{target}", token_target(clusterName=name))
    assert replaced.status == 200
    assert (await rest.get(f"{TARGETS}/{target}")).body["labels"] == {"team": team}


async def test_a_limit_is_set_and_stays_until_another_is_given(rest: Rest) -> None:
    async def limit() -> object:
        return (await rest.get(f"{TARGETS}/{target}")).body.get("maxConcurrentJobs")

    target = await rest.register()
    assert await limit() is None
    assert (await patch(rest, target, {"maxConcurrentJobs": 2})).body["maxConcurrentJobs"] == 2
    assert await limit() == 2
    await patch(rest, target, {"labels": {"a": "b"}})
    name = unused_name()
    assert (await rest.put(f"{TARGETS}/{target}", token_target(clusterName=name))).status == 200
    assert await limit() == 2
    for most in (3, 0):
        body = token_target(clusterName=name, maxConcurrentJobs=most)
        assert (await rest.put(f"{TARGETS}/{target}", body)).status == 200
        assert await limit() == most
    target = await rest.register(maxConcurrentJobs=7)
    assert await limit() == 7


async def test_jobs_wait_for_their_turn(rest: Rest) -> None:
    target = await rest.register(maxConcurrentJobs=1)
    [first] = await rest.run(target, scenarioImage=f"{IMAGE}-never-ends")
    await rest.job_when(first, "Running")
    [second] = await rest.run(target)
    [refused] = await rest.run(target, onBusy="Refuse", queueSeconds=0)
    job = await rest.job_when(refused)
    assert (job["status"], job["reason"]) == ("Failed", "TargetBusy")
    job = await rest.job(second)
    assert (job["status"], job["reason"]) in {("Pending", "TargetBusy"), ("Pending", "")}
    # What a caller changes holds at once for those that wait.
    assert (await patch(rest, target, {"maxConcurrentJobs": 2})).status == 200
    assert (await rest.job_when(second))["status"] == "Succeeded"
    await rest.delete(f"{RUNS}/{first}")
    assert (await rest.job_when(first))["status"] == "Stopped"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"labels": {"krkn.krkn-chaos.dev/x": ""}}, "labels[krkn.krkn-chaos.dev/x]"),
        ({"labels": {"a": "b c"}}, "labels[a]"),
        ({"removeLabels": ["a b"]}, "removeLabels[0]"),
        ({"clusterName": ""}, "clusterName"),
        ({"maxConcurrentJobs": -1}, "maxConcurrentJobs"),
        ({"maxConcurrentJobs": 10_001}, "maxConcurrentJobs"),
    ],
)
async def test_a_patch_that_is_not_in_order(rest: Rest, body: object, field: str) -> None:
    assert_invalid(await patch(rest, await rest.register(), body), field)


@pytest.mark.parametrize(
    "body",
    [
        {"label": {"a": "b"}},
        {"maxConcurrent": 1},
        {"token": "abc"},
        {"labels": {"a": 5}},
        {"labels": ["a"]},
        {"uuid": "6f1c1b6e-0000-4000-8000-000000000001"},
    ],
)
async def test_a_patch_with_a_field_that_it_does_not_have(rest: Rest, body: Any) -> None:
    reply = await patch(rest, await rest.register(), body)
    assert reply.status == 400
    assert next(iter(body)) in reply.body["message"]


async def test_a_patch_of_nothing(rest: Rest) -> None:
    nobody = "6f1c1b6e-0000-4000-8000-000000000001"
    assert_error(await patch(rest, nobody, {"labels": {"a": "b"}}), 404, 5, "NOT_FOUND")
    assert_error(await rest.post(f"{TARGETS}/{nobody}:check", None), 404, 5, "NOT_FOUND")
    assert_error(await patch(rest, "x", {"labels": {"a": "b"}}), 404, 5, "NOT_FOUND")


async def test_a_check_needs_no_body_and_no_content_type(rest: Rest) -> None:
    target = await rest.register()
    path = f"{TARGETS}/{target}"

    async def checked() -> Reply:
        return await rest.get(path)

    before = await eventually(checked, lambda reply: "lastChecked" in reply.body)
    await asyncio.sleep(1.1)  # times of checks are whole seconds
    reply = await send(rest, "POST", f"{path}:check")
    assert (reply.status, reply.body["uuid"]) == (200, target)
    assert reply.headers["krkn-revision"].startswith("krknoperatortargets.")
    await eventually(checked, lambda reply: reply.body["lastChecked"] > before.body["lastChecked"])


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", None])
async def test_a_check_with_a_body(rest: Rest, content_type: str | None) -> None:
    path = f"{TARGETS}/{await rest.register()}:check"
    headers = {} if content_type is None else {"Content-Type": content_type}
    reply = await send(rest, "POST", path, data=b"{}", headers=headers)
    assert reply.status == 400


async def test_lists_by_label_and_readiness(rest: Rest) -> None:
    team = unused_name()
    target = await rest.register(labels={"team": team})

    async def listed(query: str) -> Any:
        url = URL(f"{TARGETS}?{query}", encoded=True)
        async with rest.session.get(url) as response:
            body = await response.json()
            return [each["uuid"] for each in body["targets"]] if response.status == 200 else body

    assert await listed(f"labelSelector=team%3D{team}") == [target]
    assert await listed(f"labelSelector=team%3D{team}&ready=false") == [target]
    assert await listed(f"labelSelector=team%3D{team}&ready=true") == []
    assert (await listed("labelSelector=a+in"))["code"] == 3
    assert (await listed("ready=perhaps"))["code"] == 3


async def test_the_watch_is_a_json_object_a_line(rest: Rest) -> None:
    team = unused_name()
    query = f"labelSelector=team%3D{team}&ready=false"
    first = await rest.register(labels={"team": team})
    async with rest.session.get(URL(f"{TARGETS}:watch?{query}", encoded=True)) as response:
        assert response.status == 200
        assert response.headers["content-type"] == "application/x-ndjson"

        async def next_line() -> dict[str, Any]:
            line = await response.content.readline()
            message: dict[str, Any] = json.loads(line)
            return message

        added = await next_line()
        assert (added["type"], added["target"]["uuid"]) == ("ADDED", first)
        while (synced := await next_line())["type"] != "SYNCED":
            pass
        assert sorted(synced) == ["resumeToken", "type"]
        await rest.delete(f"{TARGETS}/{first}")
        while (message := await next_line())["type"] != "DELETED":
            pass
        assert message["target"]["uuid"] == first
    async with rest.session.get(f"{TARGETS}:watch?resumeToken=x") as response:
        assert response.status == 400
