"""Drains Envoy before its pod ends: `python -m krkn_grpc.edge.drain SOCKET [WAIT] [DRAIN]`.

The kubelet runs it as the container's preStop hook and stops Envoy afterwards. Only the standard
library is imported, because the kubelet starts it while Envoy serves.

1. For WAIT seconds nothing changes: until every node and proxy knows that the pod gets no new
   calls, they come, and are served.
2. Envoy then asks its callers to leave, by GOAWAY or `connection: close` with the next reply.
3. Once no connection is left, or after DRAIN seconds, the hook ends.
"""

import contextlib
import http.client
import socket
import sys
import time
from pathlib import Path

WAIT_SECONDS = 10.0
DRAIN_SECONDS = 20.0

_ANSWER_SECONDS = 2.0
_POLL_SECONDS = 0.25
_OPEN_CONNECTIONS = "http.edge.downstream_cx_active"


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def drain(admin: Path, wait_seconds: float, drain_seconds: float) -> None:
    """Drain the Envoy with this admin socket; raises OSError when nothing answers there."""
    time.sleep(wait_seconds)
    deadline = time.monotonic() + drain_seconds
    _ask(admin, "POST", "/healthcheck/fail")
    while time.monotonic() < deadline and _open_connections(admin) > 0:
        time.sleep(_POLL_SECONDS)


def _open_connections(admin: Path) -> int:
    """Return the number of callers' connections; those of the kubelet's probes do not count."""
    told = _ask(admin, "GET", f"/stats?filter=^{_OPEN_CONNECTIONS.replace('.', '%5C.')}$")
    _, _, number = told.partition(f"{_OPEN_CONNECTIONS}: ")
    return int(number.split()[0]) if number else 0


def _ask(admin: Path, method: str, path: str) -> str:
    with contextlib.closing(_SocketConnection(admin)) as connection:
        connection.request(method, path)
        return connection.getresponse().read().decode()


def main(arguments: list[str]) -> None:
    """Run the command; see the module. An Envoy that has ended already is no error."""
    admin, *seconds = arguments
    wait, within = [*map(float, seconds), *(WAIT_SECONDS, DRAIN_SECONDS)[len(seconds) :]]
    with contextlib.suppress(OSError, http.client.HTTPException):
        drain(Path(admin), wait, within)


if __name__ == "__main__":
    main(sys.argv[1:])
