"""What is counted of a job: its start and its end, once, and its phase while it is there."""

import re

import pytest

from controller.jobs import conditions, counting
from controller.reason import Reason
from deploy.local.services import REPOSITORY
from krkn_grpc.kube.informer import CacheChange
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.telemetry import metrics
from tests.unit.controller.jobs.builders import a_job, ago, with_status


class Counted:
    """How much a metric has grown since the last look."""

    def __init__(self) -> None:
        self._before = self._now()

    def _now(self) -> dict[tuple[str, tuple[str, ...]], float]:
        return {
            (sample.name, tuple(sample.labels.values())): sample.value
            for family in metrics.CONTROLLER.collect()
            for sample in family.samples
            if sample.name.startswith("krkn_job") and "_bucket" not in sample.name
        }

    def grown(self) -> dict[tuple[str, tuple[str, ...]], float]:
        now = self._now()
        grown = {key: value - self._before.get(key, 0.0) for key, value in now.items()}
        self._before = now
        return {key: by for key, by in grown.items() if by}


PENDING = a_job(age=20)
WAIT = Reason("TargetBusy", "")
RUNNING = with_status(PENDING, phase="Running", start_time=ago(15))


def ended(phase: str, reason: str) -> ChaosJob:
    return with_status(RUNNING, phase=phase, reason=reason, completion_time=ago(5))


def test_a_start_is_counted_once() -> None:
    counted = Counted()
    counting.written(PENDING, with_status(PENDING, reason="Unschedulable"))
    assert counted.grown() == {}
    counting.written(PENDING, RUNNING)
    delay = "krkn_job_start_delay_seconds"
    assert counted.grown() == {(f"{delay}_count", ()): 1, (f"{delay}_sum", ()): 5}
    counting.written(RUNNING, with_status(RUNNING, message="still"))
    assert counted.grown() == {}


def test_an_end_is_counted_once() -> None:
    counted, over = Counted(), ended("Failed", "ScenarioFailed")
    counting.written(RUNNING, over)
    assert counted.grown() == {
        ("krkn_jobs_finished_total", ("Failed", "ScenarioFailed")): 1,
        ("krkn_job_duration_seconds_count", ("Failed",)): 1,
        ("krkn_job_duration_seconds_sum", ("Failed",)): 10,
    }
    counting.written(over, over)
    assert counted.grown() == {}


def test_a_job_that_never_ran_has_no_duration() -> None:
    counted = Counted()
    over = with_status(PENDING, phase="Failed", reason="TargetDeleted", completion_time=ago(5))
    counting.written(PENDING, over)
    assert counted.grown() == {("krkn_jobs_finished_total", ("Failed", "TargetDeleted")): 1}


@pytest.mark.parametrize("reason", sorted(counting.AT_RISK))
def test_a_scenario_that_may_still_run_is_counted(reason: str) -> None:
    counted = Counted()
    counting.written(RUNNING, ended("Failed", reason))
    assert counted.grown()["krkn_jobs_at_risk_total", (reason,)] == 1


def test_a_reason_of_a_nodes_own_is_no_label() -> None:
    counted = Counted()
    counting.written(RUNNING, ended("Failed", "canary: of a node"))
    assert counted.grown()["krkn_jobs_finished_total", ("Failed", "Other")] == 1


def test_jobs_are_counted_by_phase_as_long_as_they_are_there() -> None:
    counted, over = Counted(), ended("Succeeded", "Completed")
    counting.changed(CacheChange(None, PENDING, 1, is_whole=True))
    assert counted.grown() == {("krkn_jobs", ("Pending",)): 1, ("krkn_jobs_pending", ("",)): 1}
    counting.changed(CacheChange(PENDING, over, 2, is_whole=True))
    assert counted.grown() == {
        ("krkn_jobs", ("Pending",)): -1,
        ("krkn_jobs", ("Succeeded",)): 1,
        ("krkn_jobs_pending", ("",)): -1,
    }
    counting.changed(CacheChange(over, None, 3, is_whole=True))
    assert counted.grown() == {("krkn_jobs", ("Succeeded",)): -1}


def test_waiting_jobs_are_counted_by_what_they_wait_for() -> None:
    counted, pending = Counted(), "krkn_jobs_pending"
    busy = with_status(PENDING, reason="TargetBusy")
    odd = with_status(PENDING, reason="canary: of a scheduler")
    counting.changed(CacheChange(None, busy, 1, is_whole=True))
    counting.changed(CacheChange(busy, odd, 2, is_whole=True))
    assert counted.grown() == {("krkn_jobs", ("Pending",)): 1, (pending, ("Other",)): 1}
    counting.changed(CacheChange(odd, None, 3, is_whole=True))
    counted.grown()
    assert metrics.JOBS_PENDING.labels("TargetBusy")._value.get() == 0


def test_the_start_of_a_job_that_has_waited_counts_from_its_turn() -> None:
    waited = with_status(PENDING, conditions=conditions.with_queue(PENDING, WAIT, ago(19)))
    turn = with_status(waited, conditions=conditions.with_turn(waited, ago(17)))
    counted = Counted()
    counting.written(turn, with_status(turn, phase="Running", start_time=ago(15)))
    assert counted.grown()["krkn_job_start_delay_seconds_sum", ()] == 2


def test_every_reason_in_the_code_is_known() -> None:
    folders = ("controller/jobs", "controller/runs")
    code = "\n".join(
        file.read_text()
        for folder in folders
        for file in sorted((REPOSITORY / folder).glob("*.py"))
        if file.name != "counting.py"
    )
    given = set(re.findall(r'Reason\(\s*"(\w+)"', code))
    # These are reasons of a condition, and never of a job.
    assert given - counting.REASONS == {"ContainerStarted", "TurnCame"}
