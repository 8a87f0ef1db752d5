"""The server can create Secrets, and there is no way in which it could read one."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from tests.support.accounts import acting_as, until_bound
from tests.support.running import make_namespace, remove_namespace

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
FOREGROUND = {"dryRun": "All", "propagationPolicy": "Foreground"}


def a_secret(name: str) -> dict[str, Any]:
    """A Secret as the server writes a target's."""
    data = {"kubeconfig": "c3dvcmRmaXNo"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


READINGS: dict[str, tuple[str, str, Any, str, dict[str, str]]] = {
    "get": ("GET", "/{name}", None, "", {}),
    "list": ("GET", "", None, "", {}),
    "list-by-name": ("GET", "", None, "", {"fieldSelector": "metadata.name={name}"}),
    "watch": ("GET", "", None, "", {"watch": "1", "timeoutSeconds": "1"}),
    "old-watch": ("GET", "/{name}", None, "", {"watch": "1", "timeoutSeconds": "1"}),
    "delete": ("DELETE", "/{name}", None, "", {}),
    "delete-dry": ("DELETE", "/{name}", None, "", FOREGROUND),
    "delete-all": ("DELETE", "", None, "", {}),
    "delete-all-dry": ("DELETE", "", None, "", FOREGROUND),
    "update": ("PUT", "/{name}", a_secret("{name}"), "", {}),
    "update-dry": ("PUT", "/{name}", a_secret("{name}"), "", {"dryRun": "All"}),
    "update-that-creates": ("PUT", "/{new}", a_secret("{new}"), "", {}),
    "merge-patch": ("PATCH", "/{name}", {}, MERGE, {}),
    "merge-patch-dry": ("PATCH", "/{name}", {}, MERGE, {"dryRun": "All"}),
    "strategic-patch": ("PATCH", "/{name}", {}, STRATEGIC, {}),
    "json-patch": ("PATCH", "/{name}", [], JSON_PATCH, {}),
    "apply": ("PATCH", "/{name}", a_secret("{name}"), APPLY, {"fieldManager": "a"}),
    "apply-that-creates": ("PATCH", "/{new}", a_secret("{new}"), APPLY, {"fieldManager": "a"}),
}


@pytest_asyncio.fixture(scope="module")
async def namespace(control_plane: ControlPlane) -> AsyncIterator[str]:
    """One namespace with our roles; every Secret in it has a name of its own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(control_plane.cluster, name)
    yield name
    await remove_namespace(control_plane.cluster, name)


@pytest_asyncio.fixture(scope="module")
async def server(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Cluster]:
    """Calls with the server's token, once the API server has learned of its role."""
    async with acting_as(control_plane, namespace, "krkn-grpc-server") as cluster:
        await until_bound(cluster, namespace)
        yield cluster


@pytest.mark.parametrize("way", READINGS)
async def test_the_server_reads_no_secret_not_even_its_own(
    control_plane: ControlPlane, namespace: str, server: Cluster, way: str
) -> None:
    name, path = str(uuid.uuid4()), f"/api/v1/namespaces/{namespace}/secrets"
    await server.request("POST", path, a_secret(name))
    before = await control_plane.cluster.request("GET", f"{path}/{name}")

    method, suffix, body, content_type, parameters = READINGS[way]
    names = {"name": name, "new": str(uuid.uuid4())}
    if isinstance(body, dict) and body:
        body = body | {"metadata": {"name": body["metadata"]["name"].format(**names)}}
    with pytest.raises(ClusterError) as refused:
        await server.request(
            method,
            path + suffix.format(**names),
            body,
            content_type or "application/json",
            **{key: value.format(**names) for key, value in parameters.items()},
        )
    assert refused.value.status == 403
    assert "c3dvcmRmaXNo" not in str(refused.value)
    assert await control_plane.cluster.request("GET", f"{path}/{name}") == before


async def test_creating_a_secret_again_does_not_show_it(
    control_plane: ControlPlane, namespace: str, server: Cluster
) -> None:
    name, path = str(uuid.uuid4()), f"/api/v1/namespaces/{namespace}/secrets"
    await control_plane.cluster.request("POST", path, a_secret(name))
    with pytest.raises(ClusterError) as refused:
        await server.request("POST", path, a_secret(name) | {"data": {}})
    assert refused.value.status == 409
    assert "c3dvcmRmaXNo" not in str(refused.value)


KEYS: dict[str, tuple[dict[str, Any], bool]] = {
    "a target's": ({"data": {"kubeconfig": "YQ=="}}, True),
    "empty": ({"data": {}}, True),
    "a request's": ({"data": {"managed-clusters": "e30="}}, False),
    "both": ({"data": {"kubeconfig": "YQ==", "managed-clusters": "e30="}}, False),
    "in plain text": ({"data": {}, "stringData": {"managed-clusters": "{}"}}, False),
    "another": ({"data": {"other": "YQ=="}}, False),
}


@pytest.mark.parametrize("kind", KEYS)
async def test_the_server_plants_no_clusters(namespace: str, server: Cluster, kind: str) -> None:
    """The Secret of a target request, in which other providers' clusters are, has a UUID too."""
    change, may = KEYS[kind]
    path = f"/api/v1/namespaces/{namespace}/secrets"
    manifest = a_secret(str(uuid.uuid4())) | change
    if may:
        await server.request("POST", path, manifest)
        return
    with pytest.raises(ClusterError, match="only the key kubeconfig") as refused:
        await server.request("POST", path, manifest)
    assert refused.value.status == 403


async def test_inputs_of_a_job_have_the_keys_that_they_need(
    namespace: str, server: Cluster
) -> None:
    manifest = a_secret(f"krkn-job-{uuid.uuid4()}-inputs") | {"data": {"file-0": "YQ=="}}
    await server.request("POST", f"/api/v1/namespaces/{namespace}/secrets", manifest)
