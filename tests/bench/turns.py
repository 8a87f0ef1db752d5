"""Measuring in turn, A B A B, with the machine quiet again between two turns."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path

Way = Callable[[], Awaitable[float]]
_TICKS = os.sysconf("SC_CLK_TCK")
_QUIET_SECONDS = 0.3
_LONGEST_WAIT = 100


def rounds_over(count: int, rounds: int) -> int:
    """Return how often a run over so many targets is measured: what is short is soon disturbed."""
    return rounds * (4 if count < 100 else 2 if count < 1_000 else 1)


async def in_turn(
    ways: Mapping[str, Way], rounds: int, between: Callable[[], Awaitable[None]]
) -> dict[str, list[float]]:
    """Let each way measure once a round, with `between` before each; return what they said."""
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            await between()
            measured[name].append(await way())
    await between()
    return measured


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used so far, in steps of a clock tick."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def quiet(pids: Iterable[int], share: float = 0.15) -> None:
    """Wait until these processes together use less than this share of one processor."""
    known = list(pids)
    for _ in range(_LONGEST_WAIT):
        before = sum(map(cpu_seconds, known))
        await asyncio.sleep(_QUIET_SECONDS)
        if sum(map(cpu_seconds, known)) - before < share * _QUIET_SECONDS:
            return
    raise TimeoutError("the processes do not come to rest")
