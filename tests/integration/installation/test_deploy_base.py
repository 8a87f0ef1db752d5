"""The manifests of an installation on a real API server: it takes all of them, and they hold."""

import copy
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.cluster import manifests
from deploy.local.cluster.api import ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.services import REPOSITORY
from tests.support.running import remove_namespace

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

    pod["spec"]["initContainers"][1]["securityContext"]["allowPrivilegeEscalation"] = True
    with pytest.raises(ClusterError, match='violates PodSecurity "restricted:latest"'):
        await control_plane.cluster.request("POST", path, pod, dryRun="All")
