"""What is done about a job that has not ended, by what is seen of it."""

from datetime import timedelta

import pytest

from controller.jobs.decide import decide
from controller.jobs.model import (
    Claim,
    CreatePod,
    DeletePod,
    DeleteSecrets,
    Observed,
    SetStatus,
    Ungate,
)
from tests.unit.controller.jobs.builders import (
    A_POD,
    FOREIGN,
    GRACE,
    NOW,
    POD_UID,
    PREDECESSOR,
    SECOND,
    UNDEAD,
    a_credential,
    a_job,
    a_target,
    ago,
    deleted,
    ending,
    finished,
    looked_at,
    named,
    not_looked_at,
    running,
    seen,
    with_status,
    with_target_metadata,
)

TARGET = a_target()
CREDENTIAL = a_credential()
UNADMITTED = with_target_metadata(TARGET, generation=2)
GATE_REMOVED = "Someone else let the pod start before it was its turn."


@pytest.mark.parametrize(
    ("looked", "actions"),
    [
        # Before a pod was named.
        pytest.param(
            seen(a_job(), A_POD, target=TARGET, credential=CREDENTIAL, is_claimed=False),
            [Claim],
            id="its id is claimed before anything else",
        ),
        pytest.param(
            seen(a_job(stop=True), is_claimed=False), [Claim], id="also of a job that is stopped"
        ),
        pytest.param(
            seen(a_job(), target=TARGET, credential=CREDENTIAL), [CreatePod], id="new job"
        ),
        pytest.param(
            seen(a_job(), target=not_looked_at(TARGET), credential=CREDENTIAL),
            [SetStatus],
            id="new job waits for the first look at its target",
        ),
        pytest.param(
            seen(
                a_job(),
                target=looked_at(TARGET, "False", "InvalidKubeconfig"),
                credential=CREDENTIAL,
            ),
            [SetStatus],
            id="credential was mended: the next look at the target is waited for",
        ),
        pytest.param(
            seen(a_job(), target=looked_at(TARGET, "False", "Unreachable"), credential=CREDENTIAL),
            [CreatePod],
            id="unreachable is no refusal",
        ),
        pytest.param(
            seen(a_job(), A_POD, target=TARGET), [SetStatus], id="pod is named before anything else"
        ),
        pytest.param(
            seen(a_job(), A_POD.deleted(1, 0), target=TARGET),
            [SetStatus],
            id="unnamed pod that is going is waited for",
        ),
        pytest.param(
            seen(a_job(stop=True)), [SetStatus, DeleteSecrets], id="stopped before it has a pod"
        ),
        pytest.param(
            seen(a_job(stop=True), A_POD),
            [SetStatus, DeleteSecrets],
            id="stopped before its pod is named",
        ),
        pytest.param(
            seen(a_job(), PREDECESSOR, target=TARGET),
            [DeletePod, SetStatus],
            id="pod of a deleted job with this id goes first",
        ),
        pytest.param(
            seen(
                with_status(
                    a_job(),
                    reason="PodExists",
                    message="A pod of the same name still exists, and is going.",
                    observed_generation=1,
                ),
                PREDECESSOR.running().deleted(5),
                target=TARGET,
            ),
            [],
            id="pod of a deleted job is waited for",
        ),
        pytest.param(
            seen(a_job(), PREDECESSOR.unmarked().ended(0), target=TARGET),
            [DeletePod, SetStatus],
            id="finished pod of a deleted job goes, too",
        ),
        pytest.param(
            seen(running(a_job(), 33), UNDEAD, target=TARGET),
            [DeletePod],
            id="pod that goes on without its scenario is ended",
        ),
        pytest.param(
            seen(named(a_job()), A_POD.ended(0, at=5).with_status(phase="Running")),
            [SetStatus],
            id="pod whose scenario has just ended is waited for",
        ),
        pytest.param(
            seen(a_job(), FOREIGN.deleted(5), target=TARGET),
            [SetStatus],
            id="foreign pod that is going is waited for",
        ),
        pytest.param(
            seen(a_job(), A_POD.ungated(), target=TARGET),
            [SetStatus],
            id="unnamed pod without gate is named, to be ended",
        ),
        pytest.param(
            seen(a_job(stop=True), A_POD.running()),
            [DeletePod],
            id="unnamed pod without gate ends before a stopped job does",
        ),
        pytest.param(
            seen(a_job(stop=True), A_POD.running().deleted(1)),
            [],
            id="unnamed pod without gate is waited for",
        ),
        pytest.param(
            seen(a_job(stop=True), A_POD.ended(143).deleted(1)),
            [SetStatus, DeleteSecrets],
            id="unnamed pod without gate has ended",
        ),
        # Named.
        pytest.param(seen(named(a_job()), A_POD, target=TARGET), [Ungate], id="named pod may go"),
        pytest.param(
            seen(named(a_job()), A_POD.ungated(), target=TARGET), [], id="waits for a node"
        ),
        pytest.param(
            seen(named(a_job()), A_POD.waiting("ContainerCreating"), target=TARGET),
            [],
            id="container is being made",
        ),
        pytest.param(
            seen(named(a_job()), A_POD.waiting("ErrImagePull"), target=TARGET),
            [SetStatus],
            id="what it waits for is told",
        ),
        pytest.param(
            seen(
                named(
                    a_job(),
                    reason="ErrImagePull",
                    message="The image could not be pulled.",
                ),
                A_POD.waiting("ImagePullBackOff"),
                target=TARGET,
            ),
            [],
            id="the same told once",
        ),
        pytest.param(
            seen(named(a_job()), A_POD.running(), target=TARGET), [SetStatus], id="it runs"
        ),
        pytest.param(
            seen(named(a_job()), A_POD.ended(0), target=TARGET),
            [SetStatus, DeleteSecrets],
            id="it ended",
        ),
        pytest.param(
            seen(named(a_job()), A_POD.ended(0).unmarked(), target=TARGET),
            [SetStatus, DeleteSecrets],
            id="it ended, and someone took our finalizer off",
        ),
        pytest.param(
            seen(named(a_job()), None, target=TARGET),
            [SetStatus, DeleteSecrets],
            id="named pod is gone",
        ),
        pytest.param(
            seen(running(a_job()), gone=A_POD.ended(3).deleted(2)),
            [SetStatus, DeleteSecrets],
            id="named pod is gone, and told how it ended",
        ),
        pytest.param(
            seen(running(a_job()), gone=A_POD.running(), gone_for=GRACE + 4),
            [],
            id="named pod was taken away as it ran: its containers have their grace",
        ),
        pytest.param(
            seen(running(a_job()), gone=A_POD.running(), gone_for=GRACE + 5),
            [SetStatus, DeleteSecrets],
            id="named pod was taken away as it ran: its containers have ended",
        ),
        pytest.param(
            seen(running(a_job()), gone=A_POD.running().deleted(40, grace=0), gone_for=1),
            [],
            id="deleted by force: the grace counts from the deletion",
        ),
        pytest.param(
            seen(named(a_job()), gone=A_POD.ungated()),
            [SetStatus, DeleteSecrets],
            id="named pod went before it had a node",
        ),
        pytest.param(
            seen(named(a_job()), SECOND, target=TARGET),
            [SetStatus, DeleteSecrets],
            id="another pod is not the named one",
        ),
        pytest.param(
            seen(named(a_job(stop=True)), A_POD), [DeletePod], id="stopped before its gate goes"
        ),
        pytest.param(
            seen(running(a_job(stop=True)), A_POD.running()), [DeletePod], id="stopped as it runs"
        ),
        pytest.param(
            seen(running(a_job(stop=True)), A_POD.running().deleted(1)),
            [],
            id="stopped pod gets its grace",
        ),
        pytest.param(
            seen(named(a_job(stop=True)), A_POD.deleted(1, 0)),
            [SetStatus, DeleteSecrets],
            id="deleted pod without a node can never have run",
        ),
        pytest.param(
            seen(ending(named(a_job()), "GateRemoved", GATE_REMOVED), A_POD.ungated()),
            [DeletePod],
            id="pod that someone let start is ended",
        ),
        # Refused or too late, with a pod.
        pytest.param(
            seen(named(a_job()), A_POD, target=None), [SetStatus], id="why it ends is written first"
        ),
        pytest.param(
            seen(ending(named(a_job()), "TargetDeleted"), A_POD, target=None),
            [DeletePod],
            id="then the pod is deleted",
        ),
        pytest.param(
            seen(running(a_job()), A_POD.running(), target=None),
            [],
            id="what runs does not ask for its target",
        ),
        pytest.param(
            seen(running(a_job(age=9_999), 605), A_POD.running(605)),
            [SetStatus],
            id="runs too long: why it ends",
        ),
        pytest.param(
            seen(
                ending(running(a_job(age=9_999), 605), "DeadlineExceeded"),
                A_POD.running(605),
            ),
            [DeletePod],
            id="runs too long: the pod goes",
        ),
        # The node does not answer.
        pytest.param(
            seen(running(a_job()), A_POD.running().deleted(179)), [], id="node may still answer"
        ),
        pytest.param(
            seen(running(a_job()), A_POD.running().deleted(180)),
            [SetStatus, DeleteSecrets],
            id="node is lost",
        ),
    ],
)
def test_actions(looked: Observed, actions: list[type]) -> None:
    assert [type(action) for action in decide(looked).actions] == actions


def test_a_pod_is_named_once_with_its_uid() -> None:
    (change,) = decide(seen(a_job(), A_POD, target=TARGET)).actions
    assert isinstance(change, SetStatus)
    assert change.status.pod_uid == POD_UID
    assert change.status.pod_name == A_POD.build().metadata.name
    assert change.status.phase == "Pending"


@pytest.mark.parametrize(
    ("looked", "seconds"),
    [
        pytest.param(
            seen(named(a_job(age=10)), A_POD.ungated(), target=TARGET), 290, id="start deadline"
        ),
        pytest.param(
            seen(running(a_job(), 5), A_POD.running(5), target=TARGET), 600, id="run deadline"
        ),
        pytest.param(
            seen(running(a_job(stop=True)), A_POD.running().deleted(10)), 170, id="node's answer"
        ),
        pytest.param(
            seen(finished(a_job(ttl_seconds_after_finished=60), age=20)), 40, id="time to live"
        ),
        pytest.param(seen(a_job(), target=UNADMITTED), 2, id="target not admitted yet"),
        pytest.param(seen(finished(a_job())), None, id="nothing left to do"),
        pytest.param(seen(named(a_job()), A_POD, target=TARGET), None, id="the watch will tell"),
    ],
)
def test_looks_again_in_time(looked: Observed, seconds: float | None) -> None:
    assert decide(looked).again_in == seconds


def test_only_the_named_pod_is_ever_ungated() -> None:
    jobs = [a_job(), a_job(stop=True), named(a_job()), named(a_job(stop=True)), running(a_job())]
    jobs += [finished(named(a_job())), deleted(named(a_job()))]
    for job in [*jobs, None]:
        for pod in (None, A_POD, SECOND, FOREIGN, PREDECESSOR, A_POD.deleted(1)):
            looked = seen(job, pod, target=TARGET, credential=CREDENTIAL)
            for action in decide(looked).actions:
                if isinstance(action, Ungate):
                    assert job is not None
                    assert action.pod.metadata.uid == job.status.pod_uid
                    assert not job.spec.stop


def test_an_exit_code_is_not_lost_with_its_pod() -> None:
    looked = seen(running(a_job()), gone=A_POD.ended(7, at=3).deleted(2))
    (change,) = [each for each in decide(looked).actions if isinstance(each, SetStatus)]
    assert (change.status.phase, change.status.exit_code) == ("Failed", 7)


def test_no_pod_is_made_when_one_was_named() -> None:
    for pod in (None, SECOND, FOREIGN, PREDECESSOR):
        looked = seen(named(a_job()), pod, target=TARGET, credential=CREDENTIAL)
        assert not [each for each in decide(looked).actions if isinstance(each, CreatePod)]


def test_a_job_that_waits_looks_again_before_its_start_deadline() -> None:
    for age in (0, 100, 299):
        looked = seen(named(a_job(age=age)), A_POD.ungated(), target=TARGET)
        again = decide(looked).again_in
        assert again is not None
        assert NOW + timedelta(seconds=again) <= ago(age) + timedelta(seconds=300)
