"""The address of the service, and a channel to it: TLS, proxies, keepalive."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import grpc.aio

from krkn_grpc.loopback import is_loopback

_PORT, _TLS_PORT = 8080, 443

_DIRECT = ("grpc.enable_http_proxy", 0)
_OPTIONS: list[tuple[str, int | str]] = [
    # A page of 1,000 jobs with their labels is more than gRPC's default of 4 MiB.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # Reconnect soon after an outage; gRPC would wait up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 250),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Keepalive detects a peer that vanished, also on a quiet watch. The service allows a ping
    # every 10 seconds.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # The replicas in turn, where the name of the service is the names of all. Its retries are for
    # other clients: this one retries by itself, as long as its caller has patience.
    ("grpc.service_config", Path(__file__).with_name("service_config.json").read_text()),
    ("grpc.enable_retries", 0),
]


class BadAddress(ValueError):
    """The address of the service cannot be used; the message says why."""


@dataclass(frozen=True)
class Address:
    """The address of the service (`target` is `host:port`), and whether it uses TLS."""

    target: str
    uses_tls: bool


@dataclass(frozen=True)
class Certificates:
    """PEM files: the CA bundle for the server, and the client certificate with its key."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def default_server(environment: Mapping[str, str] = os.environ) -> str:
    """Return KRKN_SERVER, else this machine at KRKN_REST_PORT (as for `make run`) or 8080."""
    port = environment.get("KRKN_REST_PORT") or _PORT
    return environment.get("KRKN_SERVER") or f"127.0.0.1:{port}"


def address(text: str, tls: bool | None = None) -> Address:
    """Parse `host`, `host:port` or an http(s) URL of them; raises BadAddress.

    Unless `tls` or the URL says otherwise, only a server on this machine is used without TLS, so
    that no token crosses a network in clear text by oversight.
    """
    scheme, slashes, rest = text.strip().rpartition("://")
    if slashes and scheme not in ("http", "https"):
        raise BadAddress(f"{scheme}:// is not http:// or https://")
    # urlsplit would leave some of them out.
    if any(each.isspace() or not each.isprintable() for each in rest):
        raise BadAddress("a host has no blanks")
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadAddress(str(error)) from None
    if not host or "@" in parts.netloc or parts.path not in ("", "/") or parts.query:
        raise BadAddress("it must be HOST, HOST:PORT, http://HOST:PORT or https://HOST:PORT")
    if slashes:
        if tls not in (None, scheme == "https"):
            raise BadAddress(f"{scheme}:// contradicts the options for TLS")
        tls = scheme == "https"
    uses_tls = not is_loopback(host) if tls is None else tls
    if port is None:
        port = _TLS_PORT if uses_tls else _PORT
    return Address(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", uses_tls)


def open_channel(to: Address, certificates: Certificates, user_agent: str) -> grpc.aio.Channel:
    """Return a channel, which connects on first use; raises OSError for unreadable files."""
    options = [*_OPTIONS, ("grpc.primary_user_agent", user_agent)]
    # Without TLS a proxy could read the token, so no proxy is used.
    if not to.uses_tls:
        return grpc.aio.insecure_channel(to.target, [*options, _DIRECT])
    if _goes_past_proxies(to.target):
        options.append(_DIRECT)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_read(certificates.ca),
        private_key=_read(certificates.key),
        certificate_chain=_read(certificates.certificate),
    )
    return grpc.aio.secure_channel(to.target, credentials, options)


def _read(file: Path | None) -> bytes | None:
    return None if file is None else file.read_bytes()


def _goes_past_proxies(target: str) -> bool:
    """Whether a server is reached without a proxy: it is on this machine, or NO_PROXY lists it.

    gRPC itself would use a proxy for this machine, too, and reads only lower-case no_proxy.
    """
    host = urlsplit(f"//{target}").hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return True
    exempt = getproxies_environment().get("no", "").split(",")
    return any(_is_in_network(host, each.strip()) for each in exempt)


def _is_in_network(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
