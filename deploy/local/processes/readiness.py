"""Waits until processes are ready; the error on failure shows the end of their logs."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from deploy.local.errors import StartError
from deploy.local.processes.children import Child

READY_SECONDS = 120.0
POLL_SECONDS = 0.05


async def until(condition: Callable[[], Awaitable[bool]], *children: Child) -> None:
    """Wait until the condition holds; raise StartError if a child ends, or after two minutes."""
    deadline = time.monotonic() + READY_SECONDS
    while not await condition():
        must_run(*children)
        if time.monotonic() > deadline:
            tails = "\n".join(f"{child.name}:\n{child.log_tail()}" for child in children)
            raise StartError(
                f"not ready after {READY_SECONDS:.0f} s; the end of what was logged:\n{tails}"
            )
        await asyncio.sleep(POLL_SECONDS)


def must_run(*children: Child) -> None:
    """Raise StartError for a child that has ended."""
    for child in children:
        if not child.is_running:
            raise StartError(
                f"{child.name} ended with exit code {child.exit_code}; "
                f"the end of its log:\n{child.log_tail()}"
            )
