"""Envoy's guide for the edge: the configuration is as docs/edge.md says, point by point."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.services import REPOSITORY
from krkn_grpc.edge.render import render
from krkn_grpc.edge.settings import EnvoySettings

ROWS = re.findall(
    r"^\| `([a-z][\w.]+)` \| `([^`]+)` \|[^|]*\|([^|]*)\|$",
    (REPOSITORY / "docs" / "edge.md").read_text(),
    re.MULTILINE,
)
# What the guide lists, and a reader of ours expects to find.
POINTS = {
    "admin.",
    "overload_manager.refresh_interval",
    "overload_manager.resource_monitors",
    "overload_manager.resource_monitors.1.typed_config.max_active_downstream_connections",
    "overload_manager.actions",
    "listener.per_connection_buffer_limit_bytes",
    "cluster.per_connection_buffer_limit_bytes",
    "cluster_http2.initial_stream_window_size",
    "cluster_http2.initial_connection_window_size",
    "http.use_remote_address",
    "http.common_http_protocol_options.idle_timeout",
    "http.common_http_protocol_options.headers_with_underscores_action",
    "http.stream_idle_timeout",
    "rest_route.timeout",
    "grpc_route.idle_timeout",
    "http.request_timeout",
    "http.request_headers_timeout",
    "http.http2_protocol_options.max_concurrent_streams",
    "http.http2_protocol_options.initial_stream_window_size",
    "http.http2_protocol_options.initial_connection_window_size",
    "http.normalize_path",
    "http.merge_slashes",
    "http.path_with_escaped_slashes_action",
}


def parts(**settings: Any) -> list[dict[str, Any]]:
    """The rendered configuration as the table names it, once for each kind of connections."""
    chosen = EnvoySettings(envoy_admin_socket=Path("/run/admin"), **settings)
    config = yaml.safe_load(render(chosen))
    resources = config["static_resources"]
    listener = next(each for each in resources["listeners"] if each["name"] == "edge")
    cluster = next(each for each in resources["clusters"] if each["name"] == "server")
    [options] = cluster["typed_extension_protocol_options"].values()
    found = []
    for chain in listener["filter_chains"]:
        http = chain["filters"][0]["typed_config"]
        [host] = http["route_config"]["virtual_hosts"]
        routes = {each["name"]: each["route"] for each in host["routes"] if "route" in each}
        found.append(
            {
                **config,
                "listener": listener,
                "cluster": cluster,
                "cluster_http2": options["explicit_http_config"]["http2_protocol_options"],
                "http": http,
                "rest_route": routes["rest calls"],
                "grpc_route": routes["grpc"],
                "log_route": routes["rest logs"],
            }
        )
    return found


def found(part: Any, path: str) -> Any:
    for name in path.split("."):
        part = part[int(name)] if name.isdigit() else part[name]
    if isinstance(part, list) and all("name" in each for each in part):
        return [each["name"] for each in part]
    return part


def expected(text: str) -> Any:
    # A duration is as Envoy writes it.
    return text if re.fullmatch(r"[\d.]+s", text) else json.loads(text)


@pytest.mark.parametrize(
    "settings",
    [{}, {"client_address": "x-forwarded-for", "trusted_proxies": "10.0.0.0/8"}],
    ids=["direct", "behind proxies"],
)
@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_it_is_as_the_page_says(
    row: tuple[str, str, str], settings: dict[str, str], cache: dict[str, Any]
) -> None:
    path, here, _ = row
    if str(settings) not in cache:
        cache[str(settings)] = parts(**settings)
    for part in cache[str(settings)]:
        assert found(part, path) == expected(here)


@pytest.fixture(scope="module")
def cache() -> dict[str, Any]:
    """Rendered once for all rows."""
    return {}


def test_no_point_of_the_guide_is_left_out() -> None:
    listed = {row[0] for row in ROWS}
    assert not {point for point in POINTS if not any(path.startswith(point) for path in listed)}


def test_each_has_a_reason() -> None:
    assert not [path for path, _, why in ROWS if not why.strip()]
