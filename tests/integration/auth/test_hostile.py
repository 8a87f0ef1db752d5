"""One client does its worst, through Envoy and at the server itself: no call of others fails."""

import asyncio
import contextlib
import itertools
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from random import randrange
from typing import Any

import grpc
import pytest
from grpc import StatusCode

from tests.integration.auth.callers import Metadata
from tests.integration.auth.calls import call
from tests.integration.auth.conftest import Guarded
from tests.integration.auth.flood import call_headers, flooding
from tests.integration.auth.test_runs import register, run
from tests.support.others import Others, others_calling
from tests.support.requests import a_run
from tests.support.rest import RUNS, TARGETS
from tests.support.waiting import eventually

LIST, GET = "/krkn.v1.TargetService/ListTargets", "/krkn.v1.TargetService/GetTarget"
STREAMS = 10_000
SPACES = 40_000_000
JSON = "application/json"
EXHAUSTED, UNAVAILABLE, TOO_SLOW, DENIED = (
    str(code.value[0])
    for code in (
        StatusCode.RESOURCE_EXHAUSTED,
        StatusCode.UNAVAILABLE,
        StatusCode.DEADLINE_EXCEEDED,
        StatusCode.PERMISSION_DENIED,
    )
)
SECONDS = 90


@dataclass
class Edge:
    """Envoy before the real server, who attacks it, and what others are answered meanwhile."""

    guarded: Guarded
    others: Others
    attacker: Metadata
    hostile: str = field(default_factory=lambda: f"127.{randrange(1, 255)}.{randrange(255)}.66")
    """Where the attack comes from: each has an address of its own, and so its own limits."""

    @property
    def address(self) -> str:
        return self.guarded.running.processes.rest_url.removeprefix("http://")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    async def assert_others_are_well(self) -> None:
        """They go on calling, and no call of theirs has failed since it began."""
        await asyncio.to_thread(self.others.go_on)
        assert self.others.statuses.keys() == {200, 201}, self.others.statuses

    async def say(self, content: bytes) -> bytes:
        """Send bytes until Envoy takes no more; return what it said."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(self.hostile, 0)
        )
        try:
            async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
                # Listening from the start: who goes on sending is cut off soon after the answer.
                heard = group.create_task(first_of(reader))
                with contextlib.suppress(ConnectionError):
                    for start in range(0, len(content), 100_000):
                        writer.write(content[start : start + 100_000])
                        await writer.drain()
            return heard.result()
        finally:
            writer.transport.abort()


async def first_of(reader: asyncio.StreamReader) -> bytes:
    """What the other side says first; nothing where it was gone before that could be read."""
    try:
        return await reader.read(1024)
    except ConnectionError:
        return b""


async def somebody(guarded: Guarded) -> Metadata:
    """An account that is known and whose share of the server is its own."""
    return await guarded.callers.make(f"attacker-{uuid.uuid4().hex[:8]}")


@pytest.fixture
async def edge(guarded: Guarded) -> AsyncIterator[Edge]:
    target = await register(guarded)
    viewer = dict(await guarded.callers.metadata("viewer"))
    runner = dict(await guarded.callers.metadata("runner"))
    asks = [
        lambda client: client.get(TARGETS, headers=viewer),
        lambda client: client.post(RUNS, json=a_run(target), headers=runner),
        lambda client: client.get(RUNS, params={"pageSize": 5}, headers=viewer),
    ]
    attacker = await somebody(guarded)
    with contextlib.ExitStack() as stack:
        calling = others_calling(guarded.running.processes.rest_url, asks)
        yield Edge(guarded, stack.enter_context(calling), attacker)
        # Not in this thread: what stands between the server and its API server runs here.
        await asyncio.to_thread(stack.close)


async def until_most_are_answered(answers: Counter[str]) -> None:
    """Wait until more than half of the streams are; what they asked was never sent as a whole."""

    async def answered() -> int:
        return answers.total()

    await eventually(answered, lambda total: total > STREAMS // 2, seconds=SECONDS)


@pytest.mark.timeout(2 * SECONDS)
async def test_ten_thousand_unfinished_requests(edge: Edge) -> None:
    headers = call_headers(RUNS, [*edge.attacker, ("content-length", "100")], kind=JSON)
    async with flooding(
        edge.address, headers, connections=40, streams=250, calls_from=[edge.hostile]
    ) as answers:
        await until_most_are_answered(answers)
        await edge.assert_others_are_well()
    # Those for which there was room lose it.
    assert {"429"} <= answers.keys() <= {"429", "408"}, answers


@pytest.mark.timeout(2 * SECONDS)
async def test_ten_thousand_grpc_streams_from_many_addresses(edge: Edge) -> None:
    """Each address stays below its rate limit; one token is behind all of them.

    Together they are more than Envoy lets through: others may be told to come again.
    """
    addresses = [f"127.0.66.{number}" for number in range(1, 11)]
    headers = call_headers(LIST, edge.attacker)
    async with flooding(
        edge.address, headers, connections=40, streams=250, calls_from=addresses
    ) as answers:
        await until_most_are_answered(answers)
        await asyncio.to_thread(edge.others.go_on)
    edge.others.refused_safely()
    # Whose account may not list is told so before their request is there.
    assert answers.keys() <= {DENIED, EXHAUSTED, UNAVAILABLE}, answers


SPACED = f"POST {RUNS} HTTP/1.1\r\nhost: x\r\ncontent-type: {JSON}\r\n".encode()


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(SPACED + b"content-length: %d\r\n\r\n" % SPACES + b" " * SPACES, id="length"),
        pytest.param(
            SPACED + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % SPACES + b" " * SPACES,
            id="chunked",
        ),
    ],
)
@pytest.mark.timeout(2 * SECONDS)
async def test_forty_megabytes_of_spaces(edge: Edge, request_bytes: bytes) -> None:
    replies = await asyncio.gather(*(edge.say(request_bytes) for _ in range(5)))
    await edge.assert_others_are_well()
    assert {reply[:13] for reply in replies if reply} == {b"HTTP/1.1 413 "}


@pytest.mark.timeout(2 * SECONDS)
async def test_huge_headers(edge: Edge) -> None:
    request = f"GET {TARGETS} HTTP/1.1\r\nhost: x\r\nauthorization: ".encode() + b"x" * 1_000_000
    replies = await asyncio.gather(*(edge.say(request) for _ in range(100)))
    await edge.assert_others_are_well()
    assert {reply[:13] for reply in replies if reply} == {b"HTTP/1.1 431 "}


@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.parametrize("nested", [b"[", b'{"a":'])
async def test_deep_json(edge: Edge, nested: bytes) -> None:
    body = b'{"environment":' + nested * (2_000_000 // len(nested))
    request = SPACED + b"content-length: %d\r\n\r\n" % len(body) + body
    for _ in range(4):
        replies = await asyncio.gather(*(edge.say(request) for _ in range(10)))
        assert {reply[:13] for reply in replies if reply} == {b"HTTP/1.1 400 "}
    await edge.assert_others_are_well()


@dataclass
class Callers:
    """Others at the server itself."""

    codes: list[StatusCode] = field(default_factory=list)

    async def go_on(self, calls: int = 20) -> None:
        """Wait until they have called so often again; no call has failed since it began."""
        before = len(self.codes)

        async def answered() -> int:
            return len(self.codes)

        await eventually(answered, lambda total: total >= before + calls, seconds=SECONDS)
        assert set(self.codes) == {StatusCode.OK}, Counter(self.codes)


@pytest.fixture
async def callers(guarded: Guarded) -> AsyncIterator[Callers]:
    target, seen = await register(guarded), Callers()
    runner = await guarded.callers.metadata("runner")
    asks: list[Callable[[], Awaitable[Any]]] = [
        lambda: call(guarded.running.channel, "ListTargets", runner),
        lambda: run(guarded, runner, target),
    ]

    async def go_on() -> None:
        for ask in itertools.cycle(asks):
            seen.codes.append((await ask()).code)

    task = asyncio.create_task(go_on())
    yield seen
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.timeout(2 * SECONDS)
async def test_ten_thousand_streams_at_the_server(guarded: Guarded, callers: Callers) -> None:
    headers = call_headers(GET, await somebody(guarded))
    address = guarded.running.processes.grpc_address
    async with flooding(address, headers, connections=10, streams=1_000) as answers:
        await until_most_are_answered(answers)
        await callers.go_on()
    # Those that got a place lose it.
    assert {EXHAUSTED} <= answers.keys() <= {EXHAUSTED, TOO_SLOW}, answers


@pytest.mark.timeout(2 * SECONDS)
async def test_forty_megabytes_of_spaces_at_the_server(guarded: Guarded, callers: Callers) -> None:
    attacker = await somebody(guarded)
    spaces = b" " * SPACES

    async def send(request: AsyncIterator[bytes]) -> StatusCode:
        method: Any = guarded.running.channel.stream_unary(GET)
        try:
            await method(request, metadata=attacker, timeout=SECONDS)
        except grpc.aio.AioRpcError as error:
            return error.code()
        return StatusCode.OK

    async def once(content: bytes) -> AsyncIterator[bytes]:
        yield content

    codes = await asyncio.gather(*(send(once(spaces)) for _ in range(5)))
    # Who goes on sending may see the end of the stream before the status.
    assert set(codes) <= {StatusCode.RESOURCE_EXHAUSTED, StatusCode.CANCELLED}
    await callers.go_on()
