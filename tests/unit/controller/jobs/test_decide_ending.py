"""Why a job never starts, or its pod is ended: said first, done after."""

import pytest

from controller.jobs.decide import decide
from controller.jobs.model import DeletePod, Observed, SetStatus
from controller.reason import Reason
from tests.unit.controller.jobs.builders import (
    A_POD,
    FOREIGN,
    NOW,
    a_credential,
    a_job,
    a_target,
    admission,
    ago,
    ending,
    looked_at,
    named,
    running,
    seen,
    with_status,
    with_target_metadata,
)

TARGET = a_target()
CREDENTIAL = a_credential()
REFUSED = Reason("InvalidKubeconfig", "It is refused.")
UNFIT = looked_at(TARGET, "False", "AddressRefused", "It is not allowed.")
INVALID = looked_at(TARGET, "False", "InvalidKubeconfig", "It is not one.")
DUPLICATE = admission(TARGET, "False", "DuplicateName", "Another one has the name.")


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
            seen(a_job(), target=UNFIT, credential=CREDENTIAL),
            "AddressRefused",
            "not allowed",
            id="address refused",
        ),
        pytest.param(
            seen(a_job(), A_POD, target=UNFIT),
            "AddressRefused",
            "not allowed",
            id="address refused before its pod is named",
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
        pytest.param(seen(named(a_job()), A_POD, target=UNFIT), "AddressRefused", id="refused"),
        pytest.param(
            seen(named(a_job()), A_POD, target=INVALID), "InvalidKubeconfig", id="credential gone"
        ),
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


def test_a_scenario_that_started_after_all_is_not_ended_any_more() -> None:
    looked = seen(ending(named(a_job()), "StartDeadlineExceeded"), A_POD.running(2), target=TARGET)
    (change,) = decide(looked).actions
    assert isinstance(change, SetStatus)
    assert change.status.phase == "Running"
    assert change.status.start_time == ago(2)
    assert [each.type for each in change.status.conditions] == ["Started"]
