"""The bare loop: the same writes, with only aiohttp between it and the API server."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import aiohttp

from deploy.local.services import ACCOUNTS
from tests.bench.bench import Bench

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
T = TypeVar("T")


@dataclass(frozen=True)
class Bare:
    """A connection pool, and no more."""

    session: aiohttp.ClientSession

    async def write(
        self, method: str, path: str, body: bytes, content_type: str = JSON, accept: str = "*/*"
    ) -> bytes:
        """Send one request and read the answer, which must be a success."""
        async with self.session.request(
            method, path, data=body, headers={"Content-Type": content_type, "Accept": accept}
        ) as answer:
            text = await answer.read()
            assert answer.status < 300, text
            return text


@contextlib.asynccontextmanager
async def bare(bench: Bench, namespace: str, process: str) -> AsyncIterator[Bare]:
    """Connect as the server or the controller does: the API server asks it the same questions."""
    cluster = bench.cluster
    token = await cluster.token(namespace, ACCOUNTS[process], seconds=3600)
    tls = ssl.create_default_context(cadata=cluster.ca_pem)
    async with aiohttp.ClientSession(
        cluster.url,
        connector=aiohttp.TCPConnector(ssl=tls, limit=64),
        headers={"Authorization": f"Bearer {token}"},
        timeout=aiohttp.ClientTimeout(total=None, sock_read=60),
    ) as session:
        yield Bare(session)


async def each(items: Iterable[T], work: Callable[[T], Awaitable[object]], at_once: int) -> None:
    """Do the work for each item, so many at once."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    await asyncio.gather(*(worker() for _ in range(at_once)))
