"""A cluster that has nothing of ours, and kubectl for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from tests.support.kubectl import Kubectl, a_clone


@pytest_asyncio.fixture(scope="module")
async def empty_cluster(binaries: Binaries) -> AsyncIterator[ControlPlane]:
    """A cluster of its own for each module; a test leaves it as it was."""
    async with ControlPlane(binaries) as started:
        yield started


@pytest.fixture
def kubectl(empty_cluster: ControlPlane, tmp_path: Path) -> Kubectl:
    """The administrator's kubectl, in a folder with a copy of deploy."""
    return Kubectl(empty_cluster.admin_kubeconfig, a_clone(tmp_path / "clone"))
