"""What can be set of Envoy, from the environment, and which settings go together."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOOPBACK = "127.0.0.1"


def _address(host: str) -> str:
    # Envoy listens on addresses, not on names.
    return LOOPBACK if host == "localhost" else str(ipaddress.ip_address(host))


def _upstream(host: str) -> str:
    # The server's own setting may say that it listens everywhere; one calls it here.
    return LOOPBACK if host in {"localhost", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound


def is_loopback(host: str) -> bool:
    """Say whether a host is an address of this machine that no other machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class EnvoySettings(BaseSettings):
    """Where Envoy listens, whom it calls and what it allows; `KRKN_` names in the environment.

    Raises `ValidationError` for settings that would open the service to others without a check of
    who calls, or send credentials over a network unencrypted.
    """

    model_config = SettingsConfigDict(
        env_prefix="KRKN_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    rest_host: Annotated[str, BeforeValidator(_address)] = LOOPBACK
    """The address to listen on, for REST and gRPC."""

    rest_port: int = Field(default=8080, ge=1, le=65535)
    """The port to listen on, for REST and gRPC."""

    grpc_host: Annotated[str, BeforeValidator(_upstream)] = LOOPBACK
    """Where the server listens."""

    grpc_port: int = Field(default=50051, ge=1, le=65535)
    """The server's port."""

    auth: Literal["none", "kubernetes"] = "kubernetes"
    """`none`: only this machine, only hosts named so, and no web pages."""

    tls: Literal["off", "on", "mesh"] = "off"
    """`on`: Envoy ends TLS with the files of `tls_directory`. `mesh`: what is around Envoy does."""

    tls_directory: Path | None = None
    """Has `tls.crt` and `tls.key`, as a Kubernetes Secret of type kubernetes.io/tls is mounted.

    Envoy reads them again when they change.
    """

    tls_client_certificates: bool = False
    """Clients must show a certificate that `ca.crt` of `tls_directory` has signed."""

    rate_limit: int = Field(default=1000, ge=1)
    """Calls a second for each client address, in bursts of as many. What is above gets 429."""

    max_connections: int = Field(default=4096, ge=1)
    """Connections of all clients together; one more is closed at once."""

    call_timeout_seconds: int = Field(default=60, ge=1, le=3600)
    """For each REST call but logs and watches. A gRPC caller brings its own deadline."""

    header_timeout_seconds: int = Field(default=10, ge=1)
    """For the headers of a request to arrive."""

    body_timeout_seconds: int = Field(default=20, ge=1)
    """For a request to arrive as a whole."""

    access_log: bool = True
    """One JSON line a request on standard output."""

    envoy_directory: Path = Path("/etc/envoy")
    """Where Envoy will find the rendered files. Only TLS needs more than one."""

    envoy_max_heap_mib: int = Field(default=512, ge=64)
    """Near it Envoy refuses work. A container needs some 100 MiB more."""

    envoy_admin_socket: Path | None = None
    """A Unix socket for Envoy's admin interface, which can stop it; it is never on a port."""

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        problem = self._problem()
        if problem is not None:
            raise ValueError(problem)
        return self

    def _problem(self) -> str | None:
        is_local = is_loopback(self.rest_host)
        calls_local = is_loopback(self.grpc_host)
        if self.auth == "none" and not is_local:
            return (
                f"KRKN_AUTH=none is for one's own machine: KRKN_REST_HOST is {self.rest_host}, "
                "and whoever reaches it could start chaos. Use 127.0.0.1 or KRKN_AUTH=kubernetes."
            )
        if self.tls == "off" and not (is_local and calls_local):
            host = self.grpc_host if is_local else self.rest_host
            return (
                f"{host} is beyond this machine: tokens and credentials would go there "
                "unencrypted. Set KRKN_TLS=on with KRKN_TLS_DIRECTORY, or KRKN_TLS=mesh where a "
                "service mesh encrypts."
            )
        if self.tls == "on" and not calls_local:
            return (
                "KRKN_TLS=on encrypts the way to Envoy, not the one from it to "
                f"KRKN_GRPC_HOST {self.grpc_host}."
            )
        if self.tls == "on" and self.tls_directory is None:
            return "KRKN_TLS=on needs KRKN_TLS_DIRECTORY, with tls.crt and tls.key."
        if self.tls_client_certificates and self.tls != "on":
            return "KRKN_TLS_CLIENT_CERTIFICATES needs KRKN_TLS=on."
        return None
