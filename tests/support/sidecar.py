"""An Envoy before ours, as a service mesh has one beside each caller: it repeats what failed."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import yaml

from deploy.local.processes.children import Child, Program
from deploy.local.processes.ports import free_port
from krkn_grpc.edge.command import command
from tests.support.waiting import eventually

# What Istio's sidecar does with each call unless it is told otherwise.
MESH_DEFAULT = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
# What people write who want every failed call to be repeated.
EAGER = "5xx,reset,connect-failure,refused-stream,retriable-status-codes"
ATTEMPTS = "x-envoy-attempt-count"
_HTTP = "type.googleapis.com/envoy.extensions"


@dataclass(frozen=True)
class Sidecar:
    """Where it listens."""

    url: str
    session: aiohttp.ClientSession


def _configuration(port: int, upstream: int, retry_on: str) -> str:
    router = {"@type": f"{_HTTP}.filters.http.router.v3.Router"}
    retries = {
        "retry_on": retry_on,
        "retriable_status_codes": [503],
        # More patient than a mesh, so that the server is back when it asks again: the pauses are
        # random, half a second on average, and a server may take ten to start on a busy machine.
        "num_retries": 60,
        "retry_back_off": {"base_interval": "0.2s", "max_interval": "1s"},
    }
    manager = {
        "@type": f"{_HTTP}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "sidecar",
        "generate_request_id": True,
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "include_attempt_count_in_response": True,
                    "routes": [
                        {
                            "match": {"prefix": "/"},
                            "route": {"cluster": "edge", "timeout": "40s", "retry_policy": retries},
                        }
                    ],
                }
            ]
        },
        "http_filters": [{"name": "router", "typed_config": router}],
    }
    return yaml.safe_dump(
        {
            "static_resources": {
                "listeners": [
                    {
                        "name": "sidecar",
                        "address": _address(port),
                        "filter_chains": [
                            {"filters": [{"name": "http", "typed_config": manager}]},
                        ],
                    }
                ],
                "clusters": [
                    {
                        "name": "edge",
                        "type": "STATIC",
                        "connect_timeout": "1s",
                        "load_assignment": {
                            "cluster_name": "edge",
                            "endpoints": [
                                {"lb_endpoints": [{"endpoint": {"address": _address(upstream)}}]}
                            ],
                        },
                    }
                ],
            }
        }
    )


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@contextlib.asynccontextmanager
async def a_sidecar(folder: Path, upstream: int, retry_on: str) -> AsyncIterator[Sidecar]:
    """Start one before the Envoy that listens on the port `upstream`."""
    port = free_port()
    config = folder / "sidecar.yaml"
    config.write_text(_configuration(port, upstream, retry_on))
    envoy = Child(Program("sidecar", command(config, 1)), folder / "sidecar.log")
    envoy.start()
    try:
        async with aiohttp.ClientSession(f"http://localhost:{port}") as session:

            async def answers() -> bool:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get("/api/v1/health") as reply:
                        return reply.status == 200
                return False

            await eventually(answers)
            yield Sidecar(f"http://localhost:{port}", session)
    finally:
        envoy.kill()
        await envoy.wait()
