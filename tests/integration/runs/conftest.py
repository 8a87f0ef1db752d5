"""Two servers and a controller of one namespace, for all tests that do them no harm."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.cluster.api import Cluster
from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.runs.held import a_proxy, heal
from tests.support.api_proxy import ApiProxy
from tests.support.custom_objects import JOBS, Manifest, collection
from tests.support.jobs import Jobs
from tests.support.running import Running, Wanted, make_namespace, remove_namespace, running
from tests.support.runs import Runs
from tests.support.target_client import Targets

StartServer = Callable[..., contextlib.AbstractAsyncContextManager[Running]]


@dataclass(frozen=True)
class Site:
    """A namespace and the servers that serve it."""

    control_plane: ControlPlane
    namespace: str
    servers: tuple[Running, ...]

    @property
    def cluster(self) -> Cluster:
        """The administrator's calls."""
        return self.control_plane.cluster

    @property
    def runs(self) -> Runs:
        """ScenarioRunService of the first server."""
        return Runs(self.servers[0].channel)

    @property
    def other_runs(self) -> Runs:
        """ScenarioRunService of the second server."""
        return Runs(self.servers[1].channel)

    @property
    def targets(self) -> Targets:
        """TargetService of the first server."""
        return Targets(self.servers[0].channel)

    async def some_targets(self, count: int) -> list[str]:
        """Register so many targets; all servers know them when this returns."""
        return [await self.targets.create() for _ in range(count)]

    async def jobs_on(self, *targets: str) -> list[Manifest]:
        """Return the jobs on these targets as the API server has them, and no others."""
        listed = await self.cluster.request("GET", collection(JOBS, self.namespace))
        return [job for job in listed["items"] if job["spec"]["targetUUID"] in targets]

    async def pods_on(self, target: str) -> list[Manifest]:
        """Return the pods of the jobs on a target."""
        listed = await self.cluster.request(
            "GET",
            f"/api/v1/namespaces/{self.namespace}/pods",
            labelSelector=f"krkn-target-uuid={target}",
        )
        pods: list[Manifest] = listed["items"]
        return pods


@contextlib.asynccontextmanager
async def a_site(control_plane: ControlPlane, folder: Path, *wanted: Wanted) -> AsyncIterator[Site]:
    """A new namespace with servers as they are wanted."""
    cluster, name = control_plane.cluster, f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(cluster, name)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(remove_namespace, cluster, name)
        started = []
        for number, each in enumerate(wanted):
            (own := folder / str(number)).mkdir()
            started.append(await stack.enter_async_context(running(cluster, name, own, each)))
        yield Site(control_plane, name, tuple(started))


@pytest_asyncio.fixture(scope="session")
async def site(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """Two servers and a controller; they stay as they are, and so does their namespace."""
    both = Wanted(envoy=False), Wanted(controller=False, envoy=False)
    async with a_site(control_plane, tmp_path_factory.mktemp("site"), *both) as started:
        yield started


@dataclass(frozen=True)
class Unsure:
    """A server of the site that cannot trust what stands between it and the API server."""

    proxy: ApiProxy
    runs: Runs


@pytest_asyncio.fixture(scope="session")
async def unsure_server(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Unsure]:
    """One more server of the site, behind a proxy, which gives a write up after two seconds."""
    async with a_proxy(site.control_plane) as proxy:
        wanted = Wanted(
            controller=False,
            envoy=False,
            environment={"KRKN_WRITE_SECONDS": "2"},
            kubeconfig_url=proxy.url,
        )
        folder = tmp_path_factory.mktemp("unsure")
        async with running(site.cluster, site.namespace, folder, wanted) as server:
            yield Unsure(proxy, Runs(server.channel))


@pytest.fixture
def unsure(unsure_server: Unsure) -> Iterator[Unsure]:
    """The server, with nothing between it and the API server at the start."""
    heal(unsure_server.proxy)
    yield unsure_server
    heal(unsure_server.proxy)


@pytest.fixture
def jobs(site: Site) -> Jobs:
    """The administrator's hand on the site's jobs."""
    return Jobs(site.control_plane, site.namespace)


@pytest.fixture
def a_server(site: Site, tmp_path: Path) -> StartServer:
    """Start one more server of the site: one that may be harmed, or that has other settings."""

    def start(url: str = "", **settings: Any) -> contextlib.AbstractAsyncContextManager[Running]:
        environment = {f"KRKN_{name.upper()}": str(value) for name, value in settings.items()}
        (folder := tmp_path / uuid.uuid4().hex[:6]).mkdir()
        wanted = Wanted(controller=False, envoy=False, environment=environment, kubeconfig_url=url)
        return running(site.cluster, site.namespace, folder, wanted)

    return start
