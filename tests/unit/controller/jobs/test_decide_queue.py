"""What is done about a job whose target runs as many jobs as it may."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from controller.jobs import deadlines, statuses
from controller.jobs.decide import decide
from controller.jobs.model import (
    CreatePod,
    DeleteSecrets,
    Observed,
    SetStatus,
    Turn,
    Ungate,
)
from controller.reason import Reason
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus
from krkn_grpc.resources.meta import Condition, find_condition
from tests.unit.controller.jobs.builders import (
    A_POD,
    LIMITS,
    NOW,
    PREDECESSOR,
    PodBuilder,
    a_credential,
    a_job,
    a_target,
    ago,
    finished,
    named,
    seen,
    with_status,
)

BUSY, FREE = Turn(2, has_come=False), Turn(2, has_come=True)
WHY = Reason("TargetBusy", "The target's limit of 2 at once is taken by jobs that came before.")


def looked(job: ChaosJob, turn: Turn | None, pod: PodBuilder | None = None) -> Observed:
    found = seen(job, pod, target=a_target(), credential=a_credential())
    return replace(found, turn=turn)


def queued(job: ChaosJob, seconds: float = 60) -> ChaosJob:
    """It waits since so long."""
    return with_status(job, **_fields(statuses.queued(job, WHY, ago(seconds))))


def after_the_queue(job: ChaosJob, seconds: float) -> ChaosJob:
    """Its turn came so long ago."""
    return with_status(job, **_fields(statuses.turn_came(queued(job), ago(seconds))))


def _fields(status: ChaosJobStatus) -> dict[str, Any]:
    return {name: getattr(status, name) for name in status.__struct_fields__}


def status_of(found: Observed) -> ChaosJobStatus:
    [status] = [each.status for each in decide(found).actions if isinstance(each, SetStatus)]
    return status


def queue_of(status: ChaosJobStatus) -> Condition | None:
    return find_condition(status.conditions, "Queued")


@pytest.mark.parametrize(
    ("found", "actions"),
    [
        pytest.param(looked(a_job(), None), [CreatePod], id="no limit"),
        pytest.param(looked(a_job(), FREE), [CreatePod], id="its turn"),
        pytest.param(looked(a_job(), BUSY), [SetStatus], id="not its turn"),
        pytest.param(looked(queued(a_job()), BUSY), [], id="it waits already"),
        pytest.param(looked(queued(a_job()), FREE), [CreatePod], id="its turn has come"),
        pytest.param(looked(queued(a_job()), None), [CreatePod], id="the limit has gone"),
        pytest.param(looked(after_the_queue(a_job(), 1), FREE), [CreatePod], id="after the queue"),
        pytest.param(looked(a_job(), BUSY, A_POD), [SetStatus], id="a gated pod waits, too"),
        pytest.param(looked(queued(a_job()), BUSY, A_POD), [], id="and goes on waiting"),
        pytest.param(looked(a_job(), FREE, A_POD), [SetStatus], id="a gated pod is named"),
        pytest.param(
            looked(named(a_job()), None, A_POD), [Ungate], id="what is named has had its turn"
        ),
        pytest.param(
            looked(a_job(on_busy="Refuse"), BUSY), [SetStatus, DeleteSecrets], id="refused"
        ),
        pytest.param(looked(a_job(on_busy="Refuse"), FREE), [CreatePod], id="not refused"),
        pytest.param(
            looked(queued(a_job(stop=True)), BUSY), [SetStatus, DeleteSecrets], id="stopped"
        ),
        pytest.param(looked(finished(a_job()), BUSY), [], id="final"),
    ],
)
def test_what_is_done(found: Observed, actions: list[type]) -> None:
    assert [type(action) for action in decide(found).actions] == actions


def test_what_is_said_while_it_waits() -> None:
    status = status_of(looked(a_job(), BUSY))
    assert (status.phase, status.reason, status.message) == ("Pending", WHY.reason, WHY.message)
    condition = queue_of(status)
    assert condition is not None
    assert (condition.status, condition.reason) == ("True", "TargetBusy")
    assert condition.last_transition_time == NOW


@pytest.mark.parametrize(
    ("found", "is_named"),
    [
        pytest.param(looked(queued(a_job()), FREE, A_POD), True, id="with the name of its pod"),
        pytest.param(
            replace(looked(queued(a_job()), FREE), credential=None), False, id="nothing can start"
        ),
        pytest.param(looked(queued(a_job()), FREE, PREDECESSOR), False, id="a pod in its way"),
        pytest.param(looked(queued(a_job()), FREE, A_POD.deleted(5)), False, id="its pod is going"),
    ],
)
def test_what_is_said_when_its_turn_comes(found: Observed, is_named: bool) -> None:
    """At the latest when something hinders the start: the start deadline counts from then on."""
    [action] = decide(found).actions
    assert isinstance(action, SetStatus)
    status = action.status
    assert (status.phase, status.reason, status.message) == ("Pending", "", "")
    assert bool(status.pod_uid) is is_named
    condition = queue_of(status)
    assert condition is not None
    assert (condition.status, condition.last_transition_time) == ("False", NOW)


def test_a_pod_that_cannot_be_made_now_does_not_hold_the_turn() -> None:
    status = statuses.delayed(queued(a_job(), 60), Reason("QuotaExceeded", "full"), NOW)
    condition = queue_of(status)
    assert condition is not None
    assert (status.reason, condition.status) == ("QuotaExceeded", "False")
    assert statuses.delayed(a_job(), Reason("QuotaExceeded", "full"), NOW).conditions == []


def test_what_is_said_when_it_is_refused() -> None:
    status = status_of(looked(a_job(on_busy="Refuse"), BUSY))
    assert (status.phase, status.reason, status.message) == ("Failed", WHY.reason, WHY.message)
    assert queue_of(status) is None


@pytest.mark.parametrize(
    ("job", "start_deadline"),
    [
        pytest.param(a_job(age=10), ago(-290), id="a job that never waited: from its creation"),
        pytest.param(
            queued(a_job(age=1000, queue_seconds=5000)), ago(-4000), id="in the queue: that alone"
        ),
        pytest.param(
            after_the_queue(a_job(age=1000, queue_seconds=1), 10), ago(-290), id="from its turn on"
        ),
    ],
)
def test_the_deadline_for_the_start(job: ChaosJob, start_deadline: datetime) -> None:
    assert deadlines.start(job, LIMITS, NOW) == start_deadline
    assert deadlines.next_of(job, LIMITS, NOW) == start_deadline


@pytest.mark.parametrize("turn", [BUSY, FREE, None])
def test_the_time_in_the_queue_is_over(turn: Turn | None) -> None:
    job = queued(a_job(age=600, queue_seconds=600))
    status = status_of(looked(job, turn))
    assert (status.phase, status.reason) == ("Failed", "QueueTimeout")
    assert status.message == "It was not the job's turn within 600 seconds."
    assert queue_of(status) is None


def test_the_start_deadline_does_not_count_in_the_queue() -> None:
    assert decide(looked(queued(a_job(age=10_000)), BUSY)).actions == ()
    late = status_of(looked(a_job(age=10_000), BUSY))
    assert (late.phase, late.reason) == ("Failed", "StartDeadlineExceeded")


def test_the_start_deadline_counts_from_its_turn() -> None:
    late = status_of(looked(after_the_queue(a_job(age=10_000), 300), FREE))
    assert (late.phase, late.reason) == ("Failed", "StartDeadlineExceeded")
    condition = queue_of(late)
    assert condition is not None
    assert condition.status == "False", "how long it waited stays to be seen"


def test_it_looks_again_when_the_time_is_over() -> None:
    assert decide(looked(queued(a_job(age=100, queue_seconds=600)), BUSY)).again_in == 500


def test_without_time_to_wait_it_fails_at_the_next_look() -> None:
    job = a_job(age=0, queue_seconds=0)
    status = status_of(looked(job, BUSY))
    assert (status.phase, status.reason) == ("Pending", "TargetBusy")
    late = status_of(looked(with_status(job, **_fields(status)), BUSY))
    assert (late.phase, late.reason) == ("Failed", "QueueTimeout")
