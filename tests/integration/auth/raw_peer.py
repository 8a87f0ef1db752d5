"""An HTTP/2 peer that does what no gRPC library would do."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Sequence

import h2.config
import h2.connection
import h2.events
import h2.settings

SECONDS = 60.0
STATUS = "grpc-status"
_READ = 64 * 1024


class RawPeer:
    """A connection whose every frame the test decides; pings are answered only if it says so."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers_pings: bool
    ) -> None:
        self._reader, self._writer = reader, writer
        self._answers_pings = answers_pings
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.statuses: dict[int, str] = {}
        """grpc-status of each stream that has ended."""
        self.settings: dict[int, int] = {}
        self.pings = 0
        """That have come."""

    def begin(self, **settings: int) -> None:
        """Say hello, with these settings (`initial_window_size=0`)."""
        codes, usual = h2.settings.SettingCodes, h2.settings.Settings(client=True)
        values = {codes(code): value for code, value in usual.items()}
        values |= {codes[name.upper()]: value for name, value in settings.items()}
        self._h2.local_settings = h2.settings.Settings(client=True, initial_values=values)
        self._h2.initiate_connection()
        self._flush()

    def open(self, path: str, metadata: Sequence[tuple[str, str]] = ()) -> int:
        """Send the headers of a call, and nothing of its request."""
        stream: int = self._h2.get_next_available_stream_id()
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "server"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            *metadata,
        ]
        self._h2.send_headers(stream, headers)
        self._flush()
        return stream

    def finish(self, stream: int, message: bytes = b"") -> None:
        """Send the request of a call."""
        frame = struct.pack(">BI", 0, len(message)) + message
        self._h2.send_data(stream, frame, end_stream=True)
        self._flush()

    async def closed(self) -> None:
        """Return when the other side has closed the connection."""
        while await self._take_in():
            pass

    async def ended(self, *streams: int) -> None:
        """Return when all these streams have ended."""
        async with asyncio.timeout(SECONDS):
            while not {*streams} <= self.statuses.keys():
                assert await self._take_in(), "the connection was closed"

    async def settled(self) -> None:
        """Return when the other side has said hello and heard ours."""
        async with asyncio.timeout(SECONDS):
            while not self.settings:
                assert await self._take_in(), "the connection was closed"

    async def _take_in(self) -> bool:
        try:
            content = await self._reader.read(_READ)
        except ConnectionError:
            return False
        if not content:
            return False
        for event in self._h2.receive_data(content):
            match event:
                case h2.events.RemoteSettingsChanged():
                    changed = event.changed_settings.items()
                    self.settings |= {int(code): setting.new_value for code, setting in changed}
                case h2.events.TrailersReceived() | h2.events.ResponseReceived():
                    headers = [(str(name), value) for name, value in event.headers or ()]
                    status = [value for name, value in headers if name == STATUS]
                    if status and event.stream_id is not None:
                        self.statuses[event.stream_id] = str(status[0])
                case h2.events.PingReceived():
                    self.pings += 1
                case h2.events.StreamReset(stream_id=int() as stream):
                    self.statuses.setdefault(stream, "reset")
        if self._answers_pings:
            self._flush()
        else:
            self._h2.data_to_send()  # thrown away, the answers to pings with it
        return True

    def _flush(self) -> None:
        self._writer.write(self._h2.data_to_send())


@contextlib.asynccontextmanager
async def raw_peer(address: str, *, answers_pings: bool = True) -> AsyncIterator[RawPeer]:
    """Connect, and hang up at the end."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield RawPeer(reader, writer, answers_pings=answers_pings)
    finally:
        writer.transport.abort()
