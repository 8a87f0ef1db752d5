"""Server, controller and Envoy as real processes for one namespace, and clients of them."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import grpc.aio

from deploy.local.cluster import manifests
from deploy.local.cluster.api import Cluster
from deploy.local.page import page
from deploy.local.page_key import new_page_key, page_url
from deploy.local.processes.ports import free_port
from deploy.local.progress import Progress
from deploy.local.services import ON_ONES_OWN_MACHINE, REPOSITORY, ROLES, Options, Services


@dataclass(frozen=True)
class Running:
    """What a test needs to speak to the processes, and to do them harm."""

    processes: Services
    """kill, restart, pause, resume and child by name; rest_url, grpc_address, logs, events."""
    channel: grpc.aio.Channel
    """To the server itself."""
    rest: aiohttp.ClientSession
    """To Envoy, its base URL set: `rest.get("/api/v1/health")`."""
    namespace: str
    cluster: Cluster
    """The administrator's calls to the API server."""

    @property
    def page_url(self) -> str:
        """The address to open the page by, as `make run` prints it."""
        return page_url(self.processes)


@dataclass(frozen=True)
class Wanted:
    """Which processes to start and what to tell them."""

    controller: bool = True
    envoy: bool = True
    log_reader: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    page: bool = False
    """Whether the page is built and served, with a key if there is no authentication."""
    kubeconfig_url: str = ""
    """Where the processes reach the API server, if not directly (a proxy in between, say)."""


@contextlib.asynccontextmanager
async def running(
    cluster: Cluster, namespace: str, folder: Path, wanted: Wanted
) -> AsyncIterator[Running]:
    """Start the processes and wait until they serve; at the end they are gone."""
    options = Options(
        namespace=namespace,
        grpc_port=free_port(),
        rest_port=free_port(),
        with_controller=wanted.controller,
        with_envoy=wanted.envoy,
        with_log_reader=wanted.log_reader,
        environment={**ON_ONES_OWN_MACHINE, **wanted.environment},
        kubeconfig_url=wanted.kubeconfig_url,
        page=page(Progress()) if wanted.page else None,
        page_key_file=new_page_key(folder) if wanted.page else None,
    )
    services = Services(cluster, options, folder, folder)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(services.stop, 5.0)
        await services.start()
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(services.grpc_address))
        rest = await stack.enter_async_context(aiohttp.ClientSession(services.rest_url))
        yield Running(services, channel, rest, namespace, cluster)


DEPLOY = REPOSITORY / "deploy"
POLICIES = (DEPLOY / "admission", Path(__file__).with_name("policies.yaml"))
"""The admission policies, in force in every namespace."""

CLUSTER_WIDE = (DEPLOY / "crds", *POLICIES)
"""What a cluster needs before it can have installations."""


async def make_namespace(cluster: Cluster, name: str, roles: Sequence[Path] = ROLES) -> None:
    """Make a namespace that has our accounts and roles."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    wanted = manifests.in_namespace(manifests.load(*roles), name)
    bound = manifests.of_kind(wanted, "ValidatingAdmissionPolicyBinding")
    await cluster.apply([namespace, *(each for each in wanted if each not in bound)])


async def remove_namespace(cluster: Cluster, name: str) -> None:
    """Delete a namespace and what belongs to it, without waiting for the end."""
    bindings = manifests.of_kind(
        manifests.in_namespace(manifests.load(*ROLES), name), *manifests.BY_NAMESPACE
    )
    for binding in bindings:
        await cluster.delete(binding)
    await cluster.request("DELETE", f"/api/v1/namespaces/{name}")
