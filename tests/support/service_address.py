"""A Service's address as kube-proxy makes it: each new connection goes to one of the endpoints."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from deploy.local.processes.ports import LOOPBACK

_CHUNK = 65_536


@dataclass
class ServiceAddress:
    """Connections that exist stay where they are, whatever becomes of the endpoints."""

    endpoints: list[int] = field(default_factory=list)
    """Ports on loopback that new connections go to, in turn."""
    port: int = 0
    _turns: "itertools.count[int]" = field(default_factory=itertools.count)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["ServiceAddress"]:
        """Take connections at `port` until the end."""
        server = await asyncio.start_server(self._take, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        endpoint = self.endpoints[next(self._turns) % len(self.endpoints)]
        try:
            there = await asyncio.open_connection(LOOPBACK, endpoint)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_pass(reader, there[1]), _pass(there[0], writer))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while read := await reader.read(_CHUNK):
            writer.write(read)
            await writer.drain()
    except OSError:
        writer.transport.abort()
    finally:
        writer.close()
