"""Server, controller and Envoy as real processes for one namespace, and clients of them."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import grpc.aio

from deploy.local import manifests
from deploy.local.cluster import Cluster
from deploy.local.ports import free_port
from deploy.local.services import ON_ONES_OWN_MACHINE, REPOSITORY, Options, Services

RBAC = REPOSITORY / "deploy" / "rbac"


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


@dataclass(frozen=True)
class Wanted:
    """Which processes to start and what to tell them."""

    controller: bool = True
    envoy: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
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
        environment={**ON_ONES_OWN_MACHINE, **wanted.environment},
        kubeconfig_url=wanted.kubeconfig_url,
    )
    services = Services(cluster, options, folder, folder)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(services.stop, 5.0)
        await services.start()
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(services.grpc_address))
        rest = await stack.enter_async_context(aiohttp.ClientSession(services.rest_url))
        yield Running(services, channel, rest, namespace, cluster)


async def make_namespace(cluster: Cluster, name: str) -> None:
    """Make a namespace that has our accounts and roles."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await cluster.apply([namespace, *manifests.in_namespace(manifests.load(RBAC), name)])


async def remove_namespace(cluster: Cluster, name: str) -> None:
    """Delete a namespace and what belongs to it, without waiting for the end.

    Nobody is left who would take the finalizers off its pods, so they go first.
    """
    pods = await cluster.request("GET", f"/api/v1/namespaces/{name}/pods")
    for pod in pods["items"]:
        if pod["metadata"].get("finalizers"):
            await cluster.request(
                "PATCH",
                f"/api/v1/namespaces/{name}/pods/{pod['metadata']['name']}",
                {"metadata": {"finalizers": None}},
                "application/merge-patch+json",
            )
    bindings = manifests.of_kind(
        manifests.in_namespace(manifests.load(RBAC), name), "ClusterRoleBinding"
    )
    for binding in bindings:
        await cluster.delete(binding)
    await cluster.request("DELETE", f"/api/v1/namespaces/{name}")
