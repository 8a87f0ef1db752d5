"""What is done about a job whose target is halted, or of which it is not known whether it is."""

from typing import Any

import pytest

from controller.jobs.decide import decide
from controller.jobs.model import (
    Action,
    Claim,
    CreatePod,
    DeletePod,
    DeleteSecrets,
    Observed,
    SetStatus,
    Ungate,
)
from krkn_grpc.resources.chaos_job import ENDING, ChaosJobStatus
from krkn_grpc.resources.meta import find_condition
from tests.unit.controller.jobs.builders import (
    A_POD,
    FOREIGN,
    GRACE,
    POD_UID,
    PREDECESSOR,
    UNDEAD,
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

HALT = a_halt()
REASON = "Halted by a-halt: an incident"
TARGET, CREDENTIAL = a_target(), a_credential()
ALL: dict[str, Any] = {"halts": (HALT,)}
UNKNOWN: dict[str, Any] = {"are_halts_known": False}
PROD = {"env": "prod"}


def final(looked: Observed) -> ChaosJobStatus:
    """The final status that is written, with the Secrets deleted after it."""
    first, second = decide(looked).actions
    assert isinstance(first, SetStatus)
    assert isinstance(second, DeleteSecrets)
    return first.status


def only(looked: Observed) -> Action:
    """The only action."""
    [action] = decide(looked).actions
    return action


@pytest.mark.parametrize(
    "looked",
    [
        pytest.param(
            seen(a_job(), target=TARGET, credential=CREDENTIAL, **ALL), id="that has no pod yet"
        ),
        pytest.param(seen(a_job(), A_POD, target=TARGET, **ALL), id="with a gated pod, not named"),
        pytest.param(seen(a_job(), FOREIGN, **ALL), id="that has a foreign pod in its way"),
        pytest.param(seen(a_job(), PREDECESSOR, **ALL), id="whose predecessor's pod is there"),
        pytest.param(seen(a_job(), A_POD.deleted(1, 0), **ALL), id="whose pod is going"),
        pytest.param(seen(a_job(age=301), **ALL), id="that is too late as well"),
        pytest.param(seen(a_job(), target=None, **ALL), id="whose target is gone"),
        pytest.param(seen(a_job(), **ALL, **UNKNOWN), id="by a halt that is not the only one"),
    ],
)
def test_a_job_that_never_started_ends_at_once(looked: Observed) -> None:
    status = final(looked)
    assert (status.phase, status.reason, status.message) == ("Stopped", "Halted", REASON)
    assert status.start_time is None


NAMED, RUNNING = named(a_job()), running(a_job())


@pytest.mark.parametrize(
    "looked",
    [
        pytest.param(seen(NAMED, A_POD, target=TARGET, **ALL), id="gated"),
        pytest.param(seen(NAMED, A_POD.ungated(), target=TARGET, **ALL), id="not yet on a node"),
        pytest.param(seen(NAMED, A_POD.waiting("ErrImagePull"), **ALL), id="waiting for its image"),
        pytest.param(seen(NAMED, A_POD.running(), **ALL), id="running, and nobody said so yet"),
        pytest.param(seen(RUNNING, A_POD.running(), **ALL), id="running"),
        pytest.param(seen(RUNNING, UNDEAD, **ALL), id="its scenario has ended, it has not"),
        pytest.param(seen(RUNNING, A_POD.running().deleted(5), **ALL), id="deleted by someone"),
        pytest.param(
            seen(ending(RUNNING, "DeadlineExceeded"), A_POD.running(), **ALL),
            id="about to be ended for another reason",
        ),
        pytest.param(
            seen(ending(NAMED, "GateRemoved"), A_POD.running(), **ALL),
            id="let start by someone else",
        ),
    ],
)
def test_the_reason_is_written_before_a_named_pod_is_deleted(looked: Observed) -> None:
    action = only(looked)
    assert isinstance(action, SetStatus)
    assert (action.status.reason, action.status.message) == ("Halted", REASON)
    condition = find_condition(action.status.conditions, ENDING)
    assert condition is not None
    assert (condition.status, condition.reason, condition.message) == ("True", "Halted", REASON)
    assert looked.job is not None
    assert action.status.phase == looked.job.status.phase


HALTING, HALTING_NAMED = ending(RUNNING, "Halted", REASON), ending(NAMED, "Halted", REASON)


@pytest.mark.parametrize("after", [ALL, {}], ids=["while it holds", "after it was lifted"])
@pytest.mark.parametrize(
    ("job", "pod", "actions"),
    [
        pytest.param(HALTING_NAMED, A_POD, [DeletePod], id="gated"),
        pytest.param(HALTING_NAMED, A_POD.waiting("ErrImagePull"), [DeletePod], id="waiting"),
        pytest.param(HALTING, A_POD.running(), [DeletePod], id="running"),
        pytest.param(HALTING, A_POD.running().deleted(5), [], id="within its grace"),
    ],
)
def test_what_a_halt_has_begun_goes_on(
    job: Any, pod: Any, actions: list[type[Action]], after: dict[str, Any]
) -> None:
    found = decide(seen(job, pod, target=TARGET, **after)).actions
    assert [type(action) for action in found] == actions


@pytest.mark.parametrize("after", [ALL, {}], ids=["while it holds", "after it was lifted"])
@pytest.mark.parametrize(
    ("job", "pod", "gone", "exit_code"),
    [
        pytest.param(HALTING, A_POD.ended(143).deleted(5), None, 143, id="by the signal"),
        pytest.param(HALTING, A_POD.ended(0).deleted(5), None, 0, id="in order, at the signal"),
        pytest.param(HALTING, None, A_POD.ended(137).deleted(5), 137, id="pod is gone"),
        pytest.param(HALTING_NAMED, None, A_POD.deleted(1, 0), None, id="it was gated"),
        pytest.param(HALTING, None, None, None, id="pod is gone, and nobody saw how"),
        pytest.param(HALTING_NAMED, A_POD.deleted(1, 0), None, None, id="gated, is going"),
        pytest.param(
            ending(running(a_job(stop=True)), "Halted", REASON),
            A_POD.ended(143).deleted(5),
            None,
            143,
            id="and a stop was asked for afterwards",
        ),
    ],
)
def test_a_halted_job_ends_as_stopped(
    job: Any, pod: Any, gone: Any, exit_code: int | None, after: dict[str, Any]
) -> None:
    status = final(seen(job, pod, gone=gone, gone_for=2 * GRACE, **after))
    assert (status.phase, status.reason, status.message) == ("Stopped", "Halted", REASON)
    assert status.exit_code == exit_code
    assert find_condition(status.conditions, ENDING) is None


@pytest.mark.parametrize(
    ("pod", "outcome"),
    [
        pytest.param(A_POD.ended(0, at=9), ("Succeeded", "Completed"), id="before it was deleted"),
        pytest.param(A_POD.ended(0, at=9).deleted(5), ("Succeeded", "Completed"), id="just before"),
        pytest.param(
            A_POD.ended(3, at=9).deleted(5), ("Failed", "HealthCheckFailed"), id="and failed"
        ),
    ],
)
@pytest.mark.parametrize("job", [RUNNING, HALTING], ids=["unwritten", "written"])
def test_a_scenario_that_ended_by_itself_keeps_its_outcome(
    job: Any, pod: Any, outcome: tuple[str, str]
) -> None:
    status = final(seen(job, pod, **ALL))
    assert (status.phase, status.reason) == outcome


def test_a_pod_that_someone_else_let_start_is_named_to_be_ended() -> None:
    action = only(seen(a_job(), A_POD.ungated(), **ALL))
    assert isinstance(action, SetStatus)
    assert action.status.pod_uid == POD_UID
    condition = find_condition(action.status.conditions, ENDING)
    assert condition is not None
    assert condition.reason == "Halted"


@pytest.mark.parametrize(
    ("looked", "reason"),
    [
        pytest.param(seen(a_job(stop=True), **ALL), "StopRequested", id="before it had a pod"),
        pytest.param(
            seen(running(a_job(stop=True)), A_POD.ended(143).deleted(5), **ALL),
            "StopRequested",
            id="while it ran",
        ),
    ],
)
def test_a_stop_that_was_asked_for_first_stays_the_reason(looked: Observed, reason: str) -> None:
    assert final(looked).reason == reason


def test_a_final_job_stays_as_it_is() -> None:
    assert decide(seen(finished(a_job(), "Failed"), **ALL)).actions == ()


def test_an_id_is_claimed_first() -> None:
    assert isinstance(only(seen(a_job(), is_claimed=False)), Claim)


@pytest.mark.parametrize(
    ("looked", "actions"),
    [
        pytest.param(
            seen(a_job(), target=TARGET, credential=CREDENTIAL, **UNKNOWN),
            [SetStatus],
            id="new job gets no pod",
        ),
        pytest.param(
            seen(NAMED, A_POD, target=TARGET, **UNKNOWN), [SetStatus], id="gated pod stays gated"
        ),
        pytest.param(
            seen(a_job(age=301), target=TARGET, credential=CREDENTIAL, **UNKNOWN),
            [SetStatus, DeleteSecrets],
            id="the start deadline holds",
        ),
        pytest.param(
            seen(a_job(), A_POD, target=TARGET, **UNKNOWN),
            [SetStatus],
            id="pod is named: it still cannot start",
        ),
        pytest.param(seen(RUNNING, A_POD.running(), **UNKNOWN), [], id="running job goes on"),
        pytest.param(
            seen(a_job(stop=True), **UNKNOWN), [SetStatus, DeleteSecrets], id="a stop is obeyed"
        ),
    ],
)
def test_nothing_starts_while_the_halts_are_not_known(
    looked: Observed, actions: list[type[Action]]
) -> None:
    decision = decide(looked)
    assert [type(action) for action in decision.actions] == actions
    assert not any(isinstance(action, CreatePod | Ungate) for action in decision.actions)


@pytest.mark.parametrize("pod", [None, A_POD], ids=["no pod", "gated pod"])
def test_the_status_says_that_the_halts_are_not_known(pod: Any) -> None:
    job = a_job() if pod is None else NAMED
    looked = seen(job, pod, target=TARGET, credential=CREDENTIAL, **UNKNOWN)
    action = only(looked)
    assert isinstance(action, SetStatus)
    assert action.status.reason == "HaltsUnknown"
    assert decide(looked).again_in is not None


@pytest.mark.parametrize(
    ("selector", "labels", "is_halted"),
    [
        ("", PROD, True),
        ("  ", PROD, True),
        ("env=prod", PROD, True),
        ("env=prod", {}, False),
        ("env=prod", {"env": "test"}, False),
        ("env in (prod,stage),!spare", PROD, True),
        ("!env", PROD, False),
        pytest.param("env=prod", None, True, id="the target is gone, so its labels are not known"),
        pytest.param("!env", None, True, id="its labels are not known, whatever is asked"),
        pytest.param("env=(", PROD, True, id="a selector that cannot be read is every target's"),
        pytest.param("{matchLabels: {env: test}}", PROD, True, id="nor can another syntax"),
    ],
)
def test_a_halt_selects_targets_by_their_labels(
    selector: str, labels: dict[str, str] | None, is_halted: bool
) -> None:
    halts = (a_halt(selector),)
    looked = seen(a_job(), target=TARGET, credential=CREDENTIAL, halts=halts, labels=labels)
    first = decide(looked).actions[0]
    if is_halted:
        assert isinstance(first, SetStatus)
        assert first.status.reason == "Halted"
    else:
        assert isinstance(first, CreatePod)


def test_the_oldest_halt_that_selects_the_target_is_named() -> None:
    halts = tuple(
        a_halt(selector, name=name, reason=name)
        for name, selector in (("other", "env=test"), ("first", "env=prod"), ("second", ""))
    )
    status = final(seen(a_job(), halts=halts, labels=PROD))
    assert status.message == "Halted by first: first"


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("", "Halted by a-halt."),
        ("two\nlines\t", "Halted by a-halt: two lines"),
        ("\u202ereversed", "Halted by a-halt: reversed"),
        ("ä" * 1_000, f"Halted by a-halt: {'ä' * 254}..."),
    ],
    ids=["none", "lines", "direction", "long"],
)
def test_the_reason_is_one_line_of_bounded_length(reason: str, message: str) -> None:
    status = final(seen(a_job(), halts=(a_halt(reason=reason),)))
    assert status.message == message
