"""The end of a log that has ended, over a connection to what stands in the API server's place."""

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from deploy.local.cluster import kubeconfig
from deploy.local.processes.ports import LOOPBACK
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.log_end import LogEnd, read_end
from krkn_grpc.kube.logs import Logs
from krkn_grpc.kube.session import Session
from tests.support.waiting import SECONDS

KIB, MIB = 1024, 1024 * 1024
REASONS = {403: "Forbidden", 404: "NotFound", 500: "InternalError"}


@dataclass
class Node:
    """Serves one log as a node does: with `tailLines` its last lines."""

    content: bytes = b""
    status: int = 200
    hangs_after: int | None = None
    breaks_after: int | None = None
    queries: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.queries.append(dict(request.query))
        if self.status != 200:
            told = {"kind": "Status", "reason": REASONS[self.status], "message": "no"}
            return web.json_response(told, status=self.status)
        content = self.content
        if (tail := request.query.get("tailLines")) is not None:
            content = last_lines(content, int(tail))
        answer = web.StreamResponse()
        await answer.prepare(request)
        sent = 0
        for start in range(0, len(content), 64 * KIB):
            if self.hangs_after is not None and sent >= self.hangs_after:
                await asyncio.sleep(3600)
            if self.breaks_after is not None and sent >= self.breaks_after:
                assert request.transport is not None
                request.transport.abort()
                return answer
            part = content[start : start + 64 * KIB]
            await answer.write(part)
            sent += len(part)
        return answer


def last_lines(content: bytes, count: int) -> bytes:
    at = len(content) - 1 if content.endswith(b"\n") else len(content)
    for _ in range(count):
        at = content.rfind(b"\n", 0, at)
        if at < 0:
            return content
    return content[at + 1 :]


@pytest_asyncio.fixture
async def node() -> AsyncIterator[Node]:
    made = Node()
    application = web.Application()
    application.router.add_get("/{path:.*}", made.serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    made.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()


Read = Callable[..., Awaitable[LogEnd]]


@pytest_asyncio.fixture
async def read(node: Node, tmp_path: Path) -> AsyncIterator[Read]:
    config = kubeconfig.write(
        tmp_path / "config", url=node.url, ca_pem="", user={"token": "a"}, namespace="a"
    )
    async with Session(await ClusterAccess.load(config)) as session:

        async def made(at_most: int = MIB, seconds: float = 10) -> LogEnd:
            return await read_end(
                Logs(session, "a"), "pod", "container", at_most=at_most, seconds=seconds
            )

        yield made


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"one\ntwo\n", id="lines"),
        pytest.param(b"one\ntwo", id="no newline at the end"),
        pytest.param(b"\xff\xfe\x00\n" * 100, id="no text"),
        pytest.param(b"x" * MIB, id="exactly the bound"),
    ],
)
async def test_a_short_log_is_whole(node: Node, read: Read, content: bytes) -> None:
    node.content = content
    end = await read()
    assert end == LogEnd(content, len(content))
    assert end.is_whole
    assert len(node.queries) == 1


@pytest.mark.parametrize(
    ("content", "total"),
    [
        pytest.param(b"one\n" + b"x" * (3 * MIB), 3 * MIB + 4, id="a line of 3 MiB"),
        pytest.param(b"".join(b"line %07d\n" % n for n in range(200_000)), None, id="short lines"),
        pytest.param(b"".join(b"%0500d\n" % n for n in range(5_000)), 5_000 * 501, id="long lines"),
    ],
)
async def test_a_long_log_keeps_its_end(
    node: Node, read: Read, content: bytes, total: int | None
) -> None:
    node.content = content
    end = await read()
    assert content.endswith(end.content)
    assert MIB // 4 < len(end.content) <= MIB
    assert end.total == total
    assert not end.is_whole
    assert not end.trouble
    assert len(node.queries) == 1


async def test_a_log_of_100_mb_is_read_in_seconds_and_little_memory(node: Node, read: Read) -> None:
    node.content = (b"x" * 16 * KIB + b"\n") * 6400 + b"the end\n"
    tracemalloc.start()
    began = time.monotonic()
    end = await read()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.monotonic() - began < 20  # it takes 0.2 s
    assert end.content.endswith(b"the end\n")
    assert len(end.content) == MIB
    assert most < 6 * MIB


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        pytest.param({"status": 404}, "the pod is gone", id="the pod is gone"),
        pytest.param({"status": 403}, "Forbidden", id="refused"),
        pytest.param({"status": 500}, "OutcomeUnknown", id="500"),
        pytest.param({"hangs_after": 0}, "within 0.5 seconds", id="hangs at once"),
        pytest.param({"hangs_after": MIB}, "within 0.5 seconds", id="hangs on the way"),
        pytest.param({"breaks_after": MIB}, "OutcomeUnknown", id="breaks off"),
    ],
)
async def test_a_log_that_cannot_be_read_says_why(
    node: Node, read: Read, fault: dict[str, int], trouble: str
) -> None:
    node.content = b"x" * 2 * MIB
    for name, value in fault.items():
        setattr(node, name, value)
    began = time.monotonic()
    end = await read(seconds=0.5 if "hangs_after" in fault else SECONDS)
    assert time.monotonic() - began < 30
    assert (end.content, end.total, end.is_whole) == (b"", None, False)
    assert trouble in end.trouble
