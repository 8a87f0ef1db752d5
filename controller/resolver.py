"""Resolves host names, without threads."""

import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Protocol

import aiodns

from krkn_grpc.resources.addresses import Address


class ResolveError(Exception):
    """A name has no address, or the lookup failed."""


class Resolver(Protocol):
    """Resolves names to addresses; a cancelled call leaves nothing behind."""

    async def resolve(self, name: str) -> Sequence[Address]:
        """Give all addresses, best first; raise ResolveError if there is none."""


class SystemResolver:
    """Resolves by the machine's resolv.conf and hosts file. Belongs to one event loop.

    It uses no threads (c-ares): getaddrinfo cannot be cancelled, so in a thread pool a few names
    with silent DNS servers would block all threads and delay every other cluster.
    """

    def __init__(self, resolver: aiodns.DNSResolver | None = None) -> None:
        self._resolver = resolver or aiodns.DNSResolver(timeout=1.5, tries=2)

    async def resolve(self, name: str) -> Sequence[Address]:
        """Give all addresses, best first; raise ResolveError if there is none."""
        try:
            found = await self._resolver.getaddrinfo(
                name, family=socket.AF_UNSPEC, type=socket.SOCK_STREAM
            )
        except aiodns.error.DNSError:
            raise ResolveError from None
        # The scope of an IPv6 address is dropped: only link-local addresses need it.
        texts = [node.addr[0].decode("ascii").partition("%")[0] for node in found.nodes]
        return [ip_address(text) for text in dict.fromkeys(texts)]

    async def close(self) -> None:
        """Cancel pending lookups."""
        await self._resolver.close()
