"""The counts and the phase of a run, by the states of its jobs."""

import itertools
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.runs.model import Outcome
from controller.runs.progress import as_patch, status_of
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import (
    ChaosRun,
    ChaosRunStatus,
    Counts,
    DepartedCounts,
    RefusedTarget,
)
from tests.unit.controller.jobs.builders import NOW, ago
from tests.unit.controller.runs.builders import a_job_of, a_run, job_id

PHASES = ("Pending", "Running", "Succeeded", "Failed", "Stopped")
FINAL = PHASES[2:]
ONE_REFUSED = [RefusedTarget(target_uuid="r", error="no")]


def jobs_of(*phases: str | None) -> dict[str, ChaosJob]:
    """The jobs of a run in these phases; None: it is not there."""
    made = [a_job_of(n, phase) for n, phase in enumerate(phases) if phase is not None]
    return {job.metadata.name: job for job in made}


def of(
    *phases: str | None, departing: Mapping[str, Outcome] | None = None, **changes: Any
) -> ChaosRunStatus:
    """The status of a run whose jobs have these phases."""
    run = a_run(len(phases), **changes)
    return status_of(run, jobs_of(*phases), departing or {}, NOW)


@pytest.mark.parametrize(
    ("phases", "refused", "phase"),
    [
        ((None, None), [], "Pending"),
        (("Pending", None), [], "Pending"),
        (("Pending", "Pending"), ONE_REFUSED, "Pending"),
        (("Running", "Pending"), [], "Running"),
        (("Succeeded", None), [], "Running"),
        (("Failed", "Pending"), [], "Pending"),
        (("Stopped", None), ONE_REFUSED, "Pending"),
        (("Succeeded", "Succeeded"), [], "Succeeded"),
        (("Succeeded", "Succeeded"), ONE_REFUSED, "PartiallyFailed"),
        (("Succeeded", "Failed"), [], "PartiallyFailed"),
        (("Failed", "Failed"), [], "Failed"),
        (("Failed", "Failed"), ONE_REFUSED, "Failed"),
        (("Succeeded", "Stopped"), [], "Stopped"),
        (("Failed", "Stopped"), [], "Stopped"),
    ],
)
def test_the_phase_of_a_run(
    phases: tuple[str | None, ...], refused: list[RefusedTarget], phase: str
) -> None:
    assert of(*phases, refused=refused).phase == phase


@pytest.mark.parametrize("phase", ["Failed", "Stopped"])
def test_a_run_runs_from_the_first_start_on(phase: str) -> None:
    """A job that ends before its start is no start of the run; one that ran and has ended is."""
    ended, waiting = a_job_of(0, phase, start_time=ago(5)), a_job_of(1)
    status = status_of(a_run(2), {job_id(0): ended, job_id(1): waiting}, {}, NOW)
    assert (status.phase, status.start_time) == ("Running", ago(5))


def test_every_target_counts_once() -> None:
    counts = of(*PHASES, None, refused=ONE_REFUSED).counts
    assert counts == Counts(
        total=7, pending=2, running=1, succeeded=1, failed=1, stopped=1, refused=1
    )


def test_a_run_that_has_begun_does_not_go_back() -> None:
    """The job that ran may be one that the cache does not have."""
    began = ChaosRunStatus(phase="Running", start_time=ago(5))
    assert of("Pending", None, status=began).phase == "Running"


def test_the_times_of_a_run_are_those_of_its_first_and_last_job() -> None:
    jobs = [
        a_job_of(0, "Succeeded", start_time=ago(50), completion_time=ago(20)),
        a_job_of(1, "Failed", start_time=ago(40), completion_time=ago(10)),
    ]
    status = status_of(a_run(2), {job.metadata.name: job for job in jobs}, {}, NOW)
    assert (status.start_time, status.completion_time) == (ago(50), ago(10))
    later = status_of(a_run(2, status=status), {}, {job_id(0): "succeeded"}, NOW)
    assert (later.start_time, later.completion_time) == (ago(50), ago(10)), "as they were"


@pytest.mark.parametrize("outcome", ["succeeded", "failed", "stopped", "refused"])
def test_a_job_that_goes_counts_as_before(outcome: Outcome) -> None:
    status = of("Succeeded", None, departing={job_id(1): outcome})
    counts = msgspec.structs.asdict(status.counts or Counts())
    others = {"total": 2, "pending": 0, "running": 0, "failed": 0, "stopped": 0, "refused": 0}
    assert counts == others | {"succeeded": 1} | {outcome: 1 + (outcome == "succeeded")}
    assert status.departed == [job_id(1)]
    assert status.departed_counts == DepartedCounts(**{outcome: 1})
    # The next time it is in the status, and no more told of; or still there, as it goes.
    run = a_run(2, status=status)
    for there in (("Succeeded",), ("Succeeded", "Failed")):
        assert status_of(run, jobs_of(*there), {}, NOW) == status
    assert status_of(run, jobs_of("Succeeded"), {job_id(1): "failed"}, NOW) == status


COUNTED = ChaosRunStatus(
    phase="Running", counts=Counts(total=4, succeeded=1, failed=1, stopped=1, pending=1)
)


def test_a_job_that_is_missing_keeps_the_outcome_that_was_counted() -> None:
    """Until it is looked up; it may have gone while no controller was there."""
    counts = of(None, None, None, "Pending", status=COUNTED).counts
    assert counts == COUNTED.counts
    counts = of("Succeeded", None, None, "Running", status=COUNTED).counts
    assert counts == Counts(total=4, succeeded=1, failed=1, stopped=1, running=1)


@pytest.mark.parametrize("seen", ["Pending", "Running"])
def test_a_job_that_is_seen_as_it_was_before_its_end_keeps_its_outcome(seen: str) -> None:
    """As a leader sees it whose watch is behind what the one before has counted."""
    counts = of(seen, seen, seen, "Running", status=COUNTED).counts
    assert counts == Counts(total=4, succeeded=1, failed=1, stopped=1, running=1)


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        ((None, None, None, "Pending"), DepartedCounts(succeeded=1, failed=1, stopped=1)),
        ((None, None, "Succeeded", "Pending"), DepartedCounts(failed=1, stopped=1)),
        ((None, None, None, None), DepartedCounts(succeeded=1, failed=2, stopped=1)),
        ((None, "Failed", "Stopped", "Succeeded"), DepartedCounts(failed=1)),
    ],
)
def test_an_outcome_that_nobody_saw(
    phases: tuple[str | None, ...], expected: DepartedCounts
) -> None:
    """It is one that the status has counted and that no job has now; else the job failed."""
    unseen: dict[str, Outcome] = {
        job_id(n): "unknown" for n, phase in enumerate(phases) if phase is None
    }
    status = of(*phases, departing=unseen, status=COUNTED)
    assert status.departed_counts == expected
    before, after = COUNTED.counts, status.counts
    assert before is not None
    assert after is not None
    assert after.succeeded >= before.succeeded
    assert after.failed >= before.failed
    assert after.stopped >= before.stopped


def test_what_is_left_out_of_a_status_is_written_too() -> None:
    written = as_patch(ChaosRunStatus(counts=Counts(total=1)))
    assert written["counts"]["failed"] == 0
    assert written["departed"] == []
    assert written["startTime"] is None


@given(st.lists(st.lists(st.sampled_from((*PHASES, "gone")), min_size=4, max_size=4), max_size=6))
def test_counts_of_what_is_final_never_fall(moments: list[list[str]]) -> None:
    """Whatever the order in which jobs end, go and are seen."""
    lives = [list(life) for life in zip(*moments, strict=True)] or [[]] * 4
    lives = [_possible(life) for life in lives]
    run: ChaosRun = a_run(4)
    before = Counts(total=4, pending=4)
    for moment in itertools.zip_longest(*lives):
        phases = [None if phase in (None, "gone") else phase for phase in moment]
        departing: dict[str, Outcome] = {
            job_id(n): "unknown" for n, phase in enumerate(moment) if phase == "gone"
        }
        status = status_of(run, jobs_of(*phases), departing, NOW)
        counts = status.counts
        assert counts is not None
        parts = msgspec.structs.asdict(counts)
        assert parts.pop("total") == sum(parts.values()) == 4
        if status.is_final:
            assert counts.pending == counts.running == 0
        for kind in ("succeeded", "failed", "stopped"):
            assert getattr(counts, kind) >= getattr(before, kind)
        assert not run.status.is_final or status.phase == run.status.phase
        run = msgspec.structs.replace(run, status=status)
        before = counts


def _possible(life: list[str]) -> list[str]:
    """The phases in the only order in which they can come, a final one to the end or to gone."""
    order = sorted(life, key=("Pending", "Running", *FINAL, "gone").index)
    final = next((phase for phase in order if phase in FINAL), "")
    return [final if phase in FINAL else phase for phase in order]
