"""Answers that are HTTP and JSON, and odd: objects that break our types, a clock that differs."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from deploy.local.cluster import kubeconfig
from deploy.local.processes.ports import LOOPBACK
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.core import Lease
from tests.support.waiting import eventually

DIFFERS = "clock differs from the API server's"


@dataclass
class Odd:
    """Answers lists and gets with `content`, and watches with what is put into `events`."""

    url: str = ""
    clock_ahead: float | None = 0.0
    content: dict[str, Any] = field(default_factory=dict)
    events: "asyncio.Queue[dict[str, Any]]" = field(default_factory=asyncio.Queue)
    lists: int = 0
    watches: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, EOFError):
            request = await reader.readuntil(b"\r\n\r\n")
            head = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
            if self.clock_ahead is not None:
                head += f"Date: {formatdate(time.time() + self.clock_ahead, usegmt=True)}\r\n"
            writer.write(head.encode() + b"\r\n")
            if b"watch=1" not in request:
                self.lists += 1
                writer.write(json.dumps(self.content).encode())
                return
            self.watches = this = self.watches + 1
            while True:
                event = await self.events.get()
                if this != self.watches:  # nobody listens here any more
                    self.events.put_nowait(event)
                    return
                writer.write(json.dumps(event).encode() + b"\n")


@pytest_asyncio.fixture
async def odd() -> AsyncIterator[Odd]:
    made = Odd()
    server = await asyncio.start_server(made.serve, LOOPBACK, 0)
    made.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


@pytest_asyncio.fixture
async def leases(odd: Odd, tmp_path: Path) -> AsyncIterator[ResourceClient[Lease]]:
    path = kubeconfig.write(tmp_path / "a", url=odd.url, ca_pem="", user={"token": "a"})
    async with Session(await ClusterAccess.load(path)) as session:
        yield ResourceClient(session, Lease, "a")


def a_lease(name: str, version: int, **changes: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": str(version), "uid": name}, **changes}


UNREADABLE = {"spec": {"leaseDurationSeconds": "never"}}


async def test_what_is_deleted_goes_though_it_cannot_be_read(
    odd: Odd, leases: ResourceClient[Lease]
) -> None:
    odd.content = {"metadata": {"resourceVersion": "5"}, "items": [a_lease("a", 4)]}
    cache, heard = Informer(leases), list[CacheChange[Lease]]()
    cache.listen(heard.append)
    running = asyncio.create_task(cache.run())
    try:
        await cache.synced()
        odd.events.put_nowait({"type": "MODIFIED", "object": a_lease("a", 6, **UNREADABLE)})
        assert await cache.reached(6, 10)
        assert cache.get("a") is not None, "what was last read of it stays"
        odd.events.put_nowait({"type": "DELETED", "object": a_lease("a", 7, **UNREADABLE)})
        assert await cache.reached(7, 10)
        assert (cache.get("a"), list(cache.values())) == (None, [])
        assert [(seen.old is None, seen.new is None) for seen in heard] == [
            (True, False),
            (False, True),
        ]
        odd.events.put_nowait({"type": "DELETED", "object": a_lease("b", 8, **UNREADABLE)})
        assert await cache.reached(8, 10)
        assert len(heard) == 2
    finally:
        running.cancel()


@pytest.mark.parametrize(
    ("ahead", "warnings"),
    [(0.0, 0), (1.0, 0), (-1.0, 0), (None, 0), (60.0, 1), (-60.0, 1), (4.0, 1), (-4.0, 1)],
)
async def test_a_clock_that_differs_is_warned_of_once(
    odd: Odd, leases: ResourceClient[Lease], ahead: float | None, warnings: int
) -> None:
    odd.clock_ahead, odd.content = ahead, a_lease("a", 4)
    with capture_logs() as logs:
        for _ in range(5):
            await leases.get("a")
    found = [entry for entry in logs if entry["event"] == DIFFERS]
    assert len(found) == warnings
    for entry in found:
        assert ahead is not None
        assert entry["ahead_seconds"] == pytest.approx(-ahead, abs=1.1)
        assert entry["log_level"] == "warning"


async def test_a_date_that_is_none_is_passed_over(
    odd: Odd, leases: ResourceClient[Lease], monkeypatch: pytest.MonkeyPatch
) -> None:
    odd.content = a_lease("a", 4)
    monkeypatch.setattr(f"{__name__}.formatdate", lambda *_, **__: "yesterday")
    assert (await leases.get("a")).metadata.name == "a"


async def test_an_api_server_that_is_behind_for_a_moment_is_no_reason_to_end(
    odd: Odd, leases: ResourceClient[Lease]
) -> None:
    odd.content = {"metadata": {"resourceVersion": "5"}, "items": []}
    cache = Informer(leases)
    running = asyncio.create_task(cache.run())
    try:
        await cache.synced()
        odd.content["metadata"]["resourceVersion"] = "4"
        # The watch is cut, and what there is is compared.
        odd.events.put_nowait({"type": "ERROR", "object": {"code": 500}})

        async def counts() -> tuple[int, int]:
            return odd.lists, odd.watches

        await eventually(counts, lambda counts: counts[0] >= 4)
        odd.content["metadata"]["resourceVersion"] = "5"
        await eventually(counts, lambda counts: counts[1] == 2)
        odd.events.put_nowait({"type": "ADDED", "object": a_lease("a", 6)})
        await eventually(lambda: cache.reached(6, 1))
        assert not running.done()
    finally:
        running.cancel()
