"""What stands between a process and the API server, and passes calls on.

Plain HTTP comes in and TLS goes out, so it needs no certificate: its `url` is the process's API
server. The caller's own token is passed on.
"""

import contextlib
import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import Self

import aiohttp
from aiohttp import web

from deploy.local.processes.ports import LOOPBACK

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "host", "content-length"}
_LARGEST_BODY = 16 * 1024 * 1024


class Proxy(ABC):
    """Takes calls at `url`; what is done with each, a kind of proxy says in `take`."""

    def __init__(self, api_server: str, ca_pem: str) -> None:
        self._api_server = api_server
        self._tls = ssl.create_default_context(cadata=ca_pem)
        self.url = ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Self]:
        """Serve at `url` until the end; calls that are still held are never sent."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self.take)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
            self._session = session
            await runner.setup()
            try:
                site = web.TCPSite(runner, LOOPBACK, 0)
                await site.start()
                self.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
                yield self
            finally:
                await runner.cleanup()

    @abstractmethod
    async def take(self, request: web.Request) -> web.StreamResponse:
        """Answer one call of the process."""

    @contextlib.asynccontextmanager
    async def send(
        self, request: web.Request, body: bytes
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a call on to the API server."""
        async with self._session.request(
            request.method,
            self._api_server + request.path_qs,
            headers=end_to_end(request.headers),
            data=body or None,
            timeout=aiohttp.ClientTimeout(total=None),
            allow_redirects=False,
        ) as answer:
            yield answer


def drop(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # goes nowhere


def end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that are meant for the other end, not for the next hop."""
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}
