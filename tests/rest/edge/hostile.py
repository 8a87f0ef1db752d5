"""A caller over HTTP/2 who sends any headers at all."""

import socket
from dataclasses import dataclass, field
from typing import Self

import h2.config
import h2.connection
import h2.events

from tests.rest.edge.nonsense import MESSAGE, Asked
from tests.rest.edge.running import LOOPBACK, SECONDS

ADDRESS = "127.0.0.66"
"""Where they call from: Envoy takes each address for a client of its own."""


@dataclass
class Hostile:
    """A caller over HTTP/2 that checks nothing of what it sends; it comes again when it is cut."""

    port: int
    refused: int = 0
    cut: int = 0
    passed: int = 0
    _socket: socket.socket | None = None
    _connection: h2.connection.H2Connection = field(init=False)

    def __enter__(self) -> Self:
        """Connect."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self._hang_up()

    def ask(self, asked: Asked) -> dict[bytes, bytes]:
        """Send one request; return the headers and trailers of its reply, none when it was cut."""
        peer = self._connected()
        stream = self._connection.get_next_available_stream_id()
        has_body = (b":method", b"POST") in asked.headers
        self._connection.send_headers(stream, asked.headers, end_stream=not has_body)
        if has_body:
            self._connection.send_data(stream, MESSAGE, end_stream=not asked.trailers)
            if asked.trailers:
                self._connection.send_headers(stream, asked.trailers, end_stream=True)
        told: dict[bytes, bytes] = {}
        try:
            peer.sendall(self._connection.data_to_send())
            is_over = False
            while not is_over:
                data = peer.recv(65536)
                if not data:
                    raise ConnectionError
                for event in self._connection.receive_data(data):
                    if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                        told.update(event.headers or ())
                    elif isinstance(event, h2.events.StreamReset):
                        self.cut += 1
                        return {}
                    elif isinstance(event, h2.events.ConnectionTerminated):
                        raise ConnectionError
                    is_over |= isinstance(event, h2.events.StreamEnded)
                peer.sendall(self._connection.data_to_send())
        except ConnectionError:
            self.cut += 1
            self._hang_up()
            return {}
        good = told.get(b":status") == b"200" and told.get(b"grpc-status", b"0") == b"0"
        self.passed += good
        self.refused += not good
        return told

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(
                (LOOPBACK, self.port), SECONDS, source_address=(ADDRESS, 0)
            )
            config = h2.config.H2Configuration(
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
            self._connection = h2.connection.H2Connection(config)
            self._connection.initiate_connection()
        return self._socket

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
