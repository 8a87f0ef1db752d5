"""A namespace for each test, and servers whose targets are ready."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.probe.probing import AUTHORITY, GOOD_CONTEXT
from tests.integration.probe.servers import answer, review, says, serving
from tests.support.discovery import RealCluster
from tests.support.discovery_scene import PATIENT, Scene, a_scene, lent
from tests.support.running import Running, Wanted, running

HOLD = 2
DEADLINE = 3
SETTINGS = {
    **{f"KRKN_{name.upper()}": str(value) for name, value in PATIENT.items()},
    "KRKN_DISCOVERY_HOLD_SECONDS": str(HOLD),
}


@dataclass(frozen=True)
class Site:
    """A namespace with server, controller and Envoy."""

    scene: Scene
    running: Running

    @property
    def rest(self) -> aiohttp.ClientSession:
        """To Envoy."""
        return self.running.rest


@contextlib.asynccontextmanager
async def a_site(
    control_plane: ControlPlane, folder: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Site]:
    """Start the services in a namespace of their own; our provider is registered."""
    async with a_scene(control_plane, folder) as scene:
        services = folder / f"services-{uuid.uuid4().hex[:6]}"
        services.mkdir()
        wanted = Wanted(environment=SETTINGS | dict(environment or {}))
        namespace = scene.discovery.namespace
        async with running(control_plane.cluster, namespace, services, wanted) as started:
            await scene.discovery.registered()
            yield Site(scene, started)


@contextlib.asynccontextmanager
async def serving_clusters(count: int) -> AsyncIterator[Sequence[RealCluster]]:
    """Run servers that take every token for good."""
    async with contextlib.AsyncExitStack() as stack:
        good = says(answer(201, review()))
        servers = [
            await stack.enter_async_context(serving(good, GOOD_CONTEXT)) for _ in range(count)
        ]
        yield [RealCluster(f"https://127.0.0.1:{each.port}", AUTHORITY.pem) for each in servers]


@pytest_asyncio.fixture(scope="session")
async def real_clusters() -> AsyncIterator[Sequence[RealCluster]]:
    """Three servers; each namespace may have a target of each."""
    async with serving_clusters(3) as clusters:
        yield clusters


@pytest_asyncio.fixture
async def scene(control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Scene]:
    """A namespace of this test alone, without any process."""
    async with a_scene(control_plane, tmp_path) as made:
        yield made


@pytest_asyncio.fixture(scope="session")
async def site(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """Services for all tests that add no provider, and remove the targets that they add."""
    async with a_site(control_plane, tmp_path_factory.mktemp("discovery")) as made:
        yield made


@pytest_asyncio.fixture
async def own_site(control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Site]:
    """Services for one test."""
    async with a_site(control_plane, tmp_path) as made:
        yield made


@contextlib.asynccontextmanager
async def a_shared_scene(
    control_plane: ControlPlane, folder: Path, **settings: Any
) -> AsyncIterator[Scene]:
    """Start a controller for many tests."""
    async with a_scene(control_plane, folder) as scene:
        process = await scene.controller(**settings)
        yield Scene(scene.discovery, scene.stack, process)


@pytest_asyncio.fixture(scope="session")
async def one_patient_scene(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    """A controller that waits longer for providers than a test does."""
    async with a_shared_scene(control_plane, tmp_path_factory.mktemp("patient")) as scene:
        yield scene


@pytest_asyncio.fixture(scope="session")
async def one_hasty_scene(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    """A controller that gives providers a few seconds."""
    async with a_shared_scene(
        control_plane, tmp_path_factory.mktemp("hasty"), discovery_deadline_seconds=DEADLINE
    ) as scene:
        yield scene


@pytest_asyncio.fixture
async def patient(one_patient_scene: Scene) -> AsyncIterator[Scene]:
    """A controller that waits longer for providers than a test does; tidied up afterwards."""
    async with lent(one_patient_scene) as scene:
        yield scene


@pytest_asyncio.fixture
async def hasty(one_hasty_scene: Scene) -> AsyncIterator[Scene]:
    """A controller that gives providers DEADLINE seconds; tidied up afterwards."""
    async with lent(one_hasty_scene) as scene:
        yield scene
