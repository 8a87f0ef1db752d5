"""How callers reach the service: in the clear on this machine, or by TLS with a token."""

import asyncio
import socket
import ssl
from dataclasses import dataclass

import aiohttp
import grpc
from aiohttp.abc import AbstractResolver, ResolveResult

from deploy.local.processes.ports import LOOPBACK

_SECONDS = 60.0


@dataclass(frozen=True)
class Way:
    """The way to an address on loopback."""

    port: int
    host: str = LOOPBACK
    """The name that callers use; it leads to loopback."""
    ca_pem: bytes = b""
    """Who signed the server's certificate; empty: no TLS."""
    token: str = ""

    def rest(self, *, fresh: bool = False) -> aiohttp.ClientSession:
        """Return a client of REST; a `fresh` one makes a connection for each call."""
        scheme, tls = "http", None
        if self.ca_pem:
            scheme, tls = "https", ssl.create_default_context(cadata=self.ca_pem.decode())
        return aiohttp.ClientSession(
            f"{scheme}://{self.host}:{self.port}",
            connector=aiohttp.TCPConnector(
                ssl=tls or True, resolver=_OnLoopback(), force_close=fresh, limit=0
            ),
            headers={"Authorization": f"Bearer {self.token}"} if self.token else {},
            timeout=aiohttp.ClientTimeout(total=_SECONDS),
        )

    def channel(self) -> grpc.aio.Channel:
        """Return a channel with a connection of its own."""
        options: list[tuple[str, object]] = [
            ("grpc.use_local_subchannel_pool", 1),
            # By default a client that failed to connect some times waits for minutes.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2000),
        ]
        address = f"{LOOPBACK}:{self.port}"
        if not self.ca_pem:
            return grpc.aio.insecure_channel(address, options)
        options += [
            ("grpc.ssl_target_name_override", self.host),
            ("grpc.default_authority", self.host),
        ]
        credentials = grpc.composite_channel_credentials(
            grpc.ssl_channel_credentials(self.ca_pem),
            grpc.access_token_call_credentials(self.token),
        )
        return grpc.aio.secure_channel(address, credentials, options)


class _OnLoopback(AbstractResolver):
    """Every name is loopback's."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        await asyncio.sleep(0)
        return [
            ResolveResult(
                hostname=host, host=LOOPBACK, port=port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""
