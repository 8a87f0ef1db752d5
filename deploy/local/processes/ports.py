"""Ports on loopback."""

import contextlib
import errno
import random
import socket

from deploy.local.errors import StartError

LOOPBACK = "127.0.0.1"


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


def free_port() -> int:
    """Return a port that is free now and outside the range that the kernel assigns.

    For programs that need a port as a setting and keep it across restarts.
    """
    for port in random.sample(range(20000, 30000), 100):
        with contextlib.suppress(OSError), socket.create_server((LOOPBACK, port)):
            return port
    raise StartError("no port between 20000 and 30000 is free on loopback")


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
