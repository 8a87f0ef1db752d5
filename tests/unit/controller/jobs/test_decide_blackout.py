"""What is done about a job whose target has a blackout, or of which that is not known."""

from dataclasses import replace
from typing import Any

import pytest

from controller.blackouts.timetable import InForce
from controller.jobs import statuses
from controller.jobs.decide import decide
from controller.jobs.model import (
    Action,
    Claim,
    CreatePod,
    DeletePod,
    DeleteSecrets,
    Observed,
    SetStatus,
    Turn,
    Ungate,
)
from controller.reason import Reason
from controller.runs.model import RunState
from krkn_grpc.resources.chaos_job import ENDING, ChaosJob, ChaosJobStatus
from krkn_grpc.resources.meta import find_condition
from tests.unit.controller.jobs.builders import (
    A_POD,
    NOW,
    UNDEAD,
    PodBuilder,
    a_blackout,
    a_credential,
    a_halt,
    a_job,
    a_target,
    ago,
    ending,
    finished,
    named,
    running,
    seen,
    with_status,
)

UNTIL = ago(-1800)
IN_FORCE = InForce(a_blackout(), UNTIL)
STOPPING = InForce(a_blackout("stopping", stop_running=True), UNTIL)
BAD = InForce(a_blackout("bad", schedule="often", stop_running=True), None)
DARK: dict[str, Any] = {"blackouts": (IN_FORCE,)}
STOP: dict[str, Any] = {"blackouts": (IN_FORCE, STOPPING)}
UNKNOWN: dict[str, Any] = {"are_blackouts_known": False}
REASON = "Blackout a-blackout is in force until 2026-03-01T12:30:00Z."
STOPPED = "Stopped by blackout stopping."


def looked(
    job: ChaosJob, pod: PodBuilder | None = None, turn: Turn | None = None, **more: Any
) -> Observed:
    found = seen(job, pod, target=a_target(), credential=a_credential(), **more)
    return replace(found, turn=turn)


def queued(job: ChaosJob) -> ChaosJob:
    return with_status(job, **_fields(statuses.queued(job, Reason("Blackout", REASON), ago(60))))


def after_the_queue(job: ChaosJob, seconds: float = 1) -> ChaosJob:
    return with_status(job, **_fields(statuses.turn_came(queued(job), ago(seconds))))


def _fields(status: ChaosJobStatus) -> dict[str, Any]:
    return {name: getattr(status, name) for name in status.__struct_fields__}


def kinds(found: Observed) -> list[type[Action]]:
    return [type(action) for action in decide(found).actions]


def status_of(found: Observed) -> ChaosJobStatus:
    [status] = [each.status for each in decide(found).actions if isinstance(each, SetStatus)]
    return status


NAMED, RUNNING = named(a_job()), running(a_job())
LATE = running(a_job(timeout_seconds=1), 100)
BUSY = Turn(2, has_come=False)


@pytest.mark.parametrize(
    ("found", "actions"),
    [
        pytest.param(looked(a_job(), **DARK), [SetStatus], id="new job"),
        pytest.param(looked(queued(a_job()), **DARK), [], id="it waits already"),
        pytest.param(looked(queued(a_job())), [CreatePod], id="it is over"),
        pytest.param(looked(after_the_queue(a_job())), [CreatePod], id="after that it starts"),
        pytest.param(looked(after_the_queue(a_job()), **DARK), [SetStatus], id="and then again"),
        pytest.param(looked(a_job(), A_POD, **DARK), [SetStatus], id="gated pod, not named"),
        pytest.param(looked(queued(a_job()), A_POD, **DARK), [DeletePod], id="it is not kept"),
        pytest.param(
            looked(queued(a_job()), A_POD.deleted(1, 0), **DARK), [], id="it is going already"
        ),
        pytest.param(looked(NAMED, A_POD, **DARK), [SetStatus], id="gated pod, named"),
        pytest.param(looked(queued(NAMED), A_POD, **DARK), [], id="it is kept: there is no other"),
        pytest.param(looked(queued(NAMED), A_POD), [SetStatus], id="it is over for a named one"),
        pytest.param(looked(after_the_queue(NAMED), A_POD), [Ungate], id="then it is ungated"),
        pytest.param(looked(NAMED, A_POD.ungated(), **DARK), [], id="ungated before"),
        pytest.param(looked(RUNNING, A_POD.running(), **DARK), [], id="running"),
        pytest.param(looked(a_job(stop=True), **DARK), [SetStatus, DeleteSecrets], id="stop"),
        pytest.param(looked(a_job(), is_claimed=False, **DARK), [Claim], id="claim first"),
        pytest.param(looked(finished(a_job()), **DARK), [], id="final"),
        pytest.param(looked(a_job(), None, BUSY, **DARK), [SetStatus], id="busy, too"),
        pytest.param(
            looked(a_job(on_busy="Refuse"), None, BUSY, **DARK), [SetStatus], id="not refused"
        ),
        pytest.param(
            looked(queued(a_job(on_busy="Refuse")), None, BUSY),
            [SetStatus, DeleteSecrets],
            id="refused when it is over",
        ),
        pytest.param(looked(a_job(), None, blackouts=(BAD,)), [SetStatus], id="unreadable"),
        pytest.param(looked(RUNNING, A_POD.running(), blackouts=(BAD,)), [], id="it stops nothing"),
    ],
)
def test_what_is_done(found: Observed, actions: list[type]) -> None:
    assert kinds(found) == actions
    if found.blackouts:
        assert not {CreatePod, Ungate} & set(actions)


@pytest.mark.parametrize("turn", [None, BUSY], ids=["free", "busy"])
@pytest.mark.parametrize("job", [a_job(), NAMED], ids=["new", "named"])
def test_what_is_said_while_it_waits(job: ChaosJob, turn: Turn | None) -> None:
    pod = A_POD if job is NAMED else None
    status = status_of(looked(job, pod, turn, **DARK))
    assert (status.phase, status.reason, status.message) == ("Pending", "Blackout", REASON)
    condition = find_condition(status.conditions, "Queued")
    assert condition is not None
    assert (condition.status, condition.reason) == ("True", "Blackout")
    assert condition.last_transition_time == NOW


def test_the_one_that_lasts_longest_is_named() -> None:
    longer = InForce(a_blackout("longer"), ago(-3600))
    assert "longer" in status_of(looked(a_job(), blackouts=(IN_FORCE, longer))).message
    found = (longer, BAD, IN_FORCE)
    assert "bad" in status_of(looked(a_job(), blackouts=found)).message


def test_it_looks_again_when_it_ends_or_the_time_in_the_queue_is_over() -> None:
    assert decide(looked(queued(a_job(age=10)), **DARK)).again_in == 1800
    assert decide(looked(queued(a_job(age=10, queue_seconds=100)), **DARK)).again_in == 90
    assert decide(looked(queued(a_job(age=10)), blackouts=(BAD,))).again_in == 86_390


@pytest.mark.parametrize("job", [a_job(age=600, queue_seconds=600)], ids=["late"])
@pytest.mark.parametrize("dark", [DARK, {}], ids=["dark", "over"])
def test_the_time_in_the_queue_is_over(job: ChaosJob, dark: dict[str, Any]) -> None:
    status = status_of(looked(queued(job), **dark))
    assert (status.phase, status.reason) == ("Failed", "QueueTimeout")
    late = status_of(looked(queued(named(job)), A_POD, **dark))
    assert (late.phase, late.reason) == ("Pending", "QueueTimeout"), "its pod goes first"
    condition = find_condition(late.conditions, ENDING)
    assert condition is not None
    assert condition.reason == "QueueTimeout"


def test_the_start_deadline_does_not_count_in_the_blackout() -> None:
    assert kinds(looked(queued(a_job(age=10_000)), **DARK)) == []
    assert kinds(looked(queued(named(a_job(age=10_000))), A_POD, **DARK)) == []
    assert kinds(looked(after_the_queue(named(a_job(age=10_000))), A_POD)) == [Ungate]
    late = status_of(looked(after_the_queue(a_job(age=10_000), 300)))
    assert late.reason == "StartDeadlineExceeded"


@pytest.mark.parametrize(
    ("job", "pod"),
    [
        pytest.param(NAMED, A_POD.ungated(), id="not yet on a node"),
        pytest.param(NAMED, A_POD.waiting("ErrImagePull"), id="waiting for its image"),
        pytest.param(NAMED, A_POD.running(), id="running, and nobody said so yet"),
        pytest.param(RUNNING, A_POD.running(), id="running"),
        pytest.param(RUNNING, UNDEAD, id="its scenario has ended, it has not"),
    ],
)
def test_what_runs_is_stopped_where_that_is_asked(job: ChaosJob, pod: PodBuilder) -> None:
    """The reason is written first: it outlives the pod and the blackout."""
    [action] = decide(looked(job, pod, **STOP)).actions
    assert isinstance(action, SetStatus)
    assert (action.status.reason, action.status.message) == ("Blackout", STOPPED)
    condition = find_condition(action.status.conditions, ENDING)
    assert condition is not None
    assert (condition.reason, condition.message) == ("Blackout", STOPPED)


def test_what_has_not_begun_is_not_stopped() -> None:
    assert status_of(looked(a_job(), **STOP)).phase == "Pending"
    gated = status_of(looked(NAMED, A_POD, **STOP))
    assert find_condition(gated.conditions, ENDING) is None


@pytest.mark.parametrize("after", [STOP, {}], ids=["while it lasts", "after it"])
@pytest.mark.parametrize(
    ("pod", "gone", "exit_code"),
    [
        pytest.param(A_POD.ended(143).deleted(5), None, 143, id="by the signal"),
        pytest.param(None, A_POD.ended(137).deleted(5), 137, id="pod is gone"),
        pytest.param(None, None, None, id="pod is gone, and nobody saw how"),
    ],
)
def test_what_was_begun_goes_on(
    pod: Any, gone: Any, exit_code: int | None, after: dict[str, Any]
) -> None:
    job = ending(RUNNING, "Blackout", STOPPED)
    assert kinds(looked(job, A_POD.running(), **after)) == [DeletePod]
    assert job.public_status == "Stopping"
    status = status_of(looked(job, pod, gone=gone, gone_for=120, **after))
    assert (status.phase, status.reason, status.message) == ("Stopped", "Blackout", STOPPED)
    assert status.exit_code == exit_code


@pytest.mark.parametrize(
    ("job", "pod", "outcome"),
    [
        pytest.param(RUNNING, A_POD.ended(0, at=9), ("Succeeded", "Completed"), id="it ended"),
        pytest.param(
            ending(RUNNING, "Blackout"),
            A_POD.ended(3, at=9),
            ("Failed", "HealthCheckFailed"),
            id="first",
        ),
        pytest.param(
            ending(RUNNING, "DeadlineExceeded"),
            A_POD.ended(143).deleted(5),
            ("Failed", "DeadlineExceeded"),
            id="it was ended for another reason before",
        ),
    ],
)
def test_another_end_stays_what_it_is(
    job: ChaosJob, pod: PodBuilder, outcome: tuple[str, str]
) -> None:
    status = status_of(looked(job, pod, **STOP))
    assert (status.phase, status.reason) == outcome


@pytest.mark.parametrize(
    ("job", "pod"),
    [
        pytest.param(ending(LATE, "DeadlineExceeded"), A_POD.running(100), id="being ended"),
        pytest.param(RUNNING, A_POD.running().deleted(5), id="deleted by someone"),
        pytest.param(running(a_job(stop=True)), A_POD.running(), id="being stopped"),
    ],
)
def test_what_ends_anyway_is_not_stopped_again(job: ChaosJob, pod: PodBuilder) -> None:
    assert SetStatus not in kinds(looked(job, pod, **STOP))


def test_a_halt_is_obeyed_in_a_blackout() -> None:
    halted: dict[str, Any] = {"halts": (a_halt(),)}
    status = status_of(looked(queued(a_job()), **DARK, **halted))
    assert (status.phase, status.reason) == ("Stopped", "Halted")
    assert status_of(looked(RUNNING, A_POD.running(), **STOP, **halted)).reason == "Halted"


NO_TURN, OVER = RunState(limit=1, has_turn=False), RunState(Reason("FailureThreshold", "Over."))


def of_a_run(found: Observed, run: RunState) -> Observed:
    return replace(found, run=run)


def test_a_blackout_comes_before_the_turn_in_the_run() -> None:
    dark = of_a_run(looked(a_job(), **DARK), NO_TURN)
    assert status_of(dark).reason == "Blackout"
    over = of_a_run(looked(queued(a_job())), NO_TURN)
    assert status_of(over).reason == "WaitingForTurn"
    is_named = of_a_run(looked(after_the_queue(NAMED), A_POD), NO_TURN)
    assert kinds(is_named) == [Ungate], "what is named has had its turn"


def test_a_run_that_is_over_ends_what_waits() -> None:
    status = status_of(of_a_run(looked(queued(a_job()), **DARK), OVER))
    assert (status.phase, status.reason) == ("Stopped", "FailureThreshold")
    is_named = status_of(of_a_run(looked(queued(NAMED), A_POD, **DARK), OVER))
    assert find_condition(is_named.conditions, ENDING) is not None


def test_a_target_that_is_gone_is_not_waited_for() -> None:
    status = status_of(seen(queued(a_job()), target=None, **DARK))
    assert (status.phase, status.reason) == ("Failed", "TargetDeleted")


@pytest.mark.parametrize(
    ("found", "actions"),
    [
        pytest.param(looked(a_job(), **UNKNOWN), [SetStatus], id="new job gets no pod"),
        pytest.param(looked(a_job(), A_POD, **UNKNOWN), [SetStatus], id="named: it cannot start"),
        pytest.param(looked(NAMED, A_POD, **UNKNOWN), [SetStatus], id="gated pod stays gated"),
        pytest.param(looked(RUNNING, A_POD.running(), **UNKNOWN), [], id="running job goes on"),
        pytest.param(looked(a_job(age=301), **UNKNOWN), [SetStatus, DeleteSecrets], id="late"),
        pytest.param(looked(queued(a_job()), **UNKNOWN), [SetStatus], id="one that waits"),
        pytest.param(
            looked(queued(a_job(age=10_000)), **UNKNOWN), [SetStatus], id="its turn has not come"
        ),
    ],
)
def test_nothing_starts_while_the_blackouts_are_not_known(
    found: Observed, actions: list[type[Action]]
) -> None:
    assert kinds(found) == actions


@pytest.mark.parametrize("job", [a_job(), queued(a_job())], ids=["new", "queued"])
def test_the_status_says_that_the_blackouts_are_not_known(job: ChaosJob) -> None:
    decision = decide(looked(job, **UNKNOWN))
    status = status_of(looked(job, **UNKNOWN))
    assert (status.phase, status.reason) == ("Pending", "BlackoutsUnknown")
    assert decision.again_in == 2
