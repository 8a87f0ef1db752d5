"""How long it takes from the creation of a halt until the first and the last stop are written.

A stop is written when the pod has its deletion timestamp: that is the second write for the job.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import aiohttp
import msgspec

from deploy.local.services import CONTROLLER
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bare import bare
from tests.bench.bench import Bench
from tests.bench.bound import bound
from tests.bench.clearing import clear
from tests.bench.ended import until_ended
from tests.bench.example import request
from tests.bench.row import Goal, Row
from tests.support.halts import halt, lift

GROUP = "halt"
_COUNTS = (1, 100, 1000)
_MANY = 1000
_SECONDS = 120.0
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class _Metadata(msgspec.Struct, rename="camel"):
    name: str
    deletion_timestamp: str = ""


class _Object(msgspec.Struct):
    metadata: _Metadata


class _Change(msgspec.Struct):
    object: _Object


class _ListMetadata(msgspec.Struct, rename="camel"):
    resource_version: str


class _List(msgspec.Struct):
    metadata: _ListMetadata


@dataclass
class _Stops:
    """When each pod was seen to be deleted, as perf_counter tells it."""

    at: dict[str, float] = field(default_factory=dict)
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, count: int) -> tuple[float, float]:
        """Return the moments of the first and the last stop when there are so many."""
        async with asyncio.timeout(_SECONDS):
            while len(self.at) < count:
                self._grown.clear()
                await self._grown.wait()
        return min(self.at.values()), max(self.at.values())

    async def follow(self, session: aiohttp.ClientSession, path: str, revision: str) -> None:
        decoder = msgspec.json.Decoder(_Change)
        query = {"watch": "1", "resourceVersion": revision}
        async with session.get(path, params=query, headers={"Accept": _METADATA}) as answer:
            rest = b""
            async for chunk in answer.content.iter_any():
                now = time.perf_counter()
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    metadata = decoder.decode(line).object.metadata
                    if metadata.deletion_timestamp:
                        self.at.setdefault(metadata.name, now)
                self._grown.set()


@contextlib.asynccontextmanager
async def _stops(bench: Bench) -> AsyncIterator[_Stops]:
    """Watch the pods of the service."""
    path = f"/api/v1/namespaces/{bench.namespace}/pods"
    async with bare(bench, bench.namespace, CONTROLLER) as reader:
        async with reader.session.get(path, params={"limit": "1"}) as answer:
            listed = msgspec.json.decode(await answer.read(), type=_List)
        stops = _Stops()
        revision = listed.metadata.resource_version
        following = asyncio.create_task(stops.follow(reader.session, path, revision))
        try:
            yield stops
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following


async def measure(bench: Bench) -> list[Row]:
    """Measure each number of running jobs."""
    rows: list[Row] = []
    for count in (count for count in _COUNTS if count <= bench.most):
        rounds = [await _round(bench, count) for _ in range(min(bench.rounds, 3))]
        first, last = zip(*rounds, strict=True)
        rows += [
            _row(f"{count} running, first stop", first, 500 if count == _MANY else None),
            _row(f"{count} running, last stop", last, 8_000 if count == _MANY else None),
        ]
    return rows


def _row(name: str, seconds: tuple[float, ...], most: float | None) -> Row:
    return Row(
        group=GROUP,
        name=name,
        value=1000 * median(seconds),
        unit="ms",
        rounds=[1000 * each for each in seconds],
        goal=None if most is None else Goal(most, "at most"),
    )


async def _round(bench: Bench, count: int) -> tuple[float, float]:
    service: Any = ScenarioRunServiceStub(bench.channel)
    asked = request(await bench.targets.first(count))
    await clear(bench)
    async with bound(bench, bench.namespace) as pods:
        reply = await service.RunScenario(asked)
        assert reply.successful_jobs == count, reply
        await pods.until(count)
    await bench.quiet()
    async with _stops(bench) as stops:
        began = time.perf_counter()
        made = await halt(bench.cluster, bench.namespace, reason="a benchmark")
        first, last = await stops.until(count)
    await until_ended(bench, [job.job_id for job in reply.jobs])
    await lift(bench.cluster, made)
    return first - began, last - began
