"""Two servers and a controller that all tests of targets share, and one who watches them."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.targets.stage import BRISK as VERY_BRISK
from tests.integration.targets.stage import SLOW, Stage, own_namespace
from tests.integration.targets.watching import Watched, watching
from tests.support.api_proxy import ApiProxy, open_gate
from tests.support.running import Running, Wanted, running
from tests.support.target_client import Targets

# A crash's leftovers go after seconds, and not, as by default, within a minute.
BRISK = {
    "KRKN_WRITE_SECONDS": "8",
    "KRKN_ABANDONED_SECONDS": "9",
    "KRKN_DUPLICATE_RETRY_SECONDS": "3",
    "KRKN_TARGET_SWEEP_SECONDS": "0.5",
}


@dataclass(frozen=True)
class Replicas:
    """Two servers of one namespace, whose controller is beside the first."""

    first: Running
    second: Running
    watched: Watched

    @property
    def targets(self) -> tuple[Targets, Targets]:
        """TargetService of each."""
        return Targets(self.first.channel), Targets(self.second.channel)


@pytest_asyncio.fixture(scope="session")
async def replicas(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Replicas]:
    """Services for all tests of targets that do them no harm."""
    async with contextlib.AsyncExitStack() as stack:
        name = await stack.enter_async_context(own_namespace(control_plane))

        async def start(wanted: Wanted) -> Running:
            folder: Path = tmp_path_factory.mktemp("replica")
            return await stack.enter_async_context(
                running(control_plane.cluster, name, folder, wanted)
            )

        watched = await stack.enter_async_context(watching(control_plane.admin_kubeconfig, name))
        first = await start(Wanted(envoy=False, environment=BRISK))
        second = await start(Wanted(envoy=False, controller=False, environment=BRISK))
        yield Replicas(first, second, watched)


@pytest.fixture
def watched(replicas: Replicas) -> Watched:
    """Who watches the targets of `replicas`."""
    return replicas.watched


@pytest.fixture
def both(replicas: Replicas) -> tuple[Targets, Targets]:
    """TargetService of two servers."""
    return replicas.targets


@pytest.fixture
def targets(replicas: Replicas) -> Targets:
    """TargetService of one server."""
    return replicas.targets[0]


@pytest_asyncio.fixture(scope="session")
async def one_stage(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """The processes of `stage`."""
    proxy = ApiProxy(control_plane.url, control_plane.ca_pem)
    async with contextlib.AsyncExitStack() as stack:
        name = await stack.enter_async_context(own_namespace(control_plane))
        await stack.enter_async_context(proxy.serving())
        watched = await stack.enter_async_context(watching(control_plane.admin_kubeconfig, name))

        async def start(wanted: Wanted) -> Running:
            folder: Path = tmp_path_factory.mktemp("stage")
            return await stack.enter_async_context(
                running(control_plane.cluster, name, folder, wanted)
            )

        victim = await start(
            Wanted(controller=False, envoy=False, environment=SLOW, kubeconfig_url=proxy.url)
        )
        other = await start(Wanted(envoy=False, environment=VERY_BRISK))
        yield Stage(proxy, victim, other, watched)
        await watched.until_tidy()


@pytest_asyncio.fixture
async def stage(one_stage: Stage) -> AsyncIterator[Stage]:
    """A server that a test lets suffer, and another one with the controller."""
    yield one_stage
    one_stage.proxy.before = one_stage.proxy.after = open_gate
    one_stage.proxy.streams_flow.set()
    if not one_stage.victim.processes.child("server").is_running:
        await one_stage.victim.processes.restart("server")
    one_stage.watched.assert_never_doubled()
