"""Where the address of a caller is read, and who is believed about it."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Source = Literal["connection", "x-forwarded-for", "proxy-protocol"]


@dataclass(frozen=True)
class Chain:
    """Connections that are treated alike: those of `proxies`, or all others."""

    proxies: tuple[Network, ...] = ()
    hops: int = 0
    """Entries of x-forwarded-for that are believed, from its end."""


def chains(source: Source, proxies: tuple[Network, ...], hops: int) -> tuple[Chain, ...]:
    """Return the kinds of connections; one that is of none of them is closed."""
    match source:
        case "x-forwarded-for":
            return Chain(proxies, hops), Chain()
        case "proxy-protocol":
            return (Chain(proxies),)
        case "connection":
            return (Chain(),)


def networks(given: object) -> object:
    """Return the networks of a list with commas; raises ValueError if an element is none."""
    if not isinstance(given, str):
        return given
    return tuple(ipaddress.ip_network(text.strip()) for text in given.split(",") if text.strip())


def problem(source: Source, proxies: Sequence[Network]) -> str | None:
    """Return why these settings are not safe; None when they are."""
    if any(network.prefixlen == 0 for network in proxies):
        return (
            "KRKN_TRUSTED_PROXIES has a network of all addresses: every caller could claim the "
            "address of another."
        )
    if (source != "connection") != bool(proxies):
        return (
            "KRKN_CLIENT_ADDRESS, as x-forwarded-for or proxy-protocol, and "
            "KRKN_TRUSTED_PROXIES, the proxies that may say it, need each other."
        )
    return None
