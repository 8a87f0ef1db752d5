"""Where the service is, and how it is reached: the address, TLS and the caller's token."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import grpc

DEFAULT_SERVER = "127.0.0.1:8080"
_PORT, _TLS_PORT = 8080, 443

_OPTIONS = [
    # A page of 1,000 jobs with their labels is more than gRPC's default of 4 MiB.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # A server that was away is found again soon; gRPC would wait up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 250),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # A peer that is gone without a word is noticed, also on a quiet watch. The service lets its
    # callers ask every 10 seconds.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.primary_user_agent", "krkn-grpc-cli"),
]


class BadAddress(ValueError):
    """The address of the service cannot be used; the text says why."""


class BadToken(ValueError):
    """What was given as the caller's token is none."""


@dataclass(frozen=True)
class Address:
    """Where the service is: `host:port`."""

    target: str
    uses_tls: bool


@dataclass(frozen=True)
class Certificates:
    """PEM files: who signs the server's certificate, and the caller's own certificate and key."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def address(text: str, tls: bool | None = None) -> Address:
    """Read `host`, `host:port` or an http(s) URL of them; raises BadAddress.

    Unless `tls` or the URL says so, only a server on this machine is spoken to without TLS: so no
    token crosses a network in the clear by oversight.
    """
    scheme, slashes, rest = text.strip().rpartition("://")
    if slashes and scheme not in ("http", "https"):
        raise BadAddress(f"{scheme}:// is not http:// or https://")
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
    uses_tls = not _is_loopback(host) if tls is None else tls
    if port is None:
        port = _TLS_PORT if uses_tls else _PORT
    return Address(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", uses_tls)


def connect(to: Address, certificates: Certificates) -> grpc.Channel:
    """Return a channel, which connects when it is first used; raises OSError for the files."""
    if not to.uses_tls:
        return grpc.insecure_channel(to.target, _OPTIONS)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_read(certificates.ca),
        private_key=_read(certificates.key),
        certificate_chain=_read(certificates.certificate),
    )
    return grpc.secure_channel(to.target, credentials, _OPTIONS)


def bearer_token(environment: Mapping[str, str]) -> Callable[[], str]:
    """Return what gives the caller's token, "" for none: KRKN_TOKEN_FILE, else KRKN_TOKEN.

    A file is read for every call, because whoever wrote it may replace it before the token ends;
    what is no regular file (a pipe) can be read but once. Raises OSError for the file; what is
    returned raises BadToken.
    """
    name, token = environment.get("KRKN_TOKEN_FILE"), environment.get("KRKN_TOKEN", "")
    if not name:
        return lambda: _checked(token)
    file = Path(name)
    if not file.is_file():
        token = file.read_text()
        return lambda: _checked(token)
    return lambda: _checked(file.read_text())


def _checked(text: str) -> str:
    token = text.strip()
    # It becomes a header. It is not repeated: parts of it may be a token.
    if not token.isascii() or any(each.isspace() or not each.isprintable() for each in token):
        raise BadToken("KRKN_TOKEN_FILE or KRKN_TOKEN holds no bearer token")
    return token


def _read(file: Path | None) -> bytes | None:
    return None if file is None else file.read_bytes()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
