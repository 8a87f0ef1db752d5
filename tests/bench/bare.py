"""The bare loop: the same writes, with only aiohttp and json between it and the API server."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

from tests.bench.bench import Bench

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
T = TypeVar("T")


@dataclass(frozen=True)
class Bare:
    """A connection pool, and no more."""

    session: aiohttp.ClientSession

    async def write(
        self, method: str, path: str, body: Any, content_type: str = JSON
    ) -> dict[str, Any]:
        """Send one request and read the answer, which must be a success."""
        async with self.session.request(
            method, path, data=json.dumps(body), headers={"Content-Type": content_type}
        ) as answer:
            text = await answer.read()
            assert answer.status < 300, text
            written: dict[str, Any] = json.loads(text)
            return written


@contextlib.asynccontextmanager
async def bare(bench: Bench, account: str) -> AsyncIterator[Bare]:
    """Connect as one of our accounts, for the API server asks each the same questions."""
    cluster = bench.cluster
    token = await cluster.token(bench.bare_namespace, account, seconds=3600)
    tls = ssl.create_default_context(cadata=cluster.ca_pem)
    async with aiohttp.ClientSession(
        cluster.url,
        connector=aiohttp.TCPConnector(ssl=tls, limit=64),
        headers={"Authorization": f"Bearer {token}"},
    ) as session:
        yield Bare(session)


async def each(items: Iterable[T], work: Callable[[T], Awaitable[object]], at_once: int) -> None:
    """Do the work for each item, so many at once."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    await asyncio.gather(*(worker() for _ in range(at_once)))
