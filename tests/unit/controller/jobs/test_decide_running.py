"""When a job is told to run: at once, or a moment later while others are to be started."""

import pytest

from controller.jobs.decide import decide
from controller.jobs.model import DeletePod, SetStatus
from tests.unit.controller.jobs.builders import A_POD, a_job, named, running, seen


@pytest.mark.parametrize("seconds", [0, 1])
def test_it_may_wait_for_a_moment(seconds: float) -> None:
    decision = decide(seen(named(a_job()), A_POD.running(seconds)))
    [told] = decision.actions
    assert isinstance(told, SetStatus)
    assert told.status.phase == "Running"
    assert decision.may_wait == 0.5


@pytest.mark.parametrize("seconds", [2, 60, -1, -3_600])
def test_but_not_for_longer_whatever_the_clocks_say(seconds: float) -> None:
    decision = decide(seen(named(a_job(age=600)), A_POD.running(seconds)))
    assert [type(action) for action in decision.actions] == [SetStatus]
    assert decision.may_wait is None


def test_one_that_was_told_waits_for_its_deadline_alone() -> None:
    assert decide(seen(running(a_job(), 1), A_POD.running(1))).may_wait is None


def test_a_stop_does_not_wait() -> None:
    decision = decide(seen(named(a_job(stop=True)), A_POD.running(0)))
    assert [type(action) for action in decision.actions] == [DeletePod]
    assert decision.may_wait is None


def test_an_end_does_not_wait_and_needs_no_word_of_the_start() -> None:
    decision = decide(seen(named(a_job()), A_POD.ended(0)))
    [status] = [action.status for action in decision.actions if isinstance(action, SetStatus)]
    assert status.phase == "Succeeded"
    assert status.start_time is not None
    assert decision.may_wait is None


def test_a_deadline_does_not_wait() -> None:
    late = decide(seen(running(a_job(age=60, timeout_seconds=1), 9), A_POD.running(9)))
    assert late.actions
    assert late.may_wait is None
