"""The signals that end a run."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator

from deploy.local.processes.children import kill_all

# If the whole process group gets SIGTERM, `make` forwards it, so that it arrives twice.
SAME_SIGNAL_SECONDS = 0.3


def stop_requested() -> asyncio.Event:
    """Return an event that Ctrl-C, SIGTERM and a closed terminal set from now on.

    A later signal kills all children, so that the cleanup that waits for their end can go on.
    """
    event = asyncio.Event()
    first = 0.0

    def on_signal() -> None:
        nonlocal first
        if not event.is_set():
            first = time.monotonic()
            event.set()
        elif time.monotonic() - first > SAME_SIGNAL_SECONDS:
            kill_all()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal)
    return event


@contextlib.contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Make SIGTERM and a closed terminal raise KeyboardInterrupt, as Ctrl-C does."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {n: signal.signal(n, interrupt) for n in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
