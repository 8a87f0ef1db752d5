"""A cluster's API behind a gateway that routes by the bare name, as gateways are mostly configured.

A real Envoy before a real API server. The default port is for the superuser alone on many machines:
so it is reached through a proxy, which connects to the gateway whatever port is asked for.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from controller.targets.probe.result import ProbeReason
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.processes.children import Child, Program
from deploy.local.processes.ports import LOOPBACK, free_port
from krkn_grpc.edge.command import command
from krkn_grpc.resources.kubeconfig import from_token
from tests.integration.probe.probing import look
from tests.integration.probe.servers import Authority
from tests.support.waiting import eventually

AUTHORITY = Authority("the gateway's authority")
HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


def configuration(port: int, upstream: int, domain: str, folder: Path) -> dict[str, object]:
    pair = AUTHORITY.issue("gateway.example", LOOPBACK)
    (folder / "crt").write_text(pair.certificate)
    (folder / "key").write_text(pair.key)
    files = {
        "certificate_chain": {"filename": str(folder / "crt")},
        "private_key": {"filename": str(folder / "key")},
    }
    manager = {
        "@type": f"{HTTP}.HttpConnectionManager",
        "stat_prefix": "gateway",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "api",
                    "domains": [domain],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "api"}}],
                }
            ]
        },
        "http_filters": [{"name": "router", "typed_config": {"@type": ROUTER}}],
    }
    listener = {
        "address": socket_address(port),
        "filter_chains": [
            {
                "transport_socket": {
                    "name": "tls",
                    "typed_config": {
                        "@type": f"{TLS}.DownstreamTlsContext",
                        "common_tls_context": {"tls_certificates": [files]},
                    },
                },
                "filters": [{"name": "http", "typed_config": manager}],
            }
        ],
    }
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": socket_address(upstream)}}]}]
    cluster = {
        "name": "api",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "api", "endpoints": endpoints},
        "transport_socket": {
            "name": "tls",
            "typed_config": {"@type": f"{TLS}.UpstreamTlsContext"},
        },
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def socket_address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}


@contextlib.asynccontextmanager
async def gateway(port: int, upstream: int, domain: str, folder: Path) -> AsyncIterator[None]:
    path = folder / "envoy.yaml"
    path.write_text(json.dumps(configuration(port, upstream, domain, folder)))
    envoy = Child(Program("envoy", command(path, concurrency=1)), folder / "envoy.log")
    envoy.start()

    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await eventually(listens)
        yield
    finally:
        await envoy.stop()


@contextlib.asynccontextmanager
async def proxy(to: int) -> AsyncIterator[tuple[int, list[str]]]:
    """Connect everybody to one port; gives the proxy's own port, and what it is asked for."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            asked.append(head.decode().splitlines()[0])
            inner, outer = await asyncio.open_connection(LOOPBACK, to)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            with contextlib.closing(outer):
                await asyncio.gather(copy(reader, outer), copy(inner, writer))

    async with await asyncio.start_server(serve, LOOPBACK, 0) as server:
        yield server.sockets[0].getsockname()[1], asked


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    ("url", "domain", "connects_to"),
    [
        (f"https://{LOOPBACK}", LOOPBACK, f"{LOOPBACK}:443"),
        (f"https://{LOOPBACK}:443", LOOPBACK, f"{LOOPBACK}:443"),
        (f"https://{LOOPBACK}:6443", f"{LOOPBACK}:6443", f"{LOOPBACK}:6443"),
    ],
)
async def test_a_gateway_finds_its_route(
    target_cluster: ControlPlane, tmp_path: Path, url: str, domain: str, connects_to: str
) -> None:
    metadata = {"name": "behind", "namespace": "default"}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    await target_cluster.cluster.apply([account])
    token = await target_cluster.cluster.token("default", "behind", seconds=600)
    port = free_port()
    async with (
        gateway(port, target_cluster.port, domain, tmp_path),
        proxy(port) as (proxy_port, asked),
    ):
        direct = from_token(url, token, AUTHORITY.pem)
        found = await look(replace(direct, proxy_url=f"http://{LOOPBACK}:{proxy_port}"))
        assert found.reason is ProbeReason.REACHABLE, found
        assert asked == [f"CONNECT {connects_to} HTTP/1.1"]
