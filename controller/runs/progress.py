"""The status of a run, from its jobs. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from controller.runs.model import Outcome
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import (
    ChaosRun,
    ChaosRunStatus,
    Counts,
    DepartedCounts,
    RunPhase,
)

_OUTCOMES = ("succeeded", "failed", "stopped", "refused")


def status_of(
    run: ChaosRun, jobs: Mapping[str, ChaosJob], departing: Mapping[str, Outcome], now: datetime
) -> ChaosRunStatus:
    """Return the status of the run.

    `jobs` are its jobs by id. `departing` are those that go or are gone, and that the status does
    not have yet, with their outcomes; from now on they count by that alone. One of which nobody saw
    the outcome has one that the status has counted, else it counts as failed.
    """
    gone = frozenset([*run.status.departed, *departing])
    there = [jobs.get(each.job_id) for each in run.spec.targets if each.job_id not in gone]
    departed = _with_departed(run, departing, there)
    counts = _not_fewer(_counts(run, there, departed.departed_counts), run.status.counts)
    before = run.status.phase
    start_time = run.status.start_time or _first_start(jobs.values())
    has_started = start_time is not None or before == "Running"
    phase = before if run.status.is_final else _phase(counts, has_started=has_started)
    status = msgspec.structs.replace(departed, phase=phase, counts=counts, start_time=start_time)
    if status.is_final and status.completion_time is None:
        ended = [job.status.completion_time for job in jobs.values()]
        latest = max((each for each in ended if each is not None), default=now)
        status = msgspec.structs.replace(status, completion_time=latest)
    return status


def as_patch(status: ChaosRunStatus) -> dict[str, Any]:
    """Return the status as a merge patch, in which nothing is left out: it has no claims."""
    return {
        "phase": status.phase,
        "counts": None if status.counts is None else msgspec.structs.asdict(status.counts),
        "startTime": status.start_time,
        "completionTime": status.completion_time,
        "departed": status.departed,
        "departedCounts": msgspec.structs.asdict(status.departed_counts),
    }


def _with_departed(
    run: ChaosRun, departing: Mapping[str, Outcome], there: list[ChaosJob | None]
) -> ChaosRunStatus:
    status = run.status
    known = frozenset(status.departed)
    new = {job_id: outcome for job_id, outcome in departing.items() if job_id not in known}
    if not new:
        return status
    counts = msgspec.structs.asdict(status.departed_counts)
    unknown = 0
    for outcome in new.values():
        if outcome == "unknown":
            unknown += 1
        else:
            counts[outcome] += 1
    for kind, number in _explained(_counts(run, there, DepartedCounts(**counts)), status.counts):
        counts[kind] += min(number, unknown)
        unknown -= min(number, unknown)
    counts["failed"] += unknown
    return msgspec.structs.replace(
        status, departed=[*status.departed, *new], departed_counts=DepartedCounts(**counts)
    )


def _explained(now: Counts, before: Counts | None) -> Iterator[tuple[str, int]]:
    """Yield, of each outcome, how many more the status has counted than there are now."""
    for kind in _OUTCOMES:
        yield kind, max(0, getattr(before, kind, 0) - getattr(now, kind))


def _not_fewer(now: Counts, before: Counts | None) -> Counts:
    """Return the counts with no fewer outcomes than before.

    Such a job is missing, and counted as pending, or it is seen as it was before its end.
    """
    ended = dict(_explained(now, before))
    number = sum(ended.values())
    missing = min(now.pending, number)
    return msgspec.structs.replace(
        now,
        pending=now.pending - missing,
        running=now.running - (number - missing),
        **{kind: getattr(now, kind) + more for kind, more in ended.items()},
    )


def _counts(run: ChaosRun, jobs: list[ChaosJob | None], departed: DepartedCounts) -> Counts:
    phases = ["Pending" if job is None else job.status.phase for job in jobs]
    refused = len(run.spec.refused)
    return Counts(
        total=len(run.spec.targets) + refused,
        pending=phases.count("Pending"),
        running=phases.count("Running"),
        succeeded=phases.count("Succeeded") + departed.succeeded,
        failed=phases.count("Failed") + departed.failed,
        stopped=phases.count("Stopped") + departed.stopped,
        refused=refused + departed.refused,
    )


def _phase(counts: Counts, *, has_started: bool) -> RunPhase:
    if counts.pending or counts.running:
        # A job may have ended without a start; one that succeeded, and is gone since, had one.
        is_running = has_started or counts.running or counts.succeeded
        return "Running" if is_running else "Pending"
    if counts.stopped:
        return "Stopped"
    if counts.succeeded == counts.total:
        return "Succeeded"
    return "PartiallyFailed" if counts.succeeded else "Failed"


def _first_start(jobs: Iterable[ChaosJob]) -> datetime | None:
    starts = [job.status.start_time for job in jobs]
    return min((each for each in starts if each is not None), default=None)
