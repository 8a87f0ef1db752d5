"""What a hostile caller does to the server, as strongly as it was found to do harm."""

import asyncio
import contextlib
import struct
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import grpc
import h2.config
import h2.connection
import h2.events
import h2.exceptions
from grpc_reflection.v1alpha import reflection_pb2

from krkn_grpc.server.limits import LARGEST_MESSAGE
from krkn_grpc.v1 import scenario_runs_pb2 as runs
from tests.integration.auth.callers import Metadata
from tests.integration.auth.flood import call_headers
from tests.support.requests import IMAGE

HOSTILE = "127.0.0.66"
"""Where it calls from: honest callers have another address."""

CHECK = "/grpc.health.v1.Health/Check"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
RUN = "/krkn.v1.ScenarioRunService/RunScenario"
UPDATE = "/krkn.v1.TargetService/UpdateTarget"
_FRAME = 16_384
_WHOLE = LARGEST_MESSAGE - 64


async def half_messages(
    address: str, path: str, metadata: Metadata = (), *, streams: int, seconds: float
) -> int:
    """Send messages that lack their last byte; return how many bytes could be sent."""
    each = [streams // 4] * 4
    pouring = [_pour(address, call_headers(path, metadata), many, seconds) for many in each]
    return sum(await asyncio.gather(*pouring))


async def _pour(
    address: str, headers: Sequence[tuple[str, str]], streams: int, seconds: float
) -> int:
    async with _peer(address) as (reader, writer, peer):
        left: dict[int, int] = {}
        for _ in range(streams):
            stream = peer.get_next_available_stream_id()
            peer.send_headers(stream, headers)
            peer.send_data(stream, struct.pack(">BI", 0, _WHOLE) + b"\n")
            left[stream] = _WHOLE - 2
        sent, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            before = sent
            for stream in list(left):
                sent += _send(peer, stream, left)
            writer.write(peer.data_to_send())
            await writer.drain()
            if not await _take_in(reader, peer, left, 0.001 if sent > before else 0.05):
                break
        return sent


def _send(peer: h2.connection.H2Connection, stream: int, left: dict[int, int]) -> int:
    try:
        size = min(left[stream], peer.local_flow_control_window(stream), _FRAME)
        if size > 0:
            peer.send_data(stream, b"x" * size)
            left[stream] -= size
            return size
    except h2.exceptions.ProtocolError:  # The stream was ended.
        del left[stream]
    return 0


async def _take_in(
    reader: asyncio.StreamReader, peer: h2.connection.H2Connection, left: Any, seconds: float
) -> bool:
    """Read what has come; False when the other side has hung up."""
    try:
        async with asyncio.timeout(seconds):
            content = await reader.read(65_536)
    except TimeoutError:
        return True
    for event in peer.receive_data(content):
        if isinstance(event, h2.events.StreamEnded | h2.events.StreamReset):
            left.pop(event.stream_id, None)
    return bool(content)


async def calls_without_a_message(
    address: str, path: str, *, a_second: float, seconds: float
) -> int:
    """Open calls, leave them, and open others where they end; return how many were opened."""

    async def keep_opening() -> int:
        opened, live, began = 0, dict[int, int](), time.monotonic()
        async with _peer(address) as (reader, writer, peer):
            while (passed := time.monotonic() - began) < seconds:
                while len(live) < 200 and opened < passed * a_second / 3:
                    stream = peer.get_next_available_stream_id()
                    peer.send_headers(stream, call_headers(path, ()))
                    live[stream] = 0
                    opened += 1
                writer.write(peer.data_to_send())
                if not await _take_in(reader, peer, live, 0.02):
                    break
        return opened

    return sum(await asyncio.gather(*(keep_opening() for _ in range(3))))


async def connections(address: str, said: bytes, *, count: int, seconds: float) -> None:
    """Hold so many connections that have said this much and go no further."""
    host, _, port = address.rpartition(":")
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(count):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(host, int(port), local_addr=(HOSTILE, 0))
                stack.callback(writer.transport.abort)
                writer.write(said)
        await asyncio.sleep(seconds)


async def questions(address: str, *, streams: int, seconds: float) -> int:
    """Ask reflection as fast as it answers; return how often it has."""
    asked = reflection_pb2.ServerReflectionRequest(
        file_containing_symbol="krkn.v1.ScenarioRunService"
    ).SerializeToString()
    answers, end = 0, time.monotonic() + seconds

    async def one(channel: grpc.aio.Channel) -> None:
        nonlocal answers
        method: Any = channel.stream_stream(REFLECTION)
        while time.monotonic() < end:
            call = method(timeout=max(end - time.monotonic(), 0.1))
            with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                while True:
                    await call.write(asked)
                    if await call.read() is grpc.aio.EOF:
                        break
                    answers += 1
            await asyncio.sleep(0.05)

    async with grpc.aio.insecure_channel(address) as channel:
        await asyncio.gather(*(one(channel) for _ in range(streams)))
    return answers


async def call_at_once(
    address: str, metadata: Metadata, *, calls: int, request: Callable[[], bytes]
) -> list[str]:
    """Make so many runs at the same time; return the code of each."""

    async def one(channel: grpc.aio.Channel) -> str:
        method: Any = channel.unary_unary(RUN)
        try:
            await method(request(), metadata=metadata, timeout=60)
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return "OK"

    async with grpc.aio.insecure_channel(address) as channel:
        return await asyncio.gather(*(one(channel) for _ in range(calls)))


def targets_without_a_name() -> bytes:
    """A run on as many targets as fit in a message, none of which has a name."""
    return _tag("target_uuids", b"") * (_WHOLE // 2)


def all_variables() -> bytes:
    """A run with as many variables as fit in a message, none of which has a good name."""
    entries, size, number = [], 0, 0
    while size < _WHOLE - 20:
        key = f"={number:x}".encode()
        entries.append(_tag("environment", b"\x0a" + bytes([len(key)]) + key))
        size += len(entries[-1])
        number += 1
    return b"".join(entries)


def a_file_of_spaces() -> bytes:
    """A run with a file whose content is a letter and a blank a million times."""
    content = "a " * (_WHOLE // 2 - 20)
    file = runs.RunScenarioRequest().files.add(name="a", mount_path="/a", content=content)
    return runs.RunScenarioRequest(files=[file]).SerializeToString()


def a_thousand_targets() -> bytes:
    """A run on a thousand targets that are not there."""
    request = runs.RunScenarioRequest(
        target_uuids=[str(uuid.uuid4()) for _ in range(1_000)],
        scenario_image=IMAGE,
        scenario_name="pods",
    )
    return request.SerializeToString()


def _tag(name: str, content: bytes) -> bytes:
    number = runs.RunScenarioRequest.DESCRIPTOR.fields_by_name[name].number
    return bytes([number << 3 | 2, len(content)]) + content


@contextlib.asynccontextmanager
async def _peer(
    address: str,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, h2.connection.H2Connection]]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(HOSTILE, 0))
    peer = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    peer.initiate_connection()
    try:
        yield reader, writer, peer
    finally:
        writer.transport.abort()
