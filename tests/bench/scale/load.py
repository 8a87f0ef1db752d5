"""Many calls, one after the other or some at once, and what each takes."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import quantiles

from tests.bench.bare import each
from tests.bench.scale.processes import processor_time

Call = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Load:
    """How some calls went, in milliseconds."""

    p50: float
    p99: float
    a_second: float
    processor: float
    """What the process that was asked computed for each."""


async def load(call: Call, pid: int, count: int, at_once: int) -> Load:
    """Make the call so many times."""
    times: list[float] = []

    async def timed(_: int) -> None:
        began = time.perf_counter()
        await call()
        times.append(1000 * (time.perf_counter() - began))

    began = time.perf_counter()
    _, processor = await processor_time(pid, each(range(count), timed, at_once))
    seconds = time.perf_counter() - began
    hundredths = quantiles(times, n=100)
    return Load(hundredths[49], hundredths[98], count / seconds, 1000 * processor / count)
