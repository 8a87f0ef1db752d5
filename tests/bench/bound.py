"""When the last pod of a round is bound to a node, told by a watch that sees bound pods only."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import aiohttp
import msgspec

from deploy.local.cluster.components import NODE
from deploy.local.services import CONTROLLER
from tests.bench.bare import bare
from tests.bench.bench import Bench

_SECONDS = 180.0
_ONLY_BOUND = {"fieldSelector": f"spec.nodeName={NODE}"}


class _Metadata(msgspec.Struct):
    name: str


class _Pod(msgspec.Struct):
    metadata: _Metadata


class _Change(msgspec.Struct):
    object: _Pod


class _ListMetadata(msgspec.Struct, rename="camel"):
    resource_version: str


class _List(msgspec.Struct):
    metadata: _ListMetadata
    items: list[_Pod]


@dataclass
class Bound:
    """The names of the pods that are bound, which a watch keeps up to date."""

    session: aiohttp.ClientSession
    path: str
    names: set[str] = field(default_factory=set)
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, count: int) -> float:
        """Return the moment, as perf_counter gives it, when so many had been bound."""
        async with asyncio.timeout(_SECONDS):
            while len(self.names) < count:
                self._grown.clear()
                await self._grown.wait()
        return time.perf_counter()

    async def list(self) -> str:
        """Read what is bound now; return the revision to watch from."""
        async with self.session.get(self.path, params=_ONLY_BOUND) as answer:
            listed = msgspec.json.decode(await answer.read(), type=_List)
        self._add(listed.items)
        return listed.metadata.resource_version

    async def follow(self, revision: str) -> None:
        """Watch until cancelled; the API server ends a watch whose reader was kept waiting."""
        decoder = msgspec.json.Decoder(_Change)
        while True:
            query = {**_ONLY_BOUND, "watch": "1", "resourceVersion": revision}
            async with self.session.get(self.path, params=query) as answer:
                rest = b""
                async for chunk in answer.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    self._add([decoder.decode(line).object for line in lines])
            revision = await self.list()

    def _add(self, pods: Iterable[_Pod]) -> None:
        self.names.update(pod.metadata.name for pod in pods)
        self._grown.set()


@contextlib.asynccontextmanager
async def bound(bench: Bench, namespace: str) -> AsyncIterator[Bound]:
    """Watch the bound pods of a namespace, of which there are none yet."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    async with bare(bench, namespace, CONTROLLER) as reader:
        seen = Bound(reader.session, path)
        revision = await seen.list()
        assert not seen.names, "pods of another round are still there"
        following = asyncio.create_task(seen.follow(revision))
        try:
            yield seen
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following
