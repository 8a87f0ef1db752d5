"""Something happens at the k-th write of the controller to a run: every k, every fault.

One controller works on all these runs at the same time, each with its own fault.
"""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.faults.conftest import ALL, StartBehind
from tests.faults.fault_kinds import EVERY
from tests.faults.proxy import Call, Fault
from tests.faults.scenarios import lived_rightly
from tests.faults.test_run_limits import counts_never_fell
from tests.support.chaos_runs import ChaosRun, a_run
from tests.support.custom_objects import Manifest
from tests.support.jobs import Jobs

# The claims of its jobs, the first start, the end, and the departure of the one that goes.
MOST_WRITES = 6
SHORT = ("dropped after", "conflict")
_RUN = re.compile(r"/krknchaosruns/([0-9a-f-]{36})/status$")


@dataclass
class AtWrites:
    """Does something at the k-th write to a run, once."""

    faults: dict[str, tuple[int, Fault]] = field(default_factory=dict)
    writes: Counter[str] = field(default_factory=Counter)
    happened: set[int] = field(default_factory=set)

    def rule(self, call: Call) -> Fault | None:
        """Return what happens to this call."""
        found = _RUN.search(call.path)
        if not call.is_write or found is None or found[1] not in self.faults:
            return None
        run = found[1]
        self.writes[run] += 1
        at, fault = self.faults[run]
        if self.writes[run] != at:
            return None
        self.happened.add(at)
        return fault


async def one(jobs: Jobs, target: Manifest, run: ChaosRun) -> None:
    """Let one job succeed, one fail and one go as soon as it has ended, one after the other."""
    await run.job(0, target, "lasts-0s")
    await run.job(1, target, "exit-3")
    await run.job(2, target, "lasts-0s", ttlSecondsAfterFinished=0)
    status = await run.finished(seconds=120)
    assert status["phase"] == "PartiallyFailed", status
    await jobs.gone(run.job_ids[2])
    status = await run.when(lambda status: status.get("departed"), seconds=60)
    counts = status["counts"]
    told = counts["total"], counts["succeeded"], counts["failed"]
    assert (told, status["departed"]) == ((3, 2, 1), [run.job_ids[2]]), status


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", EVERY if ALL else SHORT)
async def test_a_fault_at_each_write_to_a_run(
    jobs: Jobs, behind_a_proxy: StartBehind, kind: str
) -> None:
    behind = await behind_a_proxy()
    await behind.controller.start()
    target = await jobs.target()
    runs = [await a_run(jobs, [target] * 3, maxParallel=1) for _ in range(MOST_WRITES)]
    writes = AtWrites({run.name: (at, EVERY[kind]) for at, run in enumerate(runs, start=1)})
    behind.proxy.rule = writes.rule
    async with jobs.watch() as watch:
        await asyncio.gather(*(one(jobs, target, run) for run in runs))
        for run in runs:
            counts_never_fell(watch, run)
            for job in run.job_ids:
                lived_rightly(watch, job)
    assert writes.happened >= {1, 2, 3}, f"only at writes {writes.happened}"
