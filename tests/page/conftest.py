"""The page, served by the real Envoy before the whole service, in a real browser."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local import demo_targets
from deploy.local.cluster.control_plane import ControlPlane
from tests.page.opened import Opened
from tests.support.browser import Tab
from tests.support.rest import Rest
from tests.support.running import Running, remove_namespace


@pytest.fixture
def rest(page_services: Running) -> Rest:
    """REST beside the page, to make what it shows."""
    return Rest(page_services.rest)


@pytest_asyncio.fixture
async def demo_clusters(control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[list[str]]:
    """The kubeconfig files of the three clusters that `make run` has; they are reached."""
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(remove_namespace, control_plane.cluster, demo_targets.NAMESPACE)
        files = await demo_targets.write_demo_targets(
            control_plane.cluster, control_plane.port, tmp_path, stack
        )
        yield [file.read_text() for file in files]


@pytest_asyncio.fixture
async def opened(tab: Tab, page_services: Running) -> AsyncIterator[Opened]:
    """The page, opened by the address that `make run` prints; it logs no error."""
    opened = Opened(tab, page_services)
    await opened.start()
    yield opened
    # A Content-Security-Policy that stops something of ours is one.
    assert tab.errors == []
