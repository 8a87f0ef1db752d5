"""Who may discover targets, and which clusters a caller is shown."""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.auth.callers import Callers, make_callers
from tests.integration.target_requests.conftest import Site, a_site
from tests.support.custom_objects import REQUESTS, TARGETS
from tests.support.discovery import OURS, RealCluster, is_completed
from tests.support.other_provider_types import NAME, target_data
from tests.support.rest import Reply, assert_error
from tests.support.waiting import eventually

PATH = "/api/v1/targets"
CLUSTERS = "/api/v1/clusters"
MOST = 3
SETTINGS = {
    "KRKN_AUTH": "kubernetes",
    "KRKN_AUTH_CACHE_SECONDS": "0.5",
    "KRKN_ALLOWED_IMAGES": "registry.example/krkn-hub",
    "KRKN_DISCOVERIES_PER_CALLER": str(MOST),
}


@dataclass(frozen=True)
class Guarded:
    """The services, their callers, and a completed request of both providers."""

    site: Site
    callers: Callers
    request: str
    mine: str
    others: str

    async def call(self, account: str, method: str, path: str) -> Reply:
        """Call as the account; without a token as nobody if it is empty."""
        headers = {}
        if account:
            headers["Authorization"] = f"Bearer {await self.callers.token(account)}"
        async with self.site.rest.request(method, path, headers=headers) as response:
            return Reply(response.status, response.headers, await response.text())

    async def seen_by(self, account: str) -> dict[str, set[str]]:
        """Return the clusters that the account is shown, by provider."""
        reply = await self.call(account, "GET", f"{CLUSTERS}?id={self.request}")
        assert reply.status == 200, reply
        body = reply.body
        shown = {
            provider: {each["cluster-name"] for each in clusters}
            for provider, clusters in body["targetData"].items()
            if clusters
        }
        typed: dict[str, set[str]] = {}
        for each in body.get("clusters", []):
            typed.setdefault(each["provider"], set()).add(each["clusterName"])
        assert typed == shown
        return shown

    async def caller(self, *rules: dict[str, Any]) -> str:
        """Make an account with these rights and that to read any request."""
        name = f"caller-{uuid.uuid4().hex[:8]}"
        await self.callers.make_role(
            name, {"resources": [REQUESTS], "verbs": ["create", "get", "delete"]}, *rules
        )
        await self.callers.make(name, name)
        await self.callers.until_allowed(name, "create", REQUESTS)
        return name


@pytest_asyncio.fixture(scope="module")
async def guarded(
    control_plane: ControlPlane,
    real_clusters: Sequence[RealCluster],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded-discovery")
    async with a_site(control_plane, folder, SETTINGS) as site:
        discovery = site.scene.discovery
        callers = await make_callers(control_plane, discovery.namespace)
        mine = await discovery.target(real_clusters[0], clusterName="mine")
        others = await discovery.target(real_clusters[1], clusterName="others")
        request = await discovery.request()
        await discovery.completed(request)
        await discovery.merge_status(request, targetData={NAME: target_data(["hub"])})
        names = [each["metadata"]["name"] for each in (mine, others)]
        yield Guarded(site, callers, request, *names)


BOTH = {OURS: {"mine", "others"}}
FOREIGN = {NAME: {"hub"}}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", PATH),
        ("GET", f"{PATH}/{{}}"),
        ("GET", f"{CLUSTERS}?id={{}}"),
        ("DELETE", f"{PATH}/{{}}"),
    ],
)
async def test_fault_10_nothing_is_told_to_who_has_no_right(
    guarded: Guarded, method: str, path: str
) -> None:
    path = path.format(guarded.request)
    assert_error(await guarded.call("", method, path), 401, 16, "UNAUTHENTICATED")
    assert_error(await guarded.call("nobody", method, path), 403, 7, "PERMISSION_DENIED")
    assert await guarded.site.scene.discovery.exists(guarded.request)


async def test_the_ready_made_roles(guarded: Guarded) -> None:
    request = f"{PATH}/{guarded.request}"
    assert await guarded.seen_by("viewer") == BOTH | FOREIGN
    assert (await guarded.call("viewer", "GET", request)).status == 200
    assert (await guarded.call("viewer", "POST", PATH)).status == 403
    assert (await guarded.call("viewer", "DELETE", request)).status == 403
    assert await guarded.seen_by("runner") == BOTH
    made = await guarded.call("runner", "POST", PATH)
    assert made.status == 202
    path = f"{PATH}/{made.body['uuid']}"
    assert (await guarded.call("runner", "GET", path)).status in (200, 202)
    assert (await guarded.call("runner", "DELETE", path)).status == 200


@pytest.mark.parametrize("verb", ["get", "run"])
async def test_a_cluster_is_shown_with_the_right_to_its_target(guarded: Guarded, verb: str) -> None:
    rule = {"resources": [TARGETS], "resourceNames": [guarded.mine], "verbs": [verb]}
    assert await guarded.seen_by(await guarded.caller(rule)) == {OURS: {"mine"}}


async def test_without_any_right_to_targets_none_is_shown(guarded: Guarded) -> None:
    assert await guarded.seen_by(await guarded.caller()) == {}
    rule = {"resources": [TARGETS], "verbs": ["delete", "update"]}
    assert await guarded.seen_by(await guarded.caller(rule)) == {}


async def test_the_clusters_of_others_are_shown_with_the_right_to_list_requests(
    guarded: Guarded,
) -> None:
    rule = {"resources": [REQUESTS], "verbs": ["list"]}
    assert await guarded.seen_by(await guarded.caller(rule)) == FOREIGN


async def test_a_request_id_is_the_callers_own(guarded: Guarded) -> None:
    first, second = await guarded.caller(), await guarded.caller()
    path = f"{PATH}?requestId={uuid.uuid4()}"
    made = [await guarded.call(account, "POST", path) for account in (first, first, second)]
    one, again, other = (reply.body["uuid"] for reply in made)
    assert one == again != other


async def test_a_caller_has_so_many_requests_and_no_more(guarded: Guarded) -> None:
    caller, other = await guarded.caller(), await guarded.caller()
    request_id = f"?requestId={uuid.uuid4()}"
    first = await guarded.call(caller, "POST", PATH + request_id)
    made = [first, *[await guarded.call(caller, "POST", PATH) for _ in range(MOST - 1)]]
    assert [reply.status for reply in made] == [202] * MOST
    refused = await guarded.call(caller, "POST", PATH)
    assert (refused.status, refused.body["code"]) == (429, 8), refused
    assert "delete" in refused.body["message"]
    assert (await guarded.call(other, "POST", PATH)).status == 202
    again = await guarded.call(caller, "POST", PATH + request_id)
    assert (again.status, again.body) == (202, first.body)
    discovery = guarded.site.scene.discovery
    await discovery.when(first.body["uuid"], is_completed)
    assert (await guarded.call(caller, "POST", PATH)).status == 429, "completed ones count"
    await guarded.call(caller, "DELETE", f"{PATH}/{first.body['uuid']}")
    await eventually(lambda: guarded.call(caller, "POST", PATH), lambda reply: reply.status == 202)
