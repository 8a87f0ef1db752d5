"""50,000 jobs on 1,000 targets through the whole service, in waves of 250 targets in turn.

The pods are played by kwok: what is measured is the service and the control plane, not a node.
"""

import asyncio
import contextlib
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import quantiles

from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bench import Bench
from tests.bench.row import Row
from tests.bench.scale.processes import memory
from tests.bench.turns import cpu_seconds
from tests.support.requests import a_run

GROUP = "simulation"
JOBS = 50_000
_TARGETS = 1_000
_WAVE = 250
_MOST_UNDER_WAY = 1_000
# It ends then with what was reached: on a busy machine it would go on for long.
_MOST_SECONDS = 3_600.0
_FINAL = ("Succeeded", "Failed", "Stopped")


@dataclass
class Tally:
    """Which jobs are under way since when, and how long the others took."""

    asked: dict[str, float] = field(default_factory=dict)
    early: dict[str, float] = field(default_factory=dict)
    """Finished before the reply to the call was here."""
    took: list[float] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    """All that have ended: a job may be told again after that."""
    failed: Counter[str] = field(default_factory=Counter)
    """How many did not succeed, by reason."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def begun(self, job_id: str, at: float) -> None:
        """Take in a job that was accepted."""
        self.asked[job_id] = at
        if job_id in self.early:
            self._end(job_id, self.early.pop(job_id))

    def ended(self, job: pb.Job) -> None:
        """Take in a job that is final."""
        if job.job_id in self.known:
            return
        self.known.add(job.job_id)
        if job.status != "Succeeded":
            self.failed[job.reason] += 1
        if job.job_id in self.asked:
            self._end(job.job_id, time.monotonic())
        else:
            self.early[job.job_id] = time.monotonic()

    def _end(self, job_id: str, at: float) -> None:
        self.took.append(at - self.asked.pop(job_id))
        self.changed.set()


async def measure(bench: Bench) -> list[Row]:
    """Run all waves and say how it went."""
    targets = await bench.targets.first(_TARGETS)
    children = (*bench.control_plane.children, *bench.services.children)
    computed = {child.name: cpu_seconds(child.pid) for child in children}
    tally, marks = Tally(), [(time.monotonic(), 0)]
    async with asyncio.TaskGroup() as group:
        following = group.create_task(_follow(bench, tally))
        await _waves(bench, targets, tally, marks)
        following.cancel()
    seconds = time.monotonic() - marks[0][0]
    done = len(tally.took)
    hundredths = quantiles(tally.took, n=100)
    limit = "all" if done >= JOBS else f"ended after {_MOST_SECONDS:.0f} s"
    failed = ", ".join(f"{number} {reason}" for reason, number in tally.failed.items())
    failed = failed or "all Succeeded"
    rows = [
        _row("jobs finished", done, "jobs", f"{limit}; {failed}"),
        _row("from call to final", done / seconds, "jobs/s", _by_mark(marks)),
        _row("call to final, p50", hundredths[49], "s", f"{_MOST_UNDER_WAY:,} jobs under way"),
        _row("call to final, p99", hundredths[98], "s"),
    ]
    for child in children:
        now, most = memory(child.pid)
        share = (cpu_seconds(child.pid) - computed[child.name]) / seconds
        note = f"at most {most:.0f} MiB; {share:.0%} of one processor"
        rows.append(_row(f"memory of {child.name}", now, "MiB", note))
    return rows


async def _waves(
    bench: Bench, targets: list[str], tally: Tally, marks: list[tuple[float, int]]
) -> None:
    service = ScenarioRunServiceStub(bench.channel)
    body, begun, until = a_run(), 0, time.monotonic() + _MOST_SECONDS
    while time.monotonic() < until and len(tally.took) < JOBS:
        if begun < JOBS and len(tally.asked) <= _MOST_UNDER_WAY - _WAVE:
            first, at = begun % _TARGETS, time.monotonic()
            request = pb.RunScenarioRequest(
                target_uuids=targets[first : first + _WAVE],
                scenario_image=body["scenarioImage"],
                scenario_name=body["scenarioName"],
                request_id=str(uuid.uuid4()),
            )
            reply = await service.RunScenario(request)
            assert reply.successful_jobs == _WAVE, reply
            for job in reply.jobs:
                tally.begun(job.job_id, at)
            begun += _WAVE
        tally.changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(tally.changed.wait(), 1)
        if len(tally.took) - marks[-1][1] >= JOBS // 10:
            marks.append((time.monotonic(), len(tally.took)))
            bench.progress.note(f"{len(tally.took):,} jobs finished, {_by_mark(marks[-2:])}")


async def _follow(bench: Bench, tally: Tally) -> None:
    """Tell the tally of every job that ends; each is told once that it is final."""
    service = ScenarioRunServiceStub(bench.channel)
    async for message in service.WatchScenarioRuns(pb.WatchScenarioRunsRequest()):
        assert message.type != "ERROR", message
        if message.type == "MODIFIED" and message.job.status in _FINAL:
            tally.ended(message.job)


def _by_mark(marks: list[tuple[float, int]]) -> str:
    rates = [
        f"{(count - before) / (at - since):.0f}" for (since, before), (at, count) in pairwise(marks)
    ]
    return f"in turn {', '.join(rates)} jobs/s" if rates else ""


def _row(name: str, value: float, unit: str, note: str = "") -> Row:
    return Row(group=GROUP, name=name, value=value, unit=unit, note=note)
