"""Which writes to a job's status have an Event, and which of those may be dropped."""

import pytest

from controller.jobs import statuses
from controller.jobs.events import event_for, step_for, stop_for
from controller.reason import Reason
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Event
from tests.unit.controller.jobs.builders import (
    NOW,
    a_job,
    finished,
    named,
    running,
    with_status,
)

NAMED = named(a_job())
RUNNING = running(a_job())


def to_be_ended(job: ChaosJob, reason: str) -> ChaosJob:
    """The job once the controller has written why it is about to end the pod."""
    status = statuses.ending(job, Reason(reason, "Because."), NOW)
    return with_status(
        job, reason=status.reason, message=status.message, conditions=status.conditions
    )


def told(event: Event | None) -> tuple[str, str, str] | None:
    return None if event is None else (event.type, event.action, event.reason)


@pytest.mark.parametrize(
    ("before", "after", "kept", "dropped"),
    [
        pytest.param(a_job(), NAMED, None, None, id="named"),
        pytest.param(NAMED, RUNNING, None, ("Normal", "Running", "Started"), id="starts"),
        pytest.param(RUNNING, with_status(RUNNING, message="still"), None, None, id="runs"),
        pytest.param(
            RUNNING,
            to_be_ended(RUNNING, "Halted"),
            None,
            ("Normal", "Stopping", "Halted"),
            id="is halted",
        ),
        pytest.param(
            NAMED,
            to_be_ended(NAMED, "StartDeadlineExceeded"),
            None,
            ("Warning", "Stopping", "StartDeadlineExceeded"),
            id="is too late",
        ),
        pytest.param(
            NAMED,
            with_status(NAMED, reason="ErrImagePull"),
            ("Warning", "Pending", "ErrImagePull"),
            None,
            id="has a problem",
        ),
        pytest.param(
            to_be_ended(RUNNING, "Halted"),
            finished(with_status(to_be_ended(RUNNING, "Halted")), "Stopped"),
            ("Normal", "Stopped", "Halted"),
            None,
            id="has been halted",
        ),
        pytest.param(
            NAMED,
            with_status(finished(RUNNING, "Failed"), reason="ScenarioFailed"),
            ("Warning", "Failed", "ScenarioFailed"),
            None,
            id="ended before its start was seen",
        ),
    ],
)
def test_a_write_has_at_most_one_event(
    before: ChaosJob,
    after: ChaosJob,
    kept: tuple[str, str, str] | None,
    dropped: tuple[str, str, str] | None,
) -> None:
    assert told(event_for(before, after, NOW)) == kept
    assert told(step_for(before, after, NOW)) == dropped


def test_a_stop_is_told_while_it_is_under_way() -> None:
    stopping = with_status(a_job(stop=True), phase="Running")
    assert told(stop_for(stopping, NOW)) == ("Normal", "Stopping", "StopRequested")
    assert stop_for(RUNNING, NOW) is None
    assert stop_for(finished(stopping, "Stopped"), NOW) is None
