"""Waiting for a condition, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

SECONDS = 60.0
"""So long anything may take that has to come, on a machine with other work."""


async def eventually(
    look: Callable[[], Awaitable[T]],
    accept: Callable[[T], object] = bool,
    *,
    seconds: float = SECONDS,
    pause: float = 0.05,
) -> T:
    """Look again and again until what is seen is accepted, and return it; fail after `seconds`.

    The failure shows what was seen last.
    """
    deadline = time.monotonic() + seconds
    while True:
        seen = await look()
        if accept(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not seen in {seconds:.0f} s; at the end it was: {seen!r}")
        await asyncio.sleep(pause)
