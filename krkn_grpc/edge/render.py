"""Renders the configuration of Envoy: `python -m krkn_grpc.edge.render [DIRECTORY]`.

Without a directory the configuration goes to standard output: one file that needs no other, except
for TLS. With a directory, all files are written there.
"""

import base64
import ipaddress
import sys
from collections.abc import Iterable
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from krkn_grpc.edge.command import WORKERS
from krkn_grpc.edge.direct_responses import pages
from krkn_grpc.edge.files import FOLDER
from krkn_grpc.edge.http_rules import DESCRIPTOR_SET, PACKAGE, RestApi, RestCall, segment_pattern
from krkn_grpc.edge.limits import (
    BUFFER_BYTES,
    MAX_BODY_BYTES,
    MAX_HEADER_KIB,
    MAX_HEADERS,
    MAX_OPEN_BYTES,
    PAGE_SECONDS,
)
from krkn_grpc.edge.local_replies import OTHER, REFUSALS
from krkn_grpc.edge.lua_script import (
    OPEN_METHODS,
    OWN_HOSTS,
    PageLimits,
    UploadLimits,
    WebRules,
    caller_script,
    lua_script,
)
from krkn_grpc.edge.settings import EnvoySettings
from krkn_grpc.otlp_endpoint import Address
from krkn_grpc.resources.trace_context import CALLER_HEADER
from krkn_grpc.startup import settings_or_exit

CONFIG = "envoy.yaml"
PROGRAM = "krkn-grpc envoy"
# Another process may serve these.
LOGS = tuple(
    f"ScenarioRunService.{method}"
    for method in ("StreamLogs", "StreamRunLogs", "StreamRunLogsAsText")
)

STATS = (
    r"http\.edge\.downstream_(rq|cx)_.*",
    r"http\.edge\.rs_too_large",
    r"cluster\.(server|logs)\.upstream_(rq|cx)_.*",
    r"rate_limit\.http_local_rate_limit\..*",
    r"overload\..*(active|pressure|scale_percent|shrink_count)",
    r"listener\.[\[0-9].*\.downstream_(cx_total|cx_overflow|cx_overload_reject|global_cx_overflow)",
    r"server\.(live|uptime|version|concurrency|total_connections|memory_allocated)",
    r"server\.memory_heap_size",
    # Not days_until_first_cert_expiring: the authorities that a receiver of traces is known by are
    # in it, too, and a system's list of them has nearly always one that has expired.
    r"listener\.[\[0-9].*\.ssl\.certificate\..*\.expiration_unix_time_seconds",
)
"""Envoy's statistics that are kept, as regular expressions for its own names of them."""

HIDDEN_TAGS = (
    *("http.url", "user_agent", "grpc.path", "grpc.authority"),
    *("grpc.content_type", "grpc.timeout", "grpc.message"),
)
"""What Envoy writes into its spans of the texts of callers, and must not."""

NOT_BUILT = "the page is not built: `make page` builds it for the next start; the API is at /api/v1"

CERTIFICATE = "certificate.yaml"
CLIENT_CA = "client_ca.yaml"

_SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"


def render(settings: EnvoySettings) -> str:
    """Return the configuration as YAML. The same settings give the same text."""
    descriptor_set = DESCRIPTOR_SET.read_bytes()
    api = RestApi(descriptor_set)
    local_only = settings.auth == "none"
    own_pages = pages(local_only=local_only, built=settings.built_page)
    templates = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML, and every value is one of ours
        keep_trailing_newline=True,
    )
    return templates.get_template("envoy.yaml.j2").render(
        settings=settings,
        buffer_bytes=BUFFER_BYTES,
        services=api.services,
        stream_paths=_patterns(call for call in api.calls if call.is_stream),
        log_paths=_patterns(call for call in api.calls if call.rpc in LOGS),
        log_methods=[f"/{PACKAGE}.{rpc.replace('.', '/')}" for rpc in LOGS],
        logs_cluster="server" if settings.logs_grpc_port is None else "logs",
        # gRPC paths: before Envoy can lose the server, the transcoder has turned each call to gRPC.
        write_paths=[
            f"/{PACKAGE}.{call.rpc.replace('.', '/')}" for call in api.calls if call.verb != "GET"
        ],
        script=lua_script(
            api,
            pages=own_pages,
            max_body_bytes=MAX_BODY_BYTES,
            uploads=_upload_limits(settings),
            given_out=_page_limits(settings),
            web=WebRules(
                local_only=local_only,
                origins=settings.allowed_origins,
                own_origins=_own_origins(settings),
                page_key=settings.page_key,
                no_page="" if settings.built_page or not settings.page else NOT_BUILT,
            ),
            in_mesh=settings.tls == "mesh",
        ),
        caller_script=caller_script(),
        call_notes_script=(FOLDER / "lua" / "call_notes.lua").read_text(),
        probe_paths=_probe_paths(settings),
        probes_script=(FOLDER / "lua" / "probes.lua").read_text(),
        stats=STATS,
        pages=own_pages,
        largest_page=max(len(page.body) for page in own_pages),
        descriptor_set=base64.b64encode(descriptor_set).decode(),
        refusals=REFUSALS,
        other_refusal=OTHER,
        max_body_bytes=MAX_BODY_BYTES,
        # headers.lua has the limits, and a reason; these are for what would take too much memory.
        most_header_kib=2 * MAX_HEADER_KIB,
        most_headers=2 * MAX_HEADERS,
        max_open_bytes=MAX_OPEN_BYTES,
        open_methods=OPEN_METHODS,
        traces=Address(settings.otel_exporter_otlp_endpoint)
        if settings.otel_exporter_otlp_endpoint
        else None,
        traces_host_is_address=_is_address(Address(settings.otel_exporter_otlp_endpoint).host),
        caller_trace=CALLER_HEADER,
        hidden_tags=HIDDEN_TAGS,
        grpc_host_is_address=_is_address(settings.grpc_host),
        certificate_file=str(settings.envoy_directory / CERTIFICATE),
        client_ca_file=str(settings.envoy_directory / CLIENT_CA),
    )


def _own_origins(settings: EnvoySettings) -> tuple[str, ...]:
    """Return the origins of our own page where only this machine is served, as browsers say it."""
    scheme, usual = ("https", 443) if settings.tls == "on" else ("http", 80)
    port = "" if settings.rest_port == usual else f":{settings.rest_port}"
    return tuple(f"{scheme}://{host}{port}" for host in OWN_HOSTS)


def _probe_paths(settings: EnvoySettings) -> dict[str, str]:
    """Return the paths of probes that another process answers, with its cluster."""
    paths = {"/readyz": "probes", "/livez/server": "probes"}
    return paths if settings.logs_health_port is None else paths | {"/livez/logs": "probes_of_logs"}


def _patterns(calls: Iterable[RestCall]) -> str:
    """Return a regular expression for the paths of the calls."""
    return "|".join(segment_pattern(call.path, "[^/]+", r"\\") for call in calls)


def _upload_limits(settings: EnvoySettings) -> UploadLimits:
    """Return the limits for requests that are still arriving: half of the heap, by all workers.

    Each kind of connections has filters, and so a count, of its own.
    """
    all_bytes = settings.envoy_max_heap_mib * 2**20 // 2 // WORKERS // len(settings.chains)
    return UploadLimits(all_bytes, all_bytes // 4, settings.body_timeout_seconds)


def _page_limits(settings: EnvoySettings) -> PageLimits:
    """Return the limits for replies that Envoy gives by itself: a quarter of the heap, likewise."""
    all_bytes = settings.envoy_max_heap_mib * 2**20 // 4 // WORKERS // len(settings.chains)
    return PageLimits(all_bytes, all_bytes // 2, PAGE_SECONDS)


def render_files(settings: EnvoySettings) -> dict[str, str]:
    """Return all files that Envoy needs in its configuration directory, by name."""
    files = {CONFIG: render(settings)}
    if settings.tls == "on" and settings.tls_directory is not None:
        directory = settings.tls_directory
        certificate = {
            "certificate_chain": {"filename": str(directory / "tls.crt")},
            "private_key": {"filename": str(directory / "tls.key")},
            "watched_directory": {"path": str(directory)},
        }
        files[CERTIFICATE] = _secret("certificate", tls_certificate=certificate)
        if settings.tls_client_certificates:
            authority = {
                "trusted_ca": {"filename": str(directory / "ca.crt")},
                "watched_directory": {"path": str(directory)},
            }
            files[CLIENT_CA] = _secret("client_ca", validation_context=authority)
    return files


def _secret(name: str, **content: object) -> str:
    return yaml.safe_dump({"resources": [{"@type": _SECRET, "name": name, **content}]})


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def main(arguments: list[str]) -> None:
    """Render for the settings of the environment, into a folder if one is given."""
    if not arguments:
        sys.stdout.write(render(settings_or_exit(EnvoySettings, PROGRAM)))
        return
    directory = Path(arguments[0])
    settings = settings_or_exit(lambda: EnvoySettings(envoy_directory=directory.resolve()), PROGRAM)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in render_files(settings).items():
            (directory / name).write_text(text)
    except OSError as error:
        # A full disk does not name the file.
        sys.exit(f"{PROGRAM}: cannot write {error.filename or directory}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
