"""Every transition of a job: what is seen, and what is done about it."""

from datetime import timedelta

import pytest

from controller.jobs.decide import decide
from controller.jobs.model import (
    CreatePod,
    DeleteJob,
    DeletePod,
    DeleteSecrets,
    Observed,
    Refusal,
    ReleaseJob,
    ReleasePod,
    RememberJob,
    SetStatus,
    Ungate,
)
from krkn_grpc.resources import labels
from tests.unit.controller.builders import (
    A_POD,
    FOREIGN,
    NOW,
    POD_UID,
    PREDECESSOR,
    SECOND,
    a_credential,
    a_job,
    a_target,
    admission,
    ago,
    deleted,
    ending,
    finished,
    held,
    named,
    running,
    seen,
    with_status,
    with_target_metadata,
)

TARGET = a_target()
CREDENTIAL = a_credential()
REFUSED = Refusal("InvalidKubeconfig", "It is refused.")
UNADMITTED = with_target_metadata(TARGET, generation=2)
DUPLICATE = admission(TARGET, "False", "DuplicateName", "Another one has the name.")
GATE_REMOVED = "Someone else let the pod start before it was its turn."


@pytest.mark.parametrize(
    ("looked", "actions"),
    [
        # Before a pod was named.
        pytest.param(
            seen(a_job(), target=TARGET, credential=CREDENTIAL), [CreatePod], id="new job"
        ),
        pytest.param(
            seen(a_job(), A_POD, target=TARGET), [SetStatus], id="pod is named before anything else"
        ),
        pytest.param(
            seen(a_job(), A_POD.deleted(1, 0), target=TARGET),
            [ReleasePod],
            id="unnamed pod deleted by someone may go",
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
            [DeleteSecrets, SetStatus],
            id="it ended",
        ),
        pytest.param(
            seen(named(a_job()), None, target=TARGET),
            [DeleteSecrets, SetStatus],
            id="named pod is gone",
        ),
        pytest.param(
            seen(named(a_job()), SECOND, target=TARGET),
            [DeleteSecrets, SetStatus],
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
            [ReleasePod],
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
            [SetStatus],
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
            [DeleteSecrets, SetStatus],
            id="node is lost",
        ),
        # Final.
        pytest.param(
            seen(finished(named(a_job())), A_POD.ended(0)), [ReleasePod], id="outcome is known"
        ),
        pytest.param(
            seen(finished(named(a_job())), A_POD.ended(0).unmarked()), [], id="pod stays for logs"
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
            [ReleasePod],
            id="second pod never ran and goes",
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
            [ReleasePod],
            id="pod on a lost node is let go",
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
        pytest.param(
            seen(held(finished(named(a_job(age=144))))),
            [],
            id="finished job may be created again: it is held",
        ),
        pytest.param(
            seen(held(finished(named(a_job(age=146))))),
            [ReleaseJob],
            id="finished job is not created again: it is let go",
        ),
        pytest.param(
            seen(held(finished(named(a_job(age=146, request_id="r"))))),
            [],
            id="finished job of a repeatable request is held",
        ),
        # Without a job.
        pytest.param(seen(None), [], id="nothing at all"),
        pytest.param(seen(None, A_POD.running()), [DeletePod], id="job deleted as its pod ran"),
        pytest.param(
            seen(None, A_POD.running().deleted(1)), [], id="deleted job's pod gets its grace"
        ),
        pytest.param(
            seen(None, A_POD.ended(143).deleted(1)), [ReleasePod], id="deleted job's pod ended"
        ),
        pytest.param(
            seen(None, A_POD.of(owner="").running()), [DeletePod], id="job deleted, pod orphaned"
        ),
        pytest.param(seen(None, FOREIGN), [], id="foreign pod of no job"),
        pytest.param(
            seen(deleted(running(a_job()), labels.REQUEST_FINALIZER), A_POD.running()),
            [DeletePod],
            id="job is being deleted: pod first",
        ),
        pytest.param(
            seen(deleted(running(a_job()), labels.REQUEST_FINALIZER), A_POD.running().deleted(1)),
            [],
            id="job is being deleted: pod gets its grace",
        ),
        pytest.param(
            seen(deleted(running(a_job()), labels.REQUEST_FINALIZER)),
            [DeleteSecrets, RememberJob, ReleaseJob],
            id="job is being deleted: its record, then it goes",
        ),
        pytest.param(
            seen(deleted(running(a_job(age=3600)), labels.REQUEST_FINALIZER)),
            [DeleteSecrets, ReleaseJob],
            id="old job is being deleted: nobody creates it again",
        ),
        pytest.param(
            seen(deleted(running(a_job(age=3600, request_id="r")), labels.REQUEST_FINALIZER)),
            [DeleteSecrets, RememberJob, ReleaseJob],
            id="old job of a repeatable request is being deleted: its record",
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


@pytest.mark.parametrize(
    ("looked", "reason", "words"),
    [
        pytest.param(seen(a_job()), "TargetDeleted", "was deleted", id="target gone"),
        pytest.param(
            seen(a_job(), target=with_target_metadata(TARGET, deletion_timestamp=NOW)),
            "TargetDeleted",
            "was deleted",
            id="target going",
        ),
        pytest.param(
            seen(a_job(), target=with_target_metadata(TARGET, uid="uid-of-another")),
            "TargetChanged",
            "not what it was",
            id="another target of the same uuid",
        ),
        pytest.param(
            seen(a_job(), target=a_target(secret_uuid="other")),
            "TargetChanged",
            "not what it was",
            id="other credential",
        ),
        pytest.param(
            seen(a_job(), target=a_target(cluster_api_url="https://other")),
            "TargetChanged",
            "not what it was",
            id="other cluster",
        ),
        pytest.param(
            seen(a_job(), target=DUPLICATE), "DuplicateName", "has the name", id="not admitted"
        ),
        pytest.param(
            seen(a_job(), target=TARGET, credential=REFUSED),
            "InvalidKubeconfig",
            "is refused",
            id="kubeconfig refused",
        ),
        pytest.param(
            seen(a_job(), FOREIGN, target=TARGET),
            "NameTaken",
            "is not the job's",
            id="foreign pod",
        ),
        pytest.param(
            seen(a_job(age=300), target=TARGET, credential=CREDENTIAL),
            "StartDeadlineExceeded",
            "within 300 seconds",
            id="the controller was away",
        ),
        pytest.param(
            seen(
                with_status(a_job(age=300), reason="QuotaExceeded", message="No room."),
                target=TARGET,
                credential=CREDENTIAL,
            ),
            "QuotaExceeded",
            "within 300 seconds. No room.",
            id="what kept it from its pod",
        ),
    ],
)
def test_never_starts(looked: Observed, reason: str, words: str) -> None:
    change, _ = decide(looked).actions
    assert isinstance(change, SetStatus)
    status = change.status
    assert (status.phase, status.reason, status.pod_uid) == ("Failed", reason, "")
    assert words in status.message
    assert status.completion_time == NOW
    assert status.start_time is None
    assert status.exit_code is None


@pytest.mark.parametrize(
    ("looked", "reason"),
    [
        pytest.param(seen(named(a_job()), A_POD), "TargetDeleted", id="target gone"),
        pytest.param(
            seen(named(a_job(age=300)), A_POD.waiting("ImagePullBackOff"), target=TARGET),
            "ErrImagePull",
            id="no image",
        ),
        pytest.param(
            seen(named(a_job(age=300)), A_POD.waiting("InvalidImageName"), target=TARGET),
            "InvalidImageName",
            id="no such image",
        ),
        pytest.param(
            seen(
                named(a_job(age=300)),
                A_POD.ungated().condition("PodScheduled", "False", "Unschedulable"),
                target=TARGET,
            ),
            "Unschedulable",
            id="no node",
        ),
        pytest.param(
            seen(named(a_job(age=300)), A_POD.waiting("CreateContainerConfigError"), target=TARGET),
            "CreateContainerConfigError",
            id="no container",
        ),
        pytest.param(
            seen(named(a_job(age=300)), A_POD.waiting("ContainerCreating"), target=TARGET),
            "StartDeadlineExceeded",
            id="no reason",
        ),
        pytest.param(
            seen(running(a_job(age=9_999), 605), A_POD.running(605)),
            "DeadlineExceeded",
            id="ran too long",
        ),
    ],
)
def test_why_a_pod_is_ended_is_written_before_it_is_deleted(looked: Observed, reason: str) -> None:
    (change,) = decide(looked).actions
    assert isinstance(change, SetStatus)
    assert not change.status.is_final
    (condition,) = [each for each in change.status.conditions if each.type == "Ending"]
    assert condition.reason == reason == change.status.reason
    assert condition.message


def test_a_pod_that_could_start_this_moment_is_deleted_only_as_it_was_seen() -> None:
    (delete,) = decide(seen(ending(named(a_job()), "TargetDeleted"), A_POD)).actions
    assert delete == DeletePod(A_POD.build(), only_as_seen=True)
    (delete,) = decide(seen(running(a_job(stop=True)), A_POD.running())).actions
    assert delete == DeletePod(A_POD.running().build(), only_as_seen=False)


def test_a_pod_is_named_once_with_its_uid() -> None:
    (change,) = decide(seen(a_job(), A_POD, target=TARGET)).actions
    assert isinstance(change, SetStatus)
    assert change.status.pod_uid == POD_UID
    assert change.status.pod_name == A_POD.build().metadata.name
    assert change.status.phase == "Pending"


def test_a_scenario_that_started_after_all_is_not_ended_any_more() -> None:
    looked = seen(ending(named(a_job()), "StartDeadlineExceeded"), A_POD.running(2), target=TARGET)
    (change,) = decide(looked).actions
    assert isinstance(change, SetStatus)
    assert change.status.phase == "Running"
    assert change.status.start_time == ago(2)
    assert [each.type for each in change.status.conditions] == ["Started"]


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


def test_nothing_more_happens_to_a_final_status() -> None:
    for phase in ("Succeeded", "Failed", "Stopped"):
        for pod in (None, A_POD, A_POD.running(), A_POD.ended(1), SECOND, FOREIGN, PREDECESSOR):
            for job in (finished(a_job(), phase), finished(named(a_job(stop=True)), phase)):
                actions = decide(seen(job, pod)).actions
                assert not [each for each in actions if isinstance(each, SetStatus | CreatePod)]


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
