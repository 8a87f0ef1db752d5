"""The services with their page, which tests open in a browser."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.support.running import Running, Wanted, make_namespace, remove_namespace, running


@pytest_asyncio.fixture(scope="session")
async def paged(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """Server, controller and Envoy with the page and its key, without authentication."""
    name, folder = "test-paged", tmp_path_factory.mktemp("paged")
    await make_namespace(control_plane.cluster, name)
    try:
        async with running(control_plane.cluster, name, folder, Wanted(page=True)) as started:
            yield started
    finally:
        await remove_namespace(control_plane.cluster, name)
