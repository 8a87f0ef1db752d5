"""Two Envoys around ours, as in a service mesh: a caller's proxy, mutual TLS, our pod's proxy.

They are set as Istio sets its own: `make mesh` holds that against what Istio generates.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from deploy.local.cluster import manifests
from deploy.local.processes.children import Child, Program
from deploy.local.processes.ports import free_port
from deploy.local.services import REPOSITORY
from krkn_grpc.edge.command import command
from tests.support.spiffe import MeshAuthority, Workload, identity
from tests.support.waiting import eventually

Json = dict[str, Any]

NAMESPACE = "krkn-operator-system"
US = identity(NAMESPACE, "krkn-grpc-controller")
"""Our pod's name in the mesh: the account of its pod."""
ALICE = identity("callers", "alice")

_TYPE = "type.googleapis.com/envoy.extensions"
RETRIES: Json = {
    "retry_on": "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
    # Older releases have it, and people add it; the newest has none.
    "retriable_status_codes": [503],
    "num_retries": 2,
    "host_selection_retry_max_attempts": 5,
    "retry_host_predicate": [
        {
            "name": "previous_hosts",
            "typed_config": {
                "@type": f"{_TYPE}.retry.host.previous_hosts.v3.PreviousHostsPredicate"
            },
        }
    ],
}
"""What a caller's proxy repeats unless the mesh is told otherwise."""

HTTP2 = frozenset({"grpc", "http2", "kubernetes.io/h2c"})
"""Values of appProtocol by which a mesh speaks HTTP/2 to a service."""

_ADDRESS_OF_PROXIES = "127.0.0.6"


def app_protocol() -> str:
    """Return what the Service of the overlay for a mesh says of its port."""
    [service] = manifests.load(REPOSITORY / "deploy" / "overlays" / "mesh" / "service.yaml")
    [port] = [port for port in service["spec"]["ports"] if "appProtocol" in port]
    return str(port["appProtocol"])


@dataclass(frozen=True)
class Sidecars:
    """Where a caller's proxy listens, with a session there, and where our pod's does."""

    address: str
    session: aiohttp.ClientSession
    inbound_port: int
    others: dict[str, str]
    """Addresses where callers' proxies listen that are not as they should be, by what is wrong."""
    authority: MeshAuthority
    alice: Workload


@contextlib.asynccontextmanager
async def two_sidecars(
    folder: Path, edge: int, protocol: str | None = None
) -> AsyncIterator[Sidecars]:
    """Start both around the Envoy that listens on the port `edge`."""
    is_http2 = (protocol or app_protocol()) in HTTP2
    (folder / "another").mkdir(parents=True)
    authority, stranger = MeshAuthority(folder), MeshAuthority(folder / "another")
    alice, inbound = authority.issue(ALICE), free_port()
    wrong: dict[str, tuple[str, Workload | None]] = {
        "another name": (identity(NAMESPACE, "another"), alice),
        "no certificate": (US, None),
        "another mesh": (US, stranger.issue(ALICE)),
    }
    callers = {"": (US, alice), **wrong}
    ports = {name: free_port() for name in callers}
    outbound = _configuration(
        [_listener(port, name, _manager(name, RETRIES)) for name, port in ports.items()],
        [
            _cluster(
                name,
                inbound,
                _upstream_tls(authority, ours, expected, is_http2=is_http2),
                is_http2=is_http2,
            )
            for name, (expected, ours) in callers.items()
        ],
    )
    details = {
        "forward_client_cert_details": "APPEND_FORWARD",
        "set_current_client_cert_details": {"subject": True, "dns": True, "uri": True},
    }
    into_pod = _configuration(
        [
            _listener(
                inbound,
                "inbound",
                _manager("edge", None) | details,
                _downstream_tls(authority, authority.issue(US)),
            )
        ],
        [_cluster("edge", edge, None, is_http2=is_http2)],
    )
    async with contextlib.AsyncExitStack() as stack:
        for name, text in (("inbound", into_pod), ("outbound", outbound)):
            await stack.enter_async_context(_envoy(folder, name, text))
        address = f"localhost:{ports['']}"
        session = await stack.enter_async_context(aiohttp.ClientSession(f"http://{address}"))
        await eventually(lambda: _answers(session))
        others = {name: f"localhost:{ports[name]}" for name in wrong}
        yield Sidecars(address, session, inbound, others, authority, alice)


async def _answers(session: aiohttp.ClientSession) -> bool:
    with contextlib.suppress(aiohttp.ClientError):
        async with session.get("/api/v1/health") as reply:
            return reply.status == 200
    return False


@contextlib.asynccontextmanager
async def _envoy(folder: Path, name: str, text: str) -> AsyncIterator[None]:
    config = folder / f"{name}.yaml"
    config.write_text(text)
    child = Child(Program(name, command(config, 1)), folder / f"{name}.log")
    child.start()
    try:
        yield
    finally:
        child.kill()
        await child.wait()


def _configuration(listeners: list[Json], clusters: list[Json]) -> str:
    return yaml.safe_dump({"static_resources": {"listeners": listeners, "clusters": clusters}})


def _listener(port: int, name: str, manager: Json, tls: Json | None = None) -> Json:
    chain: Json = {"filters": [{"name": "http", "typed_config": manager}]}
    if tls is not None:
        chain["transport_socket"] = tls
    return {
        "name": name or "caller",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [chain],
    }


def _manager(cluster: str, retries: Json | None) -> Json:
    action: Json = {"cluster": cluster or "caller", "timeout": "0s"}
    if retries is not None:
        action["retry_policy"] = retries
    router = {"@type": f"{_TYPE}.filters.http.router.v3.Router"}
    return {
        "@type": f"{_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "sidecar",
        "stream_idle_timeout": "0s",
        "use_remote_address": False,
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "include_attempt_count_in_response": True,
                    "routes": [{"match": {"prefix": "/"}, "route": action}],
                }
            ]
        },
        "http_filters": [{"name": "router", "typed_config": router}],
    }


def _cluster(name: str, port: int, tls: Json | None, *, is_http2: bool) -> Json:
    protocol: Json = {"http2_protocol_options" if is_http2 else "http_protocol_options": {}}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    options = f"{_TYPE}.upstreams.http.v3.HttpProtocolOptions"
    cluster: Json = {
        "name": name or "caller",
        "type": "STATIC",
        "connect_timeout": "10s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": options,
                "explicit_http_config": protocol,
            }
        },
        "load_assignment": {
            "cluster_name": name or "caller",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
    if tls is not None:
        return cluster | {"transport_socket": tls}
    source = {"address": _ADDRESS_OF_PROXIES, "port_value": 0}
    return cluster | {"upstream_bind_config": {"source_address": source}}


def _common(
    authority: MeshAuthority, ours: Workload | None, expected: Json, protocols: Sequence[str]
) -> Json:
    context: Json = {
        "alpn_protocols": list(protocols),
        "validation_context": {
            "trusted_ca": {"filename": str(authority.file)},
            "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": expected}],
        },
    }
    if ours is not None:
        files = {"certificate_chain": ours.certificate, "private_key": ours.key}
        shown = {name: {"filename": str(file)} for name, file in files.items()}
        context["tls_certificates"] = [shown]
    return context


def _upstream_tls(
    authority: MeshAuthority, ours: Workload | None, expected: str, *, is_http2: bool
) -> Json:
    protocol = "h2" if is_http2 else "http/1.1"
    common = _common(authority, ours, {"exact": expected}, [protocol])
    kind = f"{_TYPE}.transport_sockets.tls.v3.UpstreamTlsContext"
    return {"name": "tls", "typed_config": {"@type": kind, "common_tls_context": common}}


def _downstream_tls(authority: MeshAuthority, ours: Workload) -> Json:
    anyone = {"prefix": f"{US.partition('/ns/')[0]}/"}
    config = {
        "@type": f"{_TYPE}.transport_sockets.tls.v3.DownstreamTlsContext",
        "require_client_certificate": True,
        "common_tls_context": _common(authority, ours, anyone, ["h2", "http/1.1"]),
    }
    return {"name": "tls", "typed_config": config}
