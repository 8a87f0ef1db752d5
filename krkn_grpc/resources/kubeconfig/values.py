"""Checks of single values of a kubeconfig: URL, token, user name, password, server name.

Each function returns the value if it is valid, and raises Refused if not.
"""

import base64
import binascii
import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from krkn_grpc.resources.addresses import is_numeric
from krkn_grpc.resources.kubeconfig.findings import Refused
from krkn_grpc.resources.text import has_control_characters

MAX_URL = 2048
MAX_TOKEN = 16 * 1024  # an HTTP header has to hold it
MAX_USERNAME = 1024
MAX_PASSWORD = 4096

_PRINTABLE = re.compile(r"[!-~]+")
_DNS_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_AUTHORITY = re.compile(r"(\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\[\]:%]+))(:(?P<port>[0-9]+))?")
_PATH = re.compile(r"(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*")
_CONTROL_ESCAPE = re.compile(r"%([01][0-9A-F]|7F|2F|5C|2E)", re.IGNORECASE)
# Printed by `kubectl config view` in place of a credential, and of a certificate.
_LEFT_OUT = ("REDACTED", "DATA+OMITTED")
_STANDARD = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_URLSAFE = re.compile(r"[A-Za-z0-9_-]*={0,2}")


def https_url(url: str) -> str:
    """Check the URL of an API server: https, a host, perhaps a port and a path; nothing else."""
    return _url(url, "https")


def proxy_url(url: str) -> str:
    """Check the URL of a proxy: http, a host, perhaps a port."""
    _url(url, "http")
    if url.rstrip("/").count("/") > 2:
        raise Refused("The URL of a proxy must have no path.")
    return url


def server_name(name: str) -> str:
    """Check the name (or address) that the cluster's certificate is to be issued for."""
    if ":" in name:
        _ipv6(name)
    else:
        _name_or_ipv4(name)
    return name


def token(value: str) -> str:
    """Check a bearer token: printable ASCII without space, as a header can carry it."""
    if len(value) > MAX_TOKEN:
        raise Refused(f"The token must have at most {MAX_TOKEN} characters.")
    if not value:
        raise Refused("The token must not be empty.")
    _refuse_what_was_left_out(value)
    if value.strip() != value:
        raise Refused("The token must have no space or line break at its ends.")
    if not _PRINTABLE.fullmatch(value):
        raise Refused("The token may hold only printable ASCII characters and no space.")
    return value


def username(value: str) -> str:
    """Check a user name for HTTP basic authentication, which cannot carry a colon in it."""
    _text(value, "user name", MAX_USERNAME)
    if ":" in value:
        raise Refused("The user name must not contain a colon.")
    return value


def password(value: str) -> str:
    """Check a password."""
    _refuse_what_was_left_out(value)
    return _text(value, "password", MAX_PASSWORD)


def base64_bytes(text: str) -> bytes:
    """Decode base64 in the standard or the URL-safe alphabet, with or without line breaks."""
    packed = re.sub(r"[ \t\r\n]", "", text)
    _refuse_what_was_left_out(packed)
    if not _STANDARD.fullmatch(packed):
        if not _URLSAFE.fullmatch(packed):
            raise Refused("This is not base64.")
        packed = packed.replace("-", "+").replace("_", "/")
    body = packed.rstrip("=")
    # Padding may be left out, as URL-safe encoders do, but not be wrong.
    if packed != body and len(packed) % 4:
        raise Refused("This is not base64: its end is missing.")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except binascii.Error:
        decoded = None
    if decoded is None:
        raise Refused("This is not base64: its end is missing.")
    return decoded


def _refuse_what_was_left_out(value: str) -> None:
    if value in _LEFT_OUT:
        raise Refused(
            "kubectl has left it out: take what `kubectl config view --raw --flatten` prints."
        )


def _text(value: str, what: str, longest: int) -> str:
    if not value:
        raise Refused(f"The {what} must not be empty.")
    if len(value) > longest:
        raise Refused(f"The {what} must have at most {longest} characters.")
    if has_control_characters(value):
        raise Refused(f"The {what} must have no line breaks or other control characters.")
    return value


def _url(url: str, scheme: str) -> str:
    if len(url) > MAX_URL:
        raise Refused(f"The URL must have at most {MAX_URL} characters.")
    if not _PRINTABLE.fullmatch(url):
        raise Refused(
            "The URL may hold only printable ASCII characters and no space; "
            "international names are written in punycode (xn--...)."
        )
    if not url.lower().startswith(f"{scheme}://"):
        raise Refused(f"The URL must start with {scheme}://.")
    authority, slash, path = url[len(scheme) + 3 :].partition("/")
    if "@" in authority:
        raise Refused("The URL must have no user information; give credentials in their fields.")
    if "?" in url or "#" in url:
        raise Refused("The URL must have no query and no fragment.")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise Refused("The URL must have a host, and perhaps a port.")
    if parts["port"] is not None and not (
        len(parts["port"]) <= 5 and 1 <= int(parts["port"]) <= 65535
    ):
        raise Refused("The port of the URL must be between 1 and 65535.")
    if parts["v6"]:
        _ipv6(parts["v6"])
    else:
        _name_or_ipv4(parts["host"])
    _check_path(slash + path)
    return url


def _check_path(path: str) -> None:
    if not _PATH.fullmatch(path):
        raise Refused("The path of the URL has characters that must be percent-encoded.")
    # Clients disagree on what these mean, and the URL must mean the same to all of them.
    if _CONTROL_ESCAPE.search(path) or {".", ".."} & set(path.split("/")):
        raise Refused("The path of the URL must have no dot segments and no encoded separators.")


def _ipv6(text: str) -> None:
    try:
        address: IPv6Address | None = IPv6Address(text)
    except AddressValueError:
        address = None
    if address is None or address.scope_id is not None:
        raise Refused("The host is not an IPv6 address without a zone.")


def _name_or_ipv4(host: str) -> None:
    if is_numeric(host):
        try:
            IPv4Address(host)
            usual = True
        except AddressValueError:
            usual = False
        if not usual:
            # 0x7f.1 is an address to some clients and a name to others.
            raise Refused("A numeric host must be an IPv4 address in its usual form.")
        return
    labels = host.removesuffix(".").split(".")
    if len(host) > 254 or not all(_DNS_LABEL.fullmatch(label) for label in labels):
        raise Refused("The host must be a DNS name or an address.")
