"""A Service's address as kube-proxy makes it: each new connection goes to one of the endpoints."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.cluster.api import Manifest
from deploy.local.processes.ports import LOOPBACK
from tests.support.object_watch import ENDPOINT_SLICES, ObjectWatch

_CHUNK = 65_536
_SERVICE = "kubernetes.io/service-name"

Endpoint = tuple[str, int]
"""An address and a port."""


@dataclass
class ServiceAddress:
    """Connections that exist stay where they are, whatever becomes of the endpoints."""

    endpoints: list[Endpoint] = field(default_factory=list)
    """Where new connections go, in turn; refused if there are none."""
    port: int = 0
    _turns: "itertools.count[int]" = field(default_factory=itertools.count)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["ServiceAddress"]:
        """Take connections at `port` of loopback until the end."""
        server = await asyncio.start_server(self._take, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.endpoints:
            writer.transport.abort()
            return
        endpoint = self.endpoints[next(self._turns) % len(self.endpoints)]
        try:
            there = await asyncio.open_connection(*endpoint)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(_pass(reader, there[1]), _pass(there[0], writer))


@contextlib.asynccontextmanager
async def of_service(kubeconfig: Path, namespace: str, name: str) -> AsyncIterator[ServiceAddress]:
    """Serve the address of a Service, with the endpoints that the cluster says it has."""

    def route(slices: list[Manifest]) -> None:
        address.endpoints = endpoints_of([each for each in slices if _is_of(each, name)])

    async with ServiceAddress().serving() as address:
        watch = ObjectWatch(kubeconfig, namespace, (ENDPOINT_SLICES,))
        watch.on_change = lambda: route(watch.all(ENDPOINT_SLICES))
        async with watch:
            yield address


def endpoints_of(slices: list[Manifest]) -> list[Endpoint]:
    """Return where kube-proxy leads to: what is ready; if nothing is, what still serves."""
    found = [
        (endpoint["conditions"], (address, each["ports"][0]["port"]))
        for each in slices
        for endpoint in each.get("endpoints") or ()
        for address in endpoint["addresses"]
    ]
    ready = [where for conditions, where in found if conditions["ready"]]
    return sorted(ready or [where for conditions, where in found if conditions["serving"]])


def _is_of(found: Manifest, service: str) -> bool:
    return bool(found["metadata"]["labels"].get(_SERVICE) == service)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while read := await reader.read(_CHUNK):
            writer.write(read)
            await writer.drain()
    except OSError:
        writer.transport.abort()
    finally:
        writer.close()
