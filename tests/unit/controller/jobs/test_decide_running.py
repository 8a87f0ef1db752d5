"""When a job is told to run: at once, or a moment later while others are to be started."""

from dataclasses import replace

import pytest

from controller.jobs.decide import decide
from controller.jobs.model import DeletePod, Observed, SetStatus
from tests.unit.controller.builders import A_POD, a_job, named, running, seen


def among_others(looked: Observed) -> Observed:
    return replace(looked, is_crowded=True)


def test_one_that_is_alone_is_told_at_once() -> None:
    [told] = decide(seen(named(a_job()), A_POD.running(0))).actions
    assert isinstance(told, SetStatus)
    assert told.status.phase == "Running"


@pytest.mark.parametrize("seconds", [0, 1])
def test_others_go_first_for_a_moment(seconds: float) -> None:
    decision = decide(among_others(seen(named(a_job()), A_POD.running(seconds))))
    assert (decision.actions, decision.again_in) == ((), 0.5)


@pytest.mark.parametrize("seconds", [2, 60, -1, -3_600])
def test_but_not_for_longer_whatever_the_clocks_say(seconds: float) -> None:
    decision = decide(among_others(seen(named(a_job(age=600)), A_POD.running(seconds))))
    assert [type(action) for action in decision.actions] == [SetStatus]


def test_one_that_was_told_waits_for_its_deadline_alone() -> None:
    told = seen(running(a_job(), 1), A_POD.running(1))
    assert decide(among_others(told)) == decide(told)


def test_a_stop_does_not_wait() -> None:
    decision = decide(among_others(seen(named(a_job(stop=True)), A_POD.running(0))))
    assert [type(action) for action in decision.actions] == [DeletePod]


def test_an_end_does_not_wait_and_needs_no_word_of_the_start() -> None:
    decision = decide(among_others(seen(named(a_job()), A_POD.ended(0))))
    [status] = [action.status for action in decision.actions if isinstance(action, SetStatus)]
    assert status.phase == "Succeeded"
    assert status.start_time is not None


def test_a_deadline_does_not_wait() -> None:
    late = seen(running(a_job(age=60, timeout_seconds=1), 9), A_POD.running(9))
    assert decide(among_others(late)).actions == decide(late).actions != ()
