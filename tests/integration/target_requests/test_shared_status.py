"""Two writers of one status, and what a provider may write there that nobody expects."""

import asyncio
from typing import Any

import pytest

from deploy.local.cluster.api import Cluster
from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.target_requests.conftest import Site
from tests.integration.target_requests.test_rest import CLUSTERS, completed
from tests.support.api_proxy import ApiProxy, Call
from tests.support.custom_objects import MERGE, REQUESTS, collection
from tests.support.discovery import OURS
from tests.support.discovery_scene import Scene
from tests.support.other_provider_types import NAME
from tests.support.rest import Rest

CONFIGS = "krknoperatortargetproviderconfigs"


async def test_fault_8_a_write_of_another_between_ours_is_not_lost(
    scene: Scene, control_plane: ControlPlane
) -> None:
    """Before each of our writes reaches the API server the other provider changes its part."""
    discovery = scene.discovery
    proxy = ApiProxy(control_plane.url, control_plane.ca_pem)
    await scene.stack.enter_async_context(proxy.serving())
    written: list[dict[str, Any]] = []

    async def another_writes(call: Call) -> None:
        if call.method == "PATCH" and f"/{REQUESTS}/" in call.path and len(written) < 12:
            written.append({"cluster-name": f"version-{len(written)}", "cluster-api-url": ""})
            name = call.path.split(f"/{REQUESTS}/")[1].split("/")[0]
            await discovery.merge_status(name, targetData={NAME: [written[-1]]})

    await scene.controller(url=proxy.url, discovery_deadline_seconds=5)
    await scene.crashed("waited-for")
    proxy.before = another_writes
    request = await discovery.request()
    status = await discovery.completed(request)
    assert len(written) >= 3, "it was to be disturbed"
    assert status["targetData"] == {OURS: [], NAME: [written[-1]]}
    assert set(await discovery.sections(request)) == {OURS}


async def test_many_requests_at_once(patient: Scene) -> None:
    discovery = patient.discovery
    other = await patient.other()
    requests = await asyncio.gather(*(discovery.request() for _ in range(25)))
    statuses = await asyncio.gather(*(discovery.completed(each) for each in requests))
    for request, status in zip(requests, statuses, strict=True):
        assert set(status["targetData"]) == {OURS, other.name}
        assert set(await discovery.sections(request)) == {OURS, other.name}


@pytest.mark.parametrize(
    "address",
    ["", "no url", "https://[::1", "https://one:99999", "javascript:alert(1)", "x" * 2048],
)
async def test_whatever_another_provider_calls_an_address_is_shown(
    site: Site, address: str
) -> None:
    cluster = {
        "cluster-name": "a name: \U0001f419",
        "cluster-api-url": address,
        "checked-at": "yesterday",
        "cluster-status": "so-so",
        "of-a-later-version": {"deep": [1, None]},
    }
    request = await completed(site.rest)
    await site.scene.discovery.merge_status(request, targetData={"another": [cluster]})
    reply = await Rest(site.rest).get(f"{CLUSTERS}?id={request}")
    assert reply.status == 200, reply
    [shown] = reply.body["targetData"]["another"]
    del cluster["of-a-later-version"]
    assert shown == cluster | {"targetUUID": ""}


async def test_the_settings_of_providers_can_be_listed_and_watched(
    control_plane: ControlPlane, namespace: str
) -> None:
    """The other provider does not start without it."""
    cluster: Cluster = control_plane.cluster
    path = collection(CONFIGS, namespace)
    assert (await cluster.request("GET", path))["items"] == []
    made = await cluster.request(
        "POST",
        path,
        {
            "apiVersion": "krkn.krkn-chaos.dev/v1alpha1",
            "kind": "KrknOperatorTargetProviderConfig",
            "metadata": {"name": "one"},
            "spec": {"uuid": "one"},
        },
    )
    status = {
        "status": "Completed",
        "configData": {
            NAME: {"config-map": "acm", "namespace": namespace, "config-schema": '{"a": 1}'}
        },
    }
    await cluster.request("PATCH", f"{path}/one/status", {"status": status}, MERGE)
    # One change is one line, so it is read as any other answer.
    revision = made["metadata"]["resourceVersion"]
    seen = await cluster.request(
        "GET", path, watch="1", resourceVersion=revision, timeoutSeconds="1"
    )
    assert (seen["type"], seen["object"]["status"]) == ("MODIFIED", status)
