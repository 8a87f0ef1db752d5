"""The parts of an API server's URL, and one spelling for equivalent URLs."""

import re
import string
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import idna

from krkn_grpc.resources.addresses import is_numeric, spelled_addresses

_DEFAULT_PORTS = {"https": 443, "http": 80}
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)",
    re.DOTALL,
)
_AUTHORITY = re.compile(
    r"(?P<user>.*@)?(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]*))?",
    re.DOTALL | re.ASCII,
)
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The destination of a URL: a DNS name or canonical address without brackets, a port, a path.

    The path is "" or starts with a slash and does not end with one.
    """

    host: str
    port: int
    path: str

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The host as an address, or None if it is a name."""
        return next(spelled_addresses(self.host), None)

    @property
    def authority(self) -> str:
        """The host and the port, as a proxy's CONNECT names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def host_header(self) -> str:
        """The host as HTTP's Host header names it: without the port of https, as all clients do.

        A gateway may recognise only the bare name.
        """
        return self.authority.removesuffix(f":{_DEFAULT_PORTS['https']}")


def endpoint(url: str) -> Endpoint:
    """Take apart a URL that was checked before; raise ValueError if it cannot be one."""
    parts = _URL.fullmatch(url)
    authority = _AUTHORITY.fullmatch(parts["authority"]) if parts else None
    if parts is None or authority is None:
        raise ValueError("not a URL with a host")
    host = _normal_host(authority["host"]).removeprefix("[").removesuffix("]")
    port = authority["port"] or _DEFAULT_PORTS.get(parts["scheme"].lower(), 443)
    return Endpoint(host, int(port), parts["path"].rstrip("/"))


def normalise_url(url: str) -> str:
    """Return the common spelling of all equivalent URLs, for comparing API URLs.

    Ignored differences: case of scheme and host, the default port and none, spellings of an
    address, a dot after the host, Unicode and punycode names, percent-encoded plain characters, dot
    segments, slashes at the end. Never raises: text that is not a URL is returned without space
    around it.
    """
    text = url.strip()
    parts = _URL.fullmatch(text)
    authority = _AUTHORITY.fullmatch(parts["authority"]) if parts else None
    if parts is None or authority is None or re.search(r"\s", text):
        return text
    scheme = parts["scheme"].lower()
    host = _normal_host(authority["host"])
    digits = (authority["port"] or "").lstrip("0")
    port = "" if digits in ("", str(_DEFAULT_PORTS.get(scheme))) else f":{digits}"
    path = _normal_path(parts["path"])
    return f"{scheme}://{authority['user'] or ''}{host}{port}{path}{parts['rest']}"


def _normal_host(host: str) -> str:
    bracketed = host.startswith("[")
    if bracketed or is_numeric(host):
        address = next(spelled_addresses(host), None)
        if isinstance(address, IPv6Address):
            mapped = address.ipv4_mapped  # the kernel connects both to the same place
            zone = host[1:-1].partition("%")[2].lower()
            return str(mapped or f"[{address}{'%' * bool(zone)}{zone}]")
        return host.lower() if address is None or bracketed else str(address)
    name = host.rstrip(".")
    if name.isascii():
        return name.lower()
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except UnicodeError:  # not a name that can be looked up; left as it is
        return host


def _normal_path(path: str) -> str:
    kept: list[str] = []
    for segment in _PERCENT.sub(_normal_escape, path).split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "".join(f"/{segment}" for segment in kept).rstrip("/")


def _normal_escape(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return "%25"
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()
