"""Rules for the network addresses of a target.

A target is registered by a caller and contacted by the controller, so an address that only the
controller's own machine or its cloud would answer on (loopback, link-local, metadata services)
is refused, in every spelling that some client accepts. Private networks are allowed: many clusters
are there.

Registration checks the text of the URL (`check_literal`); the controller resolves names and checks
every address that it is about to use (`refusal`).

By hand: no maintained library has these rules.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

LOOPBACK = "Loopback addresses are not allowed as targets."
LINK_LOCAL = "Link-local addresses are not allowed as targets."
UNSPECIFIED = "The unspecified address is not allowed as a target."
MULTICAST = "Multicast and broadcast addresses are not allowed as targets."
METADATA = "Addresses of cloud metadata services are not allowed as targets."
NOT_AN_ADDRESS = "The host looks like a numeric address, but is none."

# Single metadata addresses come first: some are in a network with a less specific reason.
_REFUSED: tuple[tuple[Network, str], ...] = (
    (IPv4Network("169.254.169.254"), METADATA),  # nearly every cloud
    (IPv4Network("169.254.170.2"), METADATA),  # AWS, containers
    (IPv4Network("169.254.170.23"), METADATA),  # AWS, pods
    (IPv4Network("100.100.100.200"), METADATA),  # Alibaba
    (IPv4Network("192.0.0.192"), METADATA),  # Oracle
    (IPv4Network("168.63.129.16"), METADATA),  # Azure's wire server
    (
        IPv6Network("fd00:ec2::/32"),
        METADATA,
    ),  # AWS: metadata ::254, pods ::23, time ::123
    (IPv6Network("fd20:ce::254"), METADATA),  # Google
    (IPv6Network("fd00:42::42"), METADATA),  # Scaleway
    (IPv4Network("127.0.0.0/8"), LOOPBACK),
    (IPv6Network("::1"), LOOPBACK),
    (IPv4Network("169.254.0.0/16"), LINK_LOCAL),
    (IPv6Network("fe80::/10"), LINK_LOCAL),
    (IPv4Network("0.0.0.0/8"), UNSPECIFIED),  # Linux connects 0.0.0.0 to itself
    (IPv6Network("::"), UNSPECIFIED),
    (IPv4Network("224.0.0.0/4"), MULTICAST),
    (IPv4Network("255.255.255.255"), MULTICAST),
    (IPv6Network("ff00::/8"), MULTICAST),
)

_LOOPBACK_NAMES = frozenset(
    {"localhost", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback"}
)
_LOOPBACK_DOMAINS = (".localhost", ".localdomain", ".localdomain4", ".localdomain6")
_METADATA_NAMES = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "instance-data",
        "instance-data.ec2.internal",
        "metadata.tencentyun.com",
        "metadata.platformequinix.com",
    }
)

_METADATA_ADDRESS = IPv4Address("169.254.169.254")
_LOOPBACK_ADDRESSES = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
_NUMERIC_LABEL = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class AddressRules:
    """The rules by which addresses are refused; `allowed_networks` are exempt from them.

    `allow_proxy_url` says whether a kubeconfig may name a proxy to the target. The same rules apply
    to the proxy's own address.
    """

    allowed_networks: tuple[Network, ...] = ()
    allow_proxy_url: bool = False

    def refusal(self, address: Address | str) -> str | None:
        """Return the reason why this address may not be contacted, or None if it may.

        Text is parsed as each known resolver would parse it, and refused if one of the resulting
        addresses is refused, or if there is none.
        """
        if isinstance(address, str):
            readings = tuple(spelled_addresses(address))
            if not readings:
                return NOT_AN_ADDRESS
            refusals = (self.refusal(reading) for reading in readings)
            return next((refusal for refusal in refusals if refusal), None)
        address = _plain(address)
        if self._is_allowed(address):
            return None
        for meant in (address, *_embedded(address)):
            if not self._is_allowed(meant) and (refusal := _refusal_by_default(meant)):
                return refusal
        return None

    def check_literal(self, host: str) -> str | None:
        """Return why the host of a URL is refused as it is written, or None. Resolves nothing."""
        name = _folded(host)
        if any(spelled_addresses(name)) or is_numeric(name) or ":" in name:
            return self.refusal(name)
        if name in _LOOPBACK_NAMES or name.endswith(_LOOPBACK_DOMAINS):
            allowed = any(self._is_allowed(address) for address in _LOOPBACK_ADDRESSES)
            return None if allowed else LOOPBACK
        if name in _METADATA_NAMES:
            return None if self._is_allowed(_METADATA_ADDRESS) else METADATA
        return None

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self.allowed_networks)


def spelled_addresses(host: str) -> Iterator[Address]:
    """Yield every address that some client reads this text as; nothing for a DNS name.

    Supports decimal, octal and hexadecimal IPv4 with one to four parts, leading zeros read both as
    octal and as decimal, brackets, zone ids, a trailing dot, and full-width digits and dots.
    """
    text = _folded(host)
    if ":" in text:
        try:
            yield IPv6Address(text.partition("%")[0])
        except ValueError:
            return
        return
    readings = {_ipv4(text, octal=True), _ipv4(text, octal=False)}
    yield from sorted(reading for reading in readings if reading is not None)


def is_numeric(host: str) -> bool:
    """Whether the host ends like an IPv4 address in some spelling: no DNS name does."""
    return _NUMERIC_LABEL.match(_folded(host).rpartition(".")[2]) is not None


def _folded(host: str) -> str:
    # IDNA applies NFKC to a host before the lookup: full-width digits become digits.
    text = unicodedata.normalize("NFKC", host).replace("\u3002", ".").strip()
    return text.removeprefix("[").removesuffix("]").rstrip(".").lower()


def _ipv4(text: str, *, octal: bool) -> IPv4Address | None:
    """Read text as inet_aton does: the last of one to four parts fills all remaining bytes."""
    labels = text.split(".")
    if len(labels) > 4 or not all(_NUMERIC_LABEL.match(label) for label in labels):
        return None
    numbers = [_number(label, octal=octal) for label in labels]
    bounds = [*[256] * (len(numbers) - 1), 256 ** (5 - len(numbers))]
    value = 0
    for number, bound in zip(numbers, bounds, strict=True):
        if number is None or number >= bound:
            return None
        value = value * bound + number
    return IPv4Address(value)


def _number(label: str, *, octal: bool) -> int | None:
    if label.startswith("0x"):
        base, digits = 16, label[2:] or "0"
    elif octal and label.startswith("0"):
        base, digits = 8, label
    else:
        base, digits = 10, label
    if len(digits.lstrip("0")) > 12:  # more than 32 bits in every base
        return None
    try:
        return int(digits, base)
    except ValueError:
        return None


def _plain(address: Address) -> Address:
    """Remove the zone and the IPv4 mapping, which do not change a connection's destination."""
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """Yield the embedded IPv4 addresses to which a gateway or tunnel may deliver."""
    if isinstance(address, IPv4Address):
        return
    value = int(address)
    low = IPv4Address(value & 0xFFFFFFFF)
    if value >> 32 in (
        0,
        0xFFFF0000,
    ):  # IPv4-compatible ::/96, translated ::ffff:0:0:0/96
        if value > 1:
            yield low
    elif value >> 32 == 0x0064_FF9B << 64:  # NAT64, 64:ff9b::/96
        yield low
    elif value >> 80 == 0x0064_FF9B_0001:  # local NAT64, 64:ff9b:1::/48: RFC 6052's /48 and /96
        wide = IPv4Address((value >> 64 & 0xFFFF) << 16 | value >> 40 & 0xFFFF)
        # The layout that is not in use reads as zero.
        yield from [carried for carried in (low, wide) if int(carried)] or [low]
    elif address.sixtofour is not None:
        yield address.sixtofour
    elif address.teredo is not None:
        yield from address.teredo
    if value >> 32 & 0xFFFFFFFF in (0x00005EFE, 0x02005EFE):  # ISATAP
        yield low


def _refusal_by_default(address: Address) -> str | None:
    for network, reason in _REFUSED:
        if address in network:
            return reason
    return None
