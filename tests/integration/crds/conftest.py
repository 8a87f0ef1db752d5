"""One namespace for all tests of this folder: each gives its objects names of their own."""

import uuid
from collections.abc import AsyncIterator

import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane


@pytest_asyncio.fixture(scope="session")
async def namespace(control_plane: ControlPlane) -> AsyncIterator[str]:
    """A namespace without accounts: the tests write as the administrator."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await control_plane.cluster.apply([manifest])
    yield name
    await control_plane.cluster.delete(manifest)
