"""Services that adopt, each test with a provider of its own, and foreign clusters for all."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from deploy.local.cluster import manifests
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.relay import Relay
from deploy.local.services import ADOPTION_ROLES
from tests.integration.adoption.other_provider import OtherProvider, kubeconfig_for
from tests.support.custom_objects import Manifest
from tests.support.jobs import Jobs
from tests.support.running import Running, Wanted, make_namespace, remove_namespace, running

PROVIDERS = [f"other-provider-{number}" for number in range(40)]
SETTINGS = {"KRKN_ADOPT_PROVIDERS": ",".join(PROVIDERS), "KRKN_LEASE_SECONDS": "2"}
FOREIGN_ADMIN = "foreign-admin"


@contextlib.asynccontextmanager
async def adopting_namespace(control_plane: ControlPlane) -> AsyncIterator[str]:
    """A namespace with our roles and those of the component."""
    name, cluster = f"test-{uuid.uuid4().hex[:8]}", control_plane.cluster
    roles = manifests.in_namespace(manifests.load(ADOPTION_ROLES), name)
    await make_namespace(cluster, name)
    await cluster.apply(roles)
    try:
        yield name
    finally:
        for binding in manifests.of_kind(roles, "ClusterRoleBinding"):
            await cluster.delete(binding)
        await remove_namespace(cluster, name)


@pytest_asyncio.fixture(scope="session")
async def adopting(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """Server, controller and Envoy of an installation that adopts."""
    folder = tmp_path_factory.mktemp("adopting")
    async with (
        adopting_namespace(control_plane) as name,
        running(control_plane.cluster, name, folder, Wanted(environment=SETTINGS)) as services,
    ):
        yield services


@pytest.fixture(scope="session")
def names() -> Iterator[str]:
    """A provider's name for each test: its newest answer would make others' clusters gone."""
    return iter(PROVIDERS)


@pytest_asyncio.fixture
async def provider(adopting: Running, names: Iterator[str]) -> AsyncIterator[OtherProvider]:
    """A provider of this test alone; nothing of it is left."""
    made = OtherProvider(adopting.cluster, adopting.namespace, next(names))
    await made.register()
    yield made
    await made.forget()


@pytest.fixture
def jobs(control_plane: ControlPlane, adopting: Running) -> Jobs:
    """Jobs in the namespace of `adopting`."""
    return Jobs(control_plane, adopting.namespace)


@dataclass(frozen=True)
class Foreign:
    """The foreign cluster, which has as many addresses as a test wants."""

    control_plane: ControlPlane
    admin: str
    _open: Callable[[int], Awaitable[Relay]]

    async def kubeconfig(self, token: str = "") -> str:
        """A kubeconfig of its administrator, or of another token, at a new address."""
        return self.at(await self.port(), token)

    async def port(self) -> int:
        """A new port that leads to its API server."""
        return (await self._open(self.control_plane.port)).port

    def at(self, port: int, token: str = "") -> str:
        """A kubeconfig at this address."""
        return kubeconfig_for(self.control_plane, port, token or self.admin)


@pytest_asyncio.fixture(scope="session")
async def admin_token(target_cluster: ControlPlane) -> str:
    """A token of the foreign cluster's administrator."""
    return await _token(target_cluster, FOREIGN_ADMIN, "cluster-admin")


@pytest_asyncio.fixture
async def foreign(target_cluster: ControlPlane, admin_token: str) -> AsyncIterator[Foreign]:
    """The foreign cluster."""
    async with contextlib.AsyncExitStack() as stack:

        async def opened(port: int) -> Relay:
            return await stack.enter_async_context(Relay(port))

        yield Foreign(target_cluster, admin_token, opened)


@pytest_asyncio.fixture
async def powerless_token(target_cluster: ControlPlane) -> str:
    """A token of an account of the foreign cluster that may do nothing."""
    return await _token(target_cluster, "powerless", "")


async def _token(control_plane: ControlPlane, account: str, role: str) -> str:
    metadata = {"name": account, "namespace": "default"}
    made: list[Manifest] = [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}]
    if role:
        rbac = "rbac.authorization.k8s.io"
        made.append(
            {
                "apiVersion": f"{rbac}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": account},
                "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": "ServiceAccount", **metadata}],
            }
        )
    await control_plane.cluster.apply(made)
    return await control_plane.cluster.token("default", account, seconds=3600)
