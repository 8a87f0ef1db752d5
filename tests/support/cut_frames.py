"""A connection of HTTP/2 that breaks at one moment of one call."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS = 0, 1


class Moment(Enum):
    """When it breaks, by what is the first not to arrive whole: who sends it, and the frame."""

    BEFORE_THE_REQUEST = ("caller", _HEADERS)
    BEFORE_THE_REPLY = ("server", _HEADERS)
    IN_THE_REPLY = ("server", _DATA)


@dataclass
class Cutter:
    """Passes connections on to a port; breaks one at the next such moment, and no other."""

    port: int = 0
    moment: Moment | None = None

    async def _pass(
        self, whose: str, reader: asyncio.StreamReader, writers: list[asyncio.StreamWriter]
    ) -> None:
        to, back = writers
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            if whose == "caller":
                to.write(await reader.readexactly(len(_PREFACE)))
            while True:
                head = await reader.readexactly(9)
                frame = head + await reader.readexactly(int.from_bytes(head[:3]))
                if self.moment is not None and self.moment.value == (whose, head[3]):
                    if self.moment is Moment.IN_THE_REPLY:
                        to.write(frame[: len(frame) // 2])
                        await to.drain()
                    self.moment = None
                    break
                to.write(frame)
        to.close()
        back.close()


@contextlib.asynccontextmanager
async def a_cutter(upstream: int) -> AsyncIterator[Cutter]:
    """Start one before this port of this machine."""
    cutter = Cutter()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", upstream)
        await asyncio.gather(
            cutter._pass("caller", reader, [far_writer, writer]),
            cutter._pass("server", far_reader, [writer, far_writer]),
        )

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        cutter.port = server.sockets[0].getsockname()[1]
        yield cutter
