"""Discovery as a REST client sees it, through Envoy: the console of krkn-operator, say."""

import time
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.integration.target_requests.conftest import HOLD, Site
from tests.support.discovery import OURS, TOKEN, RealCluster
from tests.support.other_provider_types import url
from tests.support.rest import Reply, Rest, assert_error, assert_invalid
from tests.support.waiting import eventually

PATH = "/api/v1/targets"
CLUSTERS = "/api/v1/clusters"


async def post(rest: ClientSession, query: str = "", **sent: Any) -> Reply:
    """POST exactly this, without any header that is not given."""
    skip = ["Content-Type", "Accept", "Accept-Encoding", "User-Agent"]
    async with rest.post(PATH + query, skip_auto_headers=skip, **sent) as response:
        return Reply(response.status, response.headers, await response.text())


async def discover(rest: ClientSession, query: str = "") -> str:
    """Start a discovery; return its uuid."""
    reply = await post(rest, query)
    assert reply.status == 202, reply
    assert list(reply.body) == ["uuid"]
    made: str = reply.body["uuid"]
    assert made == str(uuid.UUID(made))
    return made


async def completed(rest: ClientSession, query: str = "") -> str:
    """Start a discovery and wait until it is completed."""
    made = await discover(rest, query)
    await eventually(lambda: Rest(rest).get(f"{PATH}/{made}"), lambda reply: reply.status == 200)
    return made


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}])
async def test_a_discovery_needs_no_body_and_no_content_type(
    site: Site, headers: dict[str, str]
) -> None:
    reply = await post(site.rest, headers=headers)
    assert (reply.status, list(reply.body)) == (202, ["uuid"])


@pytest.mark.parametrize("body", ['{"clusters": []}', '{"requestId": "x"}', "text"])
async def test_a_discovery_with_a_body_is_refused(site: Site, body: str) -> None:
    before = await site.scene.discovery.names()
    reply = await post(site.rest, data=body, headers={"Content-Type": "application/json"})
    assert reply.status == 400, reply
    assert await site.scene.discovery.names() == before


async def test_a_request_id_makes_a_call_repeatable(site: Site) -> None:
    query = f"?requestId={uuid.uuid4()}"
    made = await discover(site.rest, query)
    assert await discover(site.rest, query) == made
    assert await discover(site.rest, query.upper().replace("?REQUESTID", "?requestId")) == made
    assert await discover(site.rest, f"?requestId={uuid.uuid4()}") != made
    assert (await Rest(site.rest).delete(f"{PATH}/{made}")).status == 200
    assert_invalid(await post(site.rest, "?requestId=no-uuid"), "requestId")


async def test_a_request_id_can_be_used_again_after_a_deletion(site: Site) -> None:
    """The Secret of the first request may still be there; it is not waited for until a deadline."""
    query = f"?requestId={uuid.uuid4()}"
    made = await completed(site.rest, query)
    assert (await Rest(site.rest).delete(f"{PATH}/{made}")).status == 200
    assert await completed(site.rest, query) == made
    assert set(await site.scene.discovery.sections(made)) == {OURS}


async def test_what_is_shown_of_a_completed_discovery(site: Site) -> None:
    async def held() -> tuple[str, Reply, float]:
        made, started = await discover(site.rest), time.monotonic()
        reply = await Rest(site.rest).get(f"{PATH}/{made}")
        return made, reply, time.monotonic() - started

    # Until it was completed; on a busy machine that of another one may take longer than the hold.
    made, reply, _ = await eventually(held, lambda seen: seen[1].status == 200 and seen[2] < HOLD)
    body = reply.body
    assert body.pop("created") <= body.pop("completed")
    missing = body.pop("missingProviders", [])
    assert (body, missing) == ({"uuid": made, "status": "Completed"}, [])


async def test_what_is_not_there_is_not_found(site: Site) -> None:
    rest, absent = Rest(site.rest), str(uuid.uuid4())
    for name in (absent, "no-uuid", absent.upper()):
        assert (await rest.get(f"{PATH}/{name}")).status == 404
        assert (await rest.delete(f"{PATH}/{name}")).status == 404
        reply = await rest.get(f"{CLUSTERS}?id={name}")
        assert reply.status == 404
        assert "no such" in reply.body["message"]
    assert_invalid(await rest.get(CLUSTERS), "id")


async def test_the_clusters_have_the_names_that_clients_read(
    site: Site, real_clusters: Sequence[RealCluster]
) -> None:
    rest, discovery = Rest(site.rest), site.scene.discovery
    empty = await completed(site.rest)
    reply = await rest.get(f"{CLUSTERS}?id={empty}")
    assert reply.status == 200
    assert reply.body["targetData"] == {OURS: []}, "an empty list is a list"
    assert reply.body["status"] == "Completed"

    target = await discovery.target(real_clusters[0])
    name = target["metadata"]["name"]
    try:
        full = await completed(site.rest)
        body = (await rest.get(f"{CLUSTERS}?id={full}")).body
        [entry] = body["targetData"][OURS]
        assert entry["cluster-name"] == target["spec"]["clusterName"]
        assert entry["cluster-api-url"] == real_clusters[0].url
        assert entry["targetUUID"] == name
        [typed] = body["clusters"]
        assert typed["provider"] == OURS
        assert typed["clusterName"] == target["spec"]["clusterName"]
        assert typed["clusterApiUrl"] == real_clusters[0].url
        assert typed["targetUUID"] == name
        assert TOKEN not in str(body)
    finally:
        await discovery.jobs.delete_target(target)


async def test_a_deleted_discovery_is_gone_with_its_secret(site: Site) -> None:
    rest, discovery = Rest(site.rest), site.scene.discovery
    made = await completed(site.rest)
    assert await discovery.secret(made) is not None
    reply = await rest.delete(f"{PATH}/{made}")
    assert reply.status == 200
    assert set(reply.body) == {"uuid", "message"}
    assert reply.body["uuid"] == made
    assert (await rest.delete(f"{PATH}/{made}")).status == 404
    assert (await rest.get(f"{PATH}/{made}")).status == 404
    await eventually(lambda: discovery.secret(made), lambda found: found is None)


async def test_a_pending_discovery_is_held_and_told(own_site: Site) -> None:
    other = await own_site.scene.other()
    await other.kill()
    rest = Rest(own_site.rest)
    made = await discover(own_site.rest)
    started = time.monotonic()
    reply = await rest.get(f"{PATH}/{made}")
    assert reply.status == 202, reply
    assert time.monotonic() - started >= HOLD
    assert reply.body["status"] == "pending"
    assert "completed" not in reply.body
    assert reply.body["missingProviders"] == [other.name]
    reply = await rest.get(f"{CLUSTERS}?id={made}")
    assert_error(reply, 404, 5, "NOT_FOUND")
    assert "pending" in reply.body["message"]
    await other.start()
    reply = await eventually(lambda: rest.get(f"{PATH}/{made}"), lambda reply: reply.status == 200)
    assert reply.body.get("missingProviders", []) == []
    body = (await rest.get(f"{CLUSTERS}?id={made}")).body
    assert body["targetData"][OURS] == []
    _, hub = body["targetData"][other.name]  # by name
    assert hub == {
        "cluster-name": "hub",
        "cluster-api-url": url("hub"),
        "targetUUID": "",
        "online": True,
        "cluster-status": "healthy",
        "checked-at": "2026-09-30T10:00:00Z",
    }
    assert {each["targetUUID"] for each in body["clusters"]} == {""}
