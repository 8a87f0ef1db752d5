"""A proxy between one process and the API server: it can hold calls back, and cut them off.

Plain HTTP comes in and TLS goes out, so it needs no certificate: give `url` to the process as the
place of its API server (`Wanted(kubeconfig_url=...)`). The caller's own token is passed on.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from tests.support.proxy import Proxy, drop, end_to_end


class Cut(Exception):
    """Raised by a gate: the connection is closed, and the caller gets no answer."""


class Refused(Exception):
    """Raised by a gate: the caller gets this answer, as if it were the API server's."""

    def __init__(self, code: int, reason: str, message: str = "refused by the test") -> None:
        super().__init__(message)
        self.status = {"kind": "Status", "code": code, "reason": reason, "message": message}
        self.code = code


@dataclass(frozen=True)
class Call:
    """One call of the process."""

    method: str
    path: str
    body: bytes

    @property
    def is_write(self) -> bool:
        """Whether it may change something."""
        return self.method != "GET"

    def __str__(self) -> str:
        """Say what is done to what kind of thing: `POST secrets`, `PUT leases`."""
        parts = self.path.split("/")
        start = parts.index("namespaces") + 2 if "namespaces" in parts else len(parts) - 1
        kind = [part for index, part in enumerate(parts[start:]) if index != 1]
        return f"{self.method} {'/'.join(kind)}"


Authenticator = Callable[[Call], Awaitable[None]]


async def open_gate(call: Call) -> None:
    """Let every call through."""


async def for_ever() -> None:
    """Hold a call until the proxy is closed."""
    await asyncio.Event().wait()


class ApiProxy(Proxy):
    """Passes calls on; each waits for the gate `before` it is sent and `after` it was answered."""

    def __init__(self, api_server: str, ca_pem: str) -> None:
        super().__init__(api_server, ca_pem)
        self.before: Authenticator = open_gate
        self.after: Authenticator = open_gate
        self.streams_flow = asyncio.Event()
        """Clear it, and all that watches and logs bring is kept back until it is set again."""
        self.streams_flow.set()

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Do with a call what the test says."""
        call = Call(request.method, request.path, await request.read())
        try:
            await self.before(call)
            async with self.send(request, call.body) as answer:
                if request.query.get("watch") or request.path.endswith("/log"):
                    return await self._stream(request, answer)
                body = await answer.read()
            await self.after(call)
            return web.Response(status=answer.status, headers=end_to_end(answer.headers), body=body)
        except Refused as refusal:
            return web.json_response(refusal.status, status=refusal.code)
        except Cut:
            return drop(request)

    async def _stream(
        self, request: web.Request, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        passed = web.StreamResponse(status=answer.status, headers=end_to_end(answer.headers))
        await passed.prepare(request)
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            async for chunk in answer.content.iter_any():
                await self.streams_flow.wait()
                await passed.write(chunk)
        await self.streams_flow.wait()
        return passed
