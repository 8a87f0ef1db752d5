"""The manifests of an installation on a real API server: it takes all of them, and they hold."""

import base64
import copy
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from deploy.local import manifests
from deploy.local.cluster import ClusterError
from deploy.local.control_plane import ControlPlane
from deploy.local.services import REPOSITORY
from tests.support.accounts import with_token
from tests.support.running import remove_namespace
from tests.support.waiting import eventually

DEPLOY = REPOSITORY / "deploy"
INSTALLATION = manifests.load(DEPLOY / "rbac", DEPLOY / "base")


@pytest_asyncio.fixture(scope="module")
async def namespace(control_plane: ControlPlane) -> AsyncIterator[str]:
    """An installation of its own; its Deployment stays without pods, as nobody acts on it here."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    await control_plane.cluster.apply(manifests.in_namespace(INSTALLATION, name))
    yield name
    await remove_namespace(control_plane.cluster, name)


async def test_it_can_be_applied_again(control_plane: ControlPlane, namespace: str) -> None:
    await control_plane.cluster.apply(manifests.in_namespace(INSTALLATION, namespace))


async def test_pod_security_lets_our_pod_in_and_no_other(
    control_plane: ControlPlane, namespace: str
) -> None:
    [deployment] = manifests.of_kind(INSTALLATION, "Deployment")
    pod: dict[str, Any] = copy.deepcopy(deployment["spec"]["template"])
    pod |= {"apiVersion": "v1", "kind": "Pod"}
    pod["metadata"]["name"] = "krkn-grpc"
    path = f"/api/v1/namespaces/{namespace}/pods"
    await control_plane.cluster.request("POST", path, pod, dryRun="All")

    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    with pytest.raises(ClusterError, match='violates PodSecurity "restricted:latest"'):
        await control_plane.cluster.request("POST", path, pod, dryRun="All")


async def test_the_servers_token_is_the_servers(
    control_plane: ControlPlane, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/secrets/krkn-grpc-server-token"

    async def content() -> dict[str, str]:
        secret = await control_plane.cluster.request("GET", path)
        data: dict[str, str] = secret.get("data", {})
        return data

    data = await eventually(content)
    # The files that a process in a pod looks for.
    assert data.keys() == {"token", "ca.crt", "namespace"}

    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    async with with_token(control_plane, base64.b64decode(data["token"]).decode()) as server:
        answer = await server.request(
            "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review
        )
    account = f"system:serviceaccount:{namespace}:krkn-grpc-server"
    assert answer["status"]["userInfo"]["username"] == account
