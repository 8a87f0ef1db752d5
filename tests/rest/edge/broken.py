"""A server that fails in the middle of a call."""

import contextlib
import socket
import threading

from tests.rest.edge.running import LOOPBACK


class Hangs:
    """A server that takes a connection, reads a while, and breaks it off."""

    def __init__(self) -> None:
        self.connections = 0
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                # SETTINGS of no content; then the request is in what comes next.
                connection.sendall(b"\0\0\0\x04\0\0\0\0\0")
                received = b""
                while b"operator" not in received and len(received) < 200:
                    received += connection.recv(65536)
                connection.close()
