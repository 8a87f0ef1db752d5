"""Very many HTTP/2 streams at little cost: each begins with the same headers, and that is all."""

import asyncio
import contextlib
import struct
from collections import Counter
from collections.abc import AsyncIterator, Sequence

import hpack
import hpack.struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RESET, SETTINGS, PING = 1, 3, 4, 6
END_HEADERS, ACKNOWLEDGED = 4, 1
_READ = 256 * 1024


class Flood:
    """One connection, and how the streams on it were answered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._decoder = hpack.Decoder()
        self.answers: Counter[str] = Counter()
        """How often each grpc-status came, and each HTTP status but 200."""

    async def open(self, streams: int, headers: Sequence[tuple[str, str]]) -> None:
        """Begin so many streams with these headers."""
        # Nothing that either side would have to remember, so all begin with the same bytes.
        block = hpack.Encoder().encode(
            [hpack.struct.NeverIndexedHeaderTuple(name, value) for name, value in headers]
        )
        frames = [_frame(HEADERS, END_HEADERS, 2 * n + 1, block) for n in range(streams)]
        self._writer.write(PREFACE + _frame(SETTINGS) + b"".join(frames))
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def listen(self) -> None:
        """Note the answers until the other side hangs up."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await self._reader.readexactly(9)
                kind, flags = head[3], head[4]
                content = await self._reader.readexactly(int.from_bytes(head[:3]))
                if kind == HEADERS:
                    self._note(content)
                elif kind in (SETTINGS, PING) and not flags & ACKNOWLEDGED:
                    answer = content if kind == PING else b""
                    self._writer.write(_frame(kind, ACKNOWLEDGED, 0, answer))

    def _note(self, block: bytes) -> None:
        headers = {str(name): str(value) for name, value in self._decoder.decode(block)}
        status = headers.get("grpc-status", headers.get(":status", ""))
        if status != "200":
            self.answers[status] += 1


@contextlib.asynccontextmanager
async def flooding(
    address: str,
    headers: Sequence[tuple[str, str]],
    *,
    connections: int,
    streams: int,
    calls_from: Sequence[str] = ("127.0.0.1",),
) -> AsyncIterator[Counter[str]]:
    """Open so many streams on each of so many connections; how they were answered so far."""
    host, _, port = address.rpartition(":")
    answers: Counter[str] = Counter()
    async with contextlib.AsyncExitStack() as stack:
        floods = []
        for number in range(connections):
            local = (calls_from[number % len(calls_from)], 0)
            reader, writer = await asyncio.open_connection(host, int(port), local_addr=local)
            stack.callback(writer.transport.abort)
            flood = Flood(reader, writer)
            flood.answers = answers
            floods.append(flood)
        async with asyncio.TaskGroup() as group:
            listening = [group.create_task(flood.listen()) for flood in floods]
            for flood in floods:
                await flood.open(streams, headers)
            yield answers
            for task in listening:
                task.cancel()


def call_headers(
    path: str, metadata: Sequence[tuple[str, str]], *, kind: str = "application/grpc"
) -> list[tuple[str, str]]:
    """The headers of a call, by gRPC or, as JSON, by REST."""
    return [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "server"),
        ("content-type", kind),
        ("te", "trailers"),
        *metadata,
    ]


def _frame(kind: int, flags: int = 0, stream: int = 0, content: bytes = b"") -> bytes:
    return len(content).to_bytes(3) + struct.pack(">BBI", kind, flags, stream) + content
