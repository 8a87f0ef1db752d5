"""Runs long computations in threads, so that they do not block the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# One thread, so that the event loop shares the interpreter with at most one other thread.
_PYTHON = ThreadPoolExecutor(max_workers=1, thread_name_prefix="offload")
# Digests are computed without holding the interpreter lock.
_DIGESTS = ThreadPoolExecutor(2, thread_name_prefix="digest")


async def offload(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `work` in a thread; return its result or raise its error. It must only compute."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_PYTHON, lambda: work(*args, **kwargs))


async def offload_digest(digest: Callable[[], R]) -> R:
    """Return the result of `digest`; at most two run at the same time."""
    return await asyncio.get_running_loop().run_in_executor(_DIGESTS, digest)
