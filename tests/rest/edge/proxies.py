"""Proxies as others put them in front: a second Envoy, before the one under test."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml

from deploy.local.processes.ports import free_port
from krkn_grpc.edge.command import command
from tests.rest.edge.running import LOOPBACK, SECONDS, Door, eventually

PROXY = "127.0.0.9"
"""The address that a proxy calls from; callers have others of the same machine."""

_TYPE = "type.googleapis.com/envoy.extensions"


def caller(address: str, url: str, *, http2: bool = False) -> httpx.Client:
    """Return a client that calls from an address of this machine."""
    transport = httpx.HTTPTransport(local_address=address, http1=not http2, http2=http2)
    return httpx.Client(base_url=url, transport=transport, timeout=SECONDS)


@contextlib.contextmanager
def http_proxy(folder: Path, door: Door) -> Iterator[str]:
    """Run a proxy that says in x-forwarded-for where each call comes from; yields its URL."""
    manager = {
        "@type": f"{_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "proxy",
        "use_remote_address": True,
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "door"}}],
                }
            ]
        },
        "http_filters": [
            {
                "name": "router",
                "typed_config": {"@type": f"{_TYPE}.filters.http.router.v3.Router"},
            }
        ],
    }
    with _envoy(folder, door, manager, {}) as url:
        yield url


@contextlib.contextmanager
def tcp_proxy(folder: Path, door: Door) -> Iterator[str]:
    """Run a proxy that says so at the start of each connection; yields its URL."""
    forwarding = {
        "@type": f"{_TYPE}.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "proxy",
        "cluster": "door",
    }
    socket_with_header = {
        "name": "proxy_protocol",
        "typed_config": {
            "@type": f"{_TYPE}.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
            "config": {"version": "V2"},
            "transport_socket": {
                "name": "raw",
                "typed_config": {"@type": f"{_TYPE}.transport_sockets.raw_buffer.v3.RawBuffer"},
            },
        },
    }
    with _envoy(folder, door, forwarding, {"transport_socket": socket_with_header}) as url:
        yield url


@contextlib.contextmanager
def _envoy(
    folder: Path, door: Door, network_filter: dict[str, Any], cluster: dict[str, Any]
) -> Iterator[str]:
    port, config = free_port(), folder / "proxy.yaml"
    to_door = {"endpoint": {"address": _at(LOOPBACK, door.settings.rest_port)}}
    resources = {
        "listeners": [
            {
                "name": "proxy",
                "address": _at(LOOPBACK, port),
                "filter_chains": [{"filters": [{"name": "proxy", "typed_config": network_filter}]}],
            }
        ],
        "clusters": [
            {
                "name": "door",
                "type": "STATIC",
                "upstream_bind_config": {
                    "source_address": {"address": PROXY, "port_value": 0, "protocol": "TCP"}
                },
                "load_assignment": {
                    "cluster_name": "door",
                    "endpoints": [{"lb_endpoints": [to_door]}],
                },
                **cluster,
            }
        ],
    }
    config.write_text(yaml.safe_dump({"static_resources": resources}))
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(command(config, concurrency=1), stdout=log, stderr=log)
    try:
        eventually(lambda: _accepts(process, port, folder))
        yield f"http://{LOOPBACK}:{port}"
    finally:
        process.terminate()
        process.wait(SECONDS)


def _at(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _accepts(process: "subprocess.Popen[bytes]", port: int, folder: Path) -> bool:
    assert process.poll() is None, (folder / "proxy.log").read_text()
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
        return True
    return False
