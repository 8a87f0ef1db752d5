"""Processor time: of our processes, of Kubernetes', and of what drives them."""

import os
from collections.abc import Mapping

from tests.bench.bench import Bench
from tests.bench.turns import cpu_seconds

OURSELVES = "bench"


def pids(bench: Bench) -> dict[str, int]:
    """Return the processes by name; the bench itself is the client and the bare loop."""
    children = (*bench.services.children, *bench.control_plane.children)
    return {OURSELVES: os.getpid()} | {c.name: c.pid for c in children if c.is_running}


def used(bench: Bench) -> dict[str, float]:
    """Return the seconds that each process has used so far."""
    return {name: cpu_seconds(pid) for name, pid in pids(bench).items()}


def between(before: Mapping[str, float], after: Mapping[str, float], jobs: int) -> dict[str, float]:
    """Return the milliseconds a job that each process used between two looks."""
    return {name: 1000 * (after[name] - before[name]) / jobs for name in before}
