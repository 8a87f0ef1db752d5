"""What is done when a job is final, or gone: what is left of it goes too."""

import pytest

from controller.jobs.decide import decide
from controller.jobs.model import (
    CreatePod,
    DeleteJob,
    DeletePod,
    DeleteSecrets,
    Observed,
    SetStatus,
)
from tests.unit.controller.jobs.builders import (
    A_POD,
    FOREIGN,
    PREDECESSOR,
    SECOND,
    a_job,
    a_target,
    deleted,
    finished,
    named,
    running,
    seen,
)

TARGET = a_target()


@pytest.mark.parametrize(
    ("looked", "actions"),
    [
        # Final.
        pytest.param(
            seen(finished(named(a_job())), A_POD.ended(0)), [], id="pod stays for its log"
        ),
        pytest.param(seen(finished(named(a_job())), None), [], id="all is done"),
        pytest.param(
            seen(finished(a_job(), "Stopped"), A_POD), [DeletePod], id="late pod is deleted"
        ),
        pytest.param(
            seen(finished(named(a_job())), SECOND), [DeletePod], id="second pod is deleted"
        ),
        pytest.param(
            seen(finished(named(a_job())), SECOND.deleted(1, 0)),
            [],
            id="second pod is going",
        ),
        pytest.param(
            seen(finished(named(a_job())), PREDECESSOR), [DeletePod], id="former pod is deleted"
        ),
        pytest.param(seen(finished(a_job(), "Failed"), FOREIGN), [], id="foreign pod is let alone"),
        pytest.param(
            seen(finished(named(a_job()), "Failed"), A_POD.running()),
            [DeletePod],
            id="nothing runs after the end",
        ),
        pytest.param(
            seen(finished(named(a_job()), "Failed"), A_POD.running().deleted(200)),
            [],
            id="pod on a lost node is waited for by nobody",
        ),
        pytest.param(
            seen(finished(named(a_job(ttl_seconds_after_finished=5)), age=5)),
            [DeleteJob],
            id="time to live is over",
        ),
        pytest.param(
            seen(finished(named(a_job(ttl_seconds_after_finished=6)), age=5)),
            [],
            id="time to live is not over",
        ),
        # Without a job.
        pytest.param(seen(None), [], id="nothing at all"),
        pytest.param(seen(None, A_POD.running()), [DeletePod], id="job deleted as its pod ran"),
        pytest.param(
            seen(None, A_POD.running().deleted(1)), [], id="deleted job's pod gets its grace"
        ),
        pytest.param(seen(None, A_POD.ended(143)), [DeletePod], id="deleted job's pod ended"),
        pytest.param(
            seen(None, A_POD.of(owner="").running()), [DeletePod], id="job deleted, pod orphaned"
        ),
        pytest.param(seen(None, FOREIGN), [], id="foreign pod of no job"),
        pytest.param(
            seen(deleted(running(a_job()), "someone.else/finalizer"), A_POD.running()),
            [DeletePod],
            id="job is being deleted: pod first",
        ),
        pytest.param(
            seen(deleted(running(a_job()), "someone.else/finalizer"), A_POD.running().deleted(1)),
            [],
            id="job is being deleted: pod gets its grace",
        ),
        pytest.param(
            seen(deleted(running(a_job()), "someone.else/finalizer")),
            [DeleteSecrets],
            id="job is held by someone else",
        ),
    ],
)
def test_actions(looked: Observed, actions: list[type]) -> None:
    assert [type(action) for action in decide(looked).actions] == actions


def test_nothing_more_happens_to_a_final_status() -> None:
    for phase in ("Succeeded", "Failed", "Stopped"):
        for pod in (None, A_POD, A_POD.running(), A_POD.ended(1), SECOND, FOREIGN, PREDECESSOR):
            for job in (finished(a_job(), phase), finished(named(a_job(stop=True)), phase)):
                actions = decide(seen(job, pod)).actions
                assert not [each for each in actions if isinstance(each, SetStatus | CreatePod)]
