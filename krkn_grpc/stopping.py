"""The end of a process that the kubelet or a person asks for."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any


def stop_requested() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set from now on."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def ends_before(stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> bool:
    """Whether `work` ends without a request to stop, which cancels it; raises what it raises."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (working, stopping):
        task.cancel()
    if working.done():
        working.result()
    return not stop.is_set()
