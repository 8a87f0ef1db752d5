"""What is done about a job by what its run says: wait, end, go on."""

import pytest

from controller.jobs.decide import decide
from controller.jobs.model import (
    CreatePod,
    DeleteJob,
    DeletePod,
    DeleteSecrets,
    Depart,
    Observed,
    SetStatus,
    Ungate,
)
from controller.reason import Reason
from controller.runs.model import CREATED_TOO_LATE, RUN_DELETED, RunState
from krkn_grpc.resources.chaos_job import ENDING
from krkn_grpc.resources.meta import find_condition
from tests.unit.controller.jobs.builders import (
    A_POD,
    NOW,
    PREDECESSOR,
    PodBuilder,
    a_credential,
    a_halt,
    a_job,
    a_target,
    ending,
    finished,
    named,
    running,
    seen,
)

TARGET, CREDENTIAL = a_target(), a_credential()
STOPPED = Reason("StopRequested", "The run was stopped.")
THRESHOLD = Reason("FailureThreshold", "More than 0 jobs of the run have failed.")
GO = RunState()
WAIT = RunState(limit=3, has_turn=False)
STOP = RunState(STOPPED)
SPARING = RunState(THRESHOLD, spares="started")
GONE = RunState(RUN_DELETED, fails=True)
LATE = RunState(CREATED_TOO_LATE, spares="named", fails=True)
NAMED, RUNNING = named(a_job()), running(a_job())


def ready(run: RunState | None, **changes: object) -> Observed:
    """A job that has all that a pod needs."""
    return seen(a_job(**changes), target=TARGET, credential=CREDENTIAL, run=run)  # type: ignore[arg-type]


@pytest.mark.parametrize("run", [None, GO, RunState(limit=3)])
def test_a_job_starts_that_its_run_lets_start(run: RunState | None) -> None:
    [action] = decide(ready(run)).actions
    assert isinstance(action, CreatePod)


def test_a_job_waits_for_its_turn() -> None:
    decision = decide(ready(WAIT))
    [action] = decision.actions
    assert isinstance(action, SetStatus)
    told = (action.status.phase, action.status.reason, action.status.message)
    why = "The run's limit of 3 at once is taken by jobs that come before."
    assert told == ("Pending", "WaitingForTurn", why)
    queued = find_condition(action.status.conditions, "Queued")
    assert queued is not None
    assert (queued.status, queued.reason, queued.last_transition_time) == (
        "True",
        "WaitingForTurn",
        NOW,
    )
    assert decision.again_in == 86_400 - 10


@pytest.mark.parametrize(
    ("run", "phase", "reason"),
    [
        (STOP, "Stopped", "StopRequested"),
        (RunState(Reason("AbortCondition", "The alert X fires.")), "Stopped", "AbortCondition"),
        (SPARING, "Stopped", "FailureThreshold"),
        (RunState(THRESHOLD), "Stopped", "FailureThreshold"),
        (GONE, "Failed", "RunDeleted"),
        (LATE, "Failed", "CreatedTooLate"),
    ],
)
@pytest.mark.parametrize("pod", [None, A_POD, PREDECESSOR], ids=["no pod", "gated", "another's"])
def test_a_job_that_has_not_started_ends_at_once(
    run: RunState, phase: str, reason: str, pod: object
) -> None:
    job = a_job()
    first, second = decide(seen(job, pod, target=TARGET, run=run)).actions  # type: ignore[arg-type]
    assert isinstance(first, SetStatus)
    assert isinstance(second, DeleteSecrets)
    assert (first.status.phase, first.status.reason) == (phase, reason)


@pytest.mark.parametrize("run", [STOP, SPARING, GONE], ids=["stop", "threshold", "gone"])
@pytest.mark.parametrize(
    "pod", [A_POD, A_POD.ungated(), A_POD.waiting("ErrImagePull")], ids=["gated", "free", "bound"]
)
def test_a_named_pod_that_has_not_started_is_ended(run: RunState, pod: object) -> None:
    [action] = decide(seen(NAMED, pod, target=TARGET, run=run)).actions  # type: ignore[arg-type]
    assert isinstance(action, SetStatus)
    why = find_condition(action.status.conditions, ENDING)
    assert why is not None
    assert run.end is not None
    assert why.reason == run.end.reason
    # Then the pod goes, and the job is stopped, whatever becomes of the run.
    job = ending(NAMED, why.reason)
    assert job.public_status == "Stopping"
    [delete] = decide(seen(job, pod, target=TARGET, run=GO)).actions  # type: ignore[arg-type]
    assert isinstance(delete, DeletePod)
    status = decide(seen(job, None, target=TARGET, run=GO)).actions[0]
    assert isinstance(status, SetStatus)
    assert (status.status.phase, status.status.reason) == ("Stopped", why.reason)


@pytest.mark.parametrize(
    ("run", "ends"), [(STOP, True), (GONE, True), (RunState(THRESHOLD), True), (SPARING, False)]
)
@pytest.mark.parametrize("is_told", [False, True])
def test_a_job_that_runs_ends_or_is_spared(run: RunState, ends: bool, is_told: bool) -> None:
    job = RUNNING if is_told else NAMED
    actions = decide(seen(job, A_POD.running(), target=TARGET, run=run)).actions
    kinds = [
        find_condition(action.status.conditions, ENDING) is not None
        for action in actions
        if isinstance(action, SetStatus)
    ]
    assert any(kinds) is ends
    assert not any(isinstance(action, DeletePod) for action in actions)


@pytest.mark.parametrize("pod", [A_POD, A_POD.ungated(), A_POD.running()])
def test_a_job_that_counts_as_gone_and_is_named_goes_on(pod: PodBuilder) -> None:
    """Its claim and its name say that it is the run's own."""
    actions = decide(seen(NAMED, pod, target=TARGET, run=LATE)).actions
    assert not any(isinstance(action, DeletePod | DeleteSecrets) for action in actions)
    told = [action.status for action in actions if isinstance(action, SetStatus)]
    assert not any(find_condition(status.conditions, ENDING) for status in told)


def test_a_named_pod_is_let_go_though_the_turn_is_another_s() -> None:
    """Its start was decided when it was named."""
    [action] = decide(seen(NAMED, A_POD, target=TARGET, run=WAIT)).actions
    assert isinstance(action, Ungate)


def test_a_halt_comes_before_the_run() -> None:
    looked = seen(a_job(), target=TARGET, run=STOP, halts=(a_halt(),))
    action = decide(looked).actions[0]
    assert isinstance(action, SetStatus)
    assert action.status.reason == "Halted"


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        (None, DeleteJob),
        (RunState(is_departed=True), DeleteJob),
        (RunState(is_departed=False), Depart),
    ],
)
def test_a_finished_job_goes_when_its_run_has_counted_it(run: RunState | None, kind: type) -> None:
    job = finished(named(a_job(ttl_seconds_after_finished=5)), age=5)
    [action] = decide(seen(job, run=run)).actions
    assert isinstance(action, kind)
