"""A relay in front of a server, which cuts connections after so many bytes.

What was passed on before the cut has reached the other side: so a call may have been carried out
although its answer was lost, or half of it was.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from deploy.local.processes.ports import LOOPBACK


@dataclass
class Relay:
    """Passes connections on; `cut_after` is the number of bytes, counted both ways, of the next."""

    to: int
    port: int = 0
    cut_after: int | None = None
    """None: never."""
    passed: int = 0
    """Bytes of the newest connection."""
    cuts: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        limit, self.cut_after, self.passed = self.cut_after, None, 0
        far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self.to)
        both = (writer, far_writer)
        self._writers += both

        async def passing(source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                left = len(data) if limit is None else limit - self.passed
                self.passed += len(data)
                drain.write(data[: max(left, 0)])
                await drain.drain()
                if left < len(data):
                    self.cuts += 1
                    return

        ways = [
            asyncio.create_task(passing(reader, far_writer)),
            asyncio.create_task(passing(far_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for each in both:
                each.close()

    def cut_all(self) -> None:
        """Cut every connection now."""
        for each in self._writers:
            each.transport.abort()
        self._writers.clear()


@contextlib.asynccontextmanager
async def relay(to: int) -> AsyncIterator[Relay]:
    """Listen on a port in front of `to`."""
    relayed = Relay(to)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(OSError):
            await relayed.connected(reader, writer)

    server = await asyncio.start_server(connected, LOOPBACK, 0)
    relayed.port = server.sockets[0].getsockname()[1]
    try:
        yield relayed
    finally:
        server.close()
        relayed.cut_all()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
