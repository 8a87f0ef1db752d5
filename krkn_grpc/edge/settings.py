"""Envoy's settings, from the environment, and the check of their combinations."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from krkn_grpc import otlp_endpoint
from krkn_grpc.edge import client_addresses, combinations, page_key
from krkn_grpc.edge.files import PAGE
from krkn_grpc.edge.origins import origins
from krkn_grpc.otlp_endpoint import OtlpEndpoint

LOOPBACK = "127.0.0.1"

Sampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]


def _shared(variable: str) -> AliasChoices:
    # Settings of OpenTelemetry have no prefix of ours: the server and the controller have them too.
    return AliasChoices(variable, variable.lower())


def _address(host: str) -> str:
    # Envoy listens on addresses, not on names.
    return LOOPBACK if host == "localhost" else str(ipaddress.ip_address(host))


def _upstream(host: str) -> str:
    # The server may be set to listen on all addresses; Envoy calls it on this machine.
    return LOOPBACK if host in {"localhost", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound


class EnvoySettings(BaseSettings):
    """Envoy's addresses, server and limits; `KRKN_` names in the environment.

    Raises `ValidationError` for settings that would open the service to others without
    authentication, or send credentials over a network unencrypted.
    """

    model_config = SettingsConfigDict(
        env_prefix="KRKN_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    rest_host: Annotated[str, BeforeValidator(_address)] = LOOPBACK
    """The address to listen on, for REST and gRPC."""

    rest_port: int = Field(default=8080, ge=1, le=65535)
    """The port to listen on, for REST and gRPC."""

    grpc_host: Annotated[str, BeforeValidator(_upstream)] = LOOPBACK
    """The server's address."""

    grpc_port: int = Field(default=50051, ge=1, le=65535)
    """The server's port."""

    probe_port: int | None = Field(default=None, ge=1, le=65535)
    """A second port for the kubelet's probes, without TLS: GET /livez and /readyz, nothing else.

    Below /livez there are the processes behind Envoy: /livez/server and /livez/logs. Calls on the
    other port cannot exhaust it. By default there is no such port.
    """

    server_health_port: int = Field(default=50052, ge=1, le=65535)
    """The server's port for probes, on this machine."""

    logs_grpc_port: int | None = Field(default=None, ge=1, le=65535)
    """The port of the log reader (`KRKN_SERVE=logs`), beside the server.

    Without it the server itself reads logs.
    """

    logs_health_port: int | None = Field(default=None, ge=1, le=65535)
    """The log reader's port for probes, on this machine."""

    auth: Literal["none", "kubernetes"] = "kubernetes"
    """`none`: only this machine, only local host names, of web pages our own with its key."""

    allowed_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(origins)] = ()
    """Origins whose web pages may call, such as `https://console.example`, separated by commas.

    Exact, with the scheme; the port only if it is not the scheme's own. Without authentication no
    other page may call.
    """

    page: bool = True
    """Whether `/` is the page, where it is built."""

    page_directory: Path | None = None
    """Holds the built page, `index.html` and `assets`, if it is not the one of the image.

    `make page` builds it and prints where.
    """

    page_key_file: Path | None = None
    """Without authentication: holds the key without which our own page may change nothing.

    `make run` makes it, and prints the page's address with it.
    """

    tls: Literal["off", "on", "mesh"] = "off"
    """`on`: Envoy terminates TLS with the files of `tls_directory`. `mesh`: a service mesh does."""

    tls_directory: Path | None = None
    """Holds `tls.crt` and `tls.key`, like a mounted Kubernetes Secret of type kubernetes.io/tls.

    Envoy reads them again when they change.
    """

    tls_client_certificates: bool = False
    """Clients must show a certificate that `ca.crt` of `tls_directory` has signed."""

    client_address: client_addresses.Source = "connection"
    """Where the address of a caller is read, for limits and the access log ([edge](edge.md)).

    `connection`: it is the address that the connection comes from. `x-forwarded-for`: behind
    proxies of HTTP, in that header. `proxy-protocol`: behind a proxy of TCP, in the first bytes of
    each connection; connections without them, or from others than the proxies, are closed.
    """

    trusted_proxies: Annotated[
        tuple[client_addresses.Network, ...], NoDecode, BeforeValidator(client_addresses.networks)
    ] = ()
    """Networks of the proxies that may say where a call comes from, such as `10.1.0.0/16,fd00::/8`.

    What anybody else says about it is not believed.
    """

    trusted_hops: int = Field(default=1, ge=1, le=16)
    """How many proxies a call passes, each of which adds an address to x-forwarded-for."""

    rate_limit: int = Field(default=1000, ge=1)
    """Calls per second, in bursts of as many. Further calls get 429.

    Of each caller whose token the server has accepted lately, and of all others of an address (an
    IPv6 network of /64) together.
    """

    max_connections: int = Field(default=4096, ge=1)
    """Connections of all clients together; one more is closed at once."""

    max_connection_seconds: int = Field(default=600, ge=1, le=86400)
    """How old a connection gets, before its client is asked to open another; up to a quarter more.

    No call is cut: those under way, also watches, go on to their end. Clients come to new pods so.
    """

    call_timeout_seconds: int = Field(default=60, ge=1, le=3600)
    """For each REST call except logs and watches. A gRPC caller sends its own deadline."""

    header_timeout_seconds: int = Field(default=10, ge=1)
    """Time limit for the headers of a request to arrive."""

    body_timeout_seconds: int = Field(default=20, ge=1)
    """Time limit for a whole request to arrive."""

    access_log: bool = True
    """One JSON line per request on standard output."""

    trust_trace_headers: Literal["auto", "on", "off"] = "auto"
    """Whether a caller's `traceparent` is continued; else a new trace begins, with a link to it.

    `auto`: where `KRKN_TLS=mesh`.
    """

    otel_exporter_otlp_endpoint: OtlpEndpoint = Field(
        default="", validation_alias=otlp_endpoint.ALIAS
    )
    """Where spans are sent, by OTLP over gRPC: http://HOST:4317 ([traces](tracing.md)).

    Unset: nowhere.
    """

    otel_exporter_otlp_certificate: Path = Field(
        default=Path("/etc/ssl/certs/ca-certificates.crt"),
        validation_alias=_shared("OTEL_EXPORTER_OTLP_CERTIFICATE"),
    )
    """The authorities that sign the certificate of an https endpoint, as a file of PEM."""

    otel_traces_sampler: Sampler = Field(
        default="parentbased_always_on", validation_alias=_shared("OTEL_TRACES_SAMPLER")
    )
    """Which traces that begin here are sent."""

    otel_traces_sampler_arg: float = Field(
        default=1.0, ge=0, le=1, validation_alias=_shared("OTEL_TRACES_SAMPLER_ARG")
    )
    """The share of traces, 0 to 1, for the samplers by ratio."""

    envoy_directory: Path = Path("/etc/envoy")
    """Where Envoy will find the rendered files. Only TLS needs more than one."""

    envoy_max_heap_mib: int = Field(default=384, ge=64)
    """Near this heap size Envoy refuses work. A container needs twice as much: Lua's memory is none
    of it, and a burst of calls comes before Envoy hears of the heap."""

    envoy_admin_socket: Path | None = None
    """A Unix socket for Envoy's admin interface, which can stop it; it is never on a port."""

    metrics_host: Annotated[str, BeforeValidator(_address)] = LOOPBACK
    """The address to listen on for metrics."""

    envoy_metrics_port: int = Field(default=8083, ge=0, le=65535)
    """A port for GET /stats/prometheus and /ready (metrics.md); 0: none.

    What it shows comes from the admin interface: without `KRKN_ENVOY_ADMIN_SOCKET` there is none.
    """

    @field_validator(
        "otel_exporter_otlp_certificate",
        "otel_traces_sampler",
        "otel_traces_sampler_arg",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, given: object, info: ValidationInfo) -> object:
        # As OpenTelemetry has it.
        return cls.model_fields[info.field_name or ""].default if given == "" else given

    @property
    def chains(self) -> tuple[client_addresses.Chain, ...]:
        """The kinds of connections, by who is believed about the addresses of callers."""
        return client_addresses.chains(self.client_address, self.trusted_proxies, self.trusted_hops)

    @property
    def trusts_traces(self) -> bool:
        """Whether the traces of callers are continued."""
        if self.trust_trace_headers == "auto":
            return self.tls == "mesh"
        return self.trust_trace_headers == "on"

    @property
    def traced_per_million(self) -> int:
        """How many of a million traces that begin here are sent."""
        if self.otel_traces_sampler.endswith("always_off"):
            return 0
        if self.otel_traces_sampler.endswith("traceidratio"):
            return round(self.otel_traces_sampler_arg * 1_000_000)
        return 1_000_000

    @property
    def built_page(self) -> Path | None:
        """The folder with the built page; None without one."""
        folder = self.page_directory or PAGE
        return folder if self.page and (folder / "index.html").is_file() else None

    @property
    def page_key(self) -> str:
        """The key of our own page, empty for none; raises OSError and ValueError."""
        if self.auth != "none" or self.page_key_file is None:
            return ""
        return page_key.of(self.page_key_file)

    @property
    def has_metrics(self) -> bool:
        """Whether there is a listener for metrics."""
        return bool(self.envoy_metrics_port) and self.envoy_admin_socket is not None

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        problem = combinations.problem(self)
        if problem is not None:
            raise ValueError(problem)
        return self
