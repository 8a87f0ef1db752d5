"""Decisions are right whatever the clocks of nodes, of the API server and of ours say."""

from datetime import timedelta

import pytest

from controller.jobs import deadlines, statuses
from controller.jobs.decide import decide
from controller.jobs.model import DeletePod, SetStatus
from krkn_grpc.resources.chaos_job import ChaosJob
from tests.unit.controller.jobs.builders import (
    A_POD,
    LIMITS,
    NOW,
    PodBuilder,
    a_job,
    a_target,
    ago,
    finished,
    named,
    running,
    seen,
    with_status,
)

# By how much a node's clock is behind the API server's, in seconds; negative when ahead.
SKEWS = [0, 1, 60, 3_600, 86_400, -1, -60, -3_600, -86_400]
any_skew = pytest.mark.parametrize("behind", SKEWS)
TARGET = a_target()
LASTS = a_job(age=9_999, timeout_seconds=600)


def told(pod: PodBuilder) -> ChaosJob:
    """The job after it was told of its start, which was seen now."""
    [change] = decide(seen(named(a_job(timeout_seconds=600)), pod, target=TARGET)).actions
    assert isinstance(change, SetStatus)
    return with_status(named(a_job(timeout_seconds=600)), conditions=change.status.conditions)


@any_skew
def test_a_scenario_has_its_whole_time_on_every_node(behind: float) -> None:
    just_started = A_POD.running(behind)
    assert deadlines.run(told(just_started), just_started.build(), NOW) == NOW + timedelta(
        seconds=605
    )
    for lasted, is_over in ((604, False), (605, True)):
        job = running(a_job(age=9_999, timeout_seconds=600), lasted, by_node=lasted + behind)
        actions = decide(seen(job, A_POD.running(lasted + behind), target=TARGET)).actions
        assert bool(actions) == is_over, actions


@any_skew
def test_a_pod_has_its_time_to_settle(behind: float) -> None:
    """Its scenario ran for 30 seconds, and has ended so long ago."""
    for ago_, is_over in ((9, False), (10, True)):
        job = running(a_job(age=9_999), 30 + ago_, by_node=30 + ago_ + behind)
        pod = A_POD.ended(0, at=ago_ + behind, lasted=30).with_status(phase="Running")
        actions = decide(seen(job, pod, target=TARGET)).actions
        assert [type(each) for each in actions] == ([DeletePod] if is_over else [])


@any_skew
def test_the_end_of_a_scenario_that_was_never_seen_to_run(behind: float) -> None:
    """The controller was away for an hour: the pod is given ten seconds from now."""
    pod = A_POD.ended(0, at=behind, lasted=3_600).with_status(phase="Running")
    assert deadlines.settled(told(pod), pod.build(), NOW) == NOW + timedelta(seconds=10)


@any_skew
def test_a_finished_job_is_kept_for_its_time(behind: float) -> None:
    pod = A_POD.ended(0, at=behind)
    job = running(a_job(ttl_seconds_after_finished=60))
    status = statuses.of_pod(job, pod.build(), NOW)
    assert status.completion_time == ago(behind)
    ended = with_status(job, phase=status.phase, conditions=status.conditions)
    assert deadlines.kept_until(ended) == NOW + timedelta(seconds=60)


def test_a_job_that_an_earlier_version_finished_is_kept_for_its_time() -> None:
    job = finished(a_job(ttl_seconds_after_finished=60), age=20)
    assert deadlines.kept_until(job) == NOW + timedelta(seconds=40)


@pytest.mark.parametrize(
    ("code", "expected"),
    [(0, "Stopped"), (143, "Stopped"), (137, "Stopped"), (3, "Stopped")],
)
@any_skew
def test_what_a_stop_ended_was_stopped(behind: float, code: int, expected: str) -> None:
    """It was made 100 s ago, ran for 60 s, was stopped 30 s ago and ended a second later."""
    job = running(a_job(stop=True, age=100), 89, by_node=89 + behind)
    pod = A_POD.ended(code, at=29 + behind, lasted=60).made(100).deleted(30)
    assert statuses.of_pod(job, pod.build(), NOW).phase == expected


@pytest.mark.parametrize(("code", "expected"), [(0, "Succeeded"), (3, "Failed")])
@any_skew
def test_what_ended_by_itself_before_a_stop_was_not_stopped(
    behind: float, code: int, expected: str
) -> None:
    """It was made 100 s ago, ran for 40 s, and was stopped 20 s after its end."""
    job = running(a_job(stop=True, age=100), 90, by_node=90 + behind)
    pod = A_POD.ended(code, at=50 + behind, lasted=40).made(100).deleted(30)
    assert statuses.of_pod(job, pod.build(), NOW).phase == expected


@pytest.mark.parametrize(
    ("job", "seconds"),
    [
        pytest.param(a_job(age=10), 290, id="waits"),
        pytest.param(named(a_job(age=10)), 290, id="has a pod"),
        pytest.param(running(a_job(age=100, timeout_seconds=600), 50), 555, id="runs"),
        pytest.param(
            running(a_job(age=100, timeout_seconds=600), 50, by_node=9_999),
            555,
            id="node is behind",
        ),
        pytest.param(finished(a_job()), None, id="has ended"),
    ],
)
def test_when_a_job_must_be_looked_at(job: ChaosJob, seconds: float | None) -> None:
    due = deadlines.next_of(job, LIMITS, NOW)
    assert due == (None if seconds is None else NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("job", "pod", "is_overdue"),
    [
        pytest.param(running(LASTS, 674), A_POD.running(674), False, id="may still roll back"),
        pytest.param(running(LASTS, 676), A_POD.running(676), True, id="runs too long"),
        pytest.param(running(LASTS, 676), None, True, id="its pod is gone"),
        pytest.param(
            running(LASTS, 50, by_node=9_999), A_POD.running(9_999), False, id="node is behind"
        ),
        pytest.param(running(LASTS, 90), A_POD.running(90).deleted(69), False, id="stops"),
        pytest.param(running(LASTS, 90), A_POD.running(90).deleted(71), True, id="stays"),
        pytest.param(finished(running(LASTS, 9_999)), None, False, id="has ended"),
        pytest.param(named(LASTS), A_POD, False, id="never ran"),
    ],
)
def test_a_job_that_runs_longer_than_it_may(
    job: ChaosJob, pod: PodBuilder | None, is_overdue: bool
) -> None:
    built = None if pod is None else pod.build()
    assert deadlines.is_overdue(job, built, 60, NOW) == is_overdue
