"""What a process takes: its memory, and the time until it serves."""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

from deploy.local.services import CONTROLLER, SERVER
from tests.bench.bench import Bench
from tests.bench.turns import cpu_seconds, quiet

T = TypeVar("T")
_SERVES = {SERVER: "serving", CONTROLLER: "running"}
_MIB = 1024


def memory(pid: int) -> tuple[float, float]:
    """Return what a process has in memory, now and at most so far, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    now, most = (int(fields[name].split()[0]) / _MIB for name in ("VmRSS", "VmHWM"))
    return now, most


async def start_time(bench: Bench, name: str) -> float:
    """Start one of our processes anew; return the seconds until it serves."""
    child = bench.services.child(name)
    await child.stop()
    began = time.perf_counter()
    bench.services.start_again(name)
    while not any(line.get("event") == _SERVES[name] for line in bench.services.events(name)):
        assert child.is_running, child.log_tail()
        await asyncio.sleep(0.01)
    return time.perf_counter() - began


async def at_rest(bench: Bench, name: str) -> None:
    """Wait until all is ready, and this one of our processes has nothing to do any more."""
    await bench.services.ready()
    await quiet([bench.services.child(name).pid])


async def processor_time(pid: int, work: Awaitable[T]) -> tuple[T, float]:
    """Do the work; return what came of it, and the seconds that the process computed meanwhile."""
    before = cpu_seconds(pid)
    result = await work
    return result, cpu_seconds(pid) - before
