"""Ports on loopback."""

import errno
import random
import socket
import threading
from collections.abc import Iterator

from deploy.local.errors import StartError

LOOPBACK = "127.0.0.1"

_BLOCKS = range(20_000, 30_000, 20)
"""First ports of the blocks from which processes take free ports."""


class ReservedPort:
    """A free port, reserved while it is held, even between two starts of its program.

    The held socket is bound but does not listen. A program that binds with SO_REUSEPORT (the API
    server does with --permit-port-sharing) can listen beside it; every other bind is refused and
    the kernel does not assign the number to others.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((LOOPBACK, 0))
        self.number: int = self._socket.getsockname()[1]

    def release(self) -> None:
        """Give the port back."""
        self._socket.close()


def _free_ports() -> Iterator[int]:
    held: list[socket.socket] = []
    for first in random.sample(_BLOCKS, len(_BLOCKS)):
        block = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            # Until this process ends, nobody else can bind it: the kernel keeps whose block it is.
            block.bind((LOOPBACK, first))
        except OSError:
            block.close()
            continue
        held.append(block)
        for port in range(first, first + _BLOCKS.step):
            try:
                socket.create_server((LOOPBACK, port)).close()
            except OSError:
                continue
            yield port


_ports, _lock = _free_ports(), threading.Lock()


def free_port() -> int:
    """Return a port that is free now and outside the range that the kernel assigns.

    For programs that need a port as a setting and keep it across restarts. No two calls return
    the same port, neither here nor in other processes that run at the same time: a port is often
    chosen long before its program listens.
    """
    with _lock:
        port = next(_ports, None)
    if port is None:
        raise StartError(f"no port from {_BLOCKS.start} to {_BLOCKS.stop} is free on loopback")
    return port


def must_be_free(port: int, setting: str) -> None:
    """Raise a StartError that names the setting, unless the port can be listened on now."""
    try:
        # Also sets SO_REUSEADDR, so connections of an earlier run that linger are no obstacle.
        socket.create_server((LOOPBACK, port)).close()
    except OverflowError:
        raise StartError(f"{setting}: {port} is not a port") from None
    except OSError as error:
        reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error}"
        raise StartError(f"port {port} {reason}; set {setting} to another one") from None
