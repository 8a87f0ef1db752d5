"""One run that the tests of this folder look at, in a namespace with Pod Security `restricted`."""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.pods.seen import CacheChange, look
from tests.support.custom_objects import MERGE
from tests.support.running import Wanted, make_namespace, remove_namespace, running

RESTRICTED = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}


@pytest_asyncio.fixture(scope="package")
async def seen(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CacheChange]:
    cluster, name = control_plane.cluster, f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(cluster, name)
    await cluster.request("PATCH", f"/api/v1/namespaces/{name}", RESTRICTED, MERGE)
    folder = tmp_path_factory.mktemp("pods")
    async with running(cluster, name, folder, Wanted()) as services:
        yield await look(services)
    await remove_namespace(cluster, name)
