"""What the end of a pod means for its job."""

from dataclasses import replace

import pytest

from controller.jobs import outcome
from controller.jobs.model import Refusal
from krkn_grpc.resources.chaos_job import ChaosJob
from tests.unit.controller.builders import (
    A_POD,
    NOW,
    PodBuilder,
    a_job,
    ago,
    ending,
    named,
    running,
)

STOP = running(a_job(stop=True))
JOB = running(a_job())
DISRUPTION = "DisruptionTarget"


@pytest.mark.parametrize(
    ("job", "pod", "expected"),
    [
        pytest.param(JOB, A_POD.ended(0), ("Succeeded", "Completed", 0), id="exit 0"),
        pytest.param(JOB, A_POD.ended(3), ("Failed", "NonZeroExit", 3), id="exit 3"),
        pytest.param(
            JOB,
            A_POD.ended(0, at=30).with_status(phase="Failed").deleted(20),
            ("Succeeded", "Completed", 0),
            id="exit 0, and what went on in its pod was ended",
        ),
        pytest.param(
            JOB,
            A_POD.ended(3, at=30).deleted(20),
            ("Failed", "NonZeroExit", 3),
            id="exit 3, and what went on in its pod was ended",
        ),
        pytest.param(
            JOB,
            A_POD.ended(137, reason="OOMKilled"),
            ("Failed", "OOMKilled", 137),
            id="out of memory",
        ),
        pytest.param(
            JOB,
            A_POD.ended(137).with_status(reason="Evicted"),
            ("Failed", "Evicted", 137),
            id="evicted by its node",
        ),
        pytest.param(
            JOB,
            A_POD.ended(143).deleted(5).condition(DISRUPTION, "True", "EvictionByEvictionAPI"),
            ("Failed", "Evicted", 143),
            id="evicted by a drain",
        ),
        pytest.param(
            JOB,
            A_POD.ended(143).deleted(5).condition(DISRUPTION, "True", "PreemptionByScheduler"),
            ("Failed", "Preempted", 143),
            id="preempted",
        ),
        pytest.param(
            JOB,
            A_POD.ended(143).with_status(reason="NodeShutdown"),
            ("Failed", "NodeShutdown", 143),
            id="node shut down",
        ),
        pytest.param(
            JOB,
            A_POD.running().with_status(phase="Failed", reason="NodeLost"),
            ("Failed", "NodeLost", None),
            id="given up by others than its node",
        ),
        pytest.param(
            JOB,
            A_POD.running()
            .with_status(phase="Failed")
            .condition(DISRUPTION, "True", "DeletionByPodGC"),
            ("Failed", "NodeLost", None),
            id="collected with its node",
        ),
        pytest.param(
            JOB,
            A_POD.ended(143).with_status(reason="DeadlineExceeded"),
            ("Failed", "DeadlineExceeded", 143),
            id="ended by its node for its time",
        ),
        pytest.param(
            named(a_job(), reason="ErrImagePull", message="The image could not be pulled."),
            A_POD.without_trace(reason="DeadlineExceeded"),
            ("Failed", "ErrImagePull", None),
            id="its time was over before it started",
        ),
        pytest.param(
            named(a_job()),
            A_POD.without_trace(reason="UnexpectedAdmissionError"),
            ("Failed", "UnexpectedAdmissionError", None),
            id="refused by its node",
        ),
        pytest.param(
            named(a_job()),
            A_POD.ended(128, reason="StartError"),
            ("Failed", "StartError", None),
            id="container never ran",
        ),
        pytest.param(
            JOB,
            A_POD.ended(137, reason="ContainerStatusUnknown"),
            ("Failed", "ContainerStatusUnknown", None),
            id="node lost track of it",
        ),
        # Deleted by someone.
        pytest.param(
            JOB, A_POD.ended(143).deleted(5), ("Failed", "PodDeleted", 143), id="deleted as it ran"
        ),
        pytest.param(
            JOB,
            A_POD.ended(0, at=1).deleted(5),
            ("Failed", "PodDeleted", 0),
            id="deleted, and ended itself in its grace",
        ),
        pytest.param(
            JOB,
            A_POD.ended(0, at=6).deleted(5),
            ("Succeeded", "Completed", 0),
            id="deleted after its end",
        ),
        pytest.param(
            JOB,
            A_POD.ended(0, at=5).deleted(5),
            ("Succeeded", "Completed", 0),
            id="deleted in the second of its end",
        ),
        pytest.param(
            JOB,
            A_POD.ended(143, at=7).deleted(5),
            ("Failed", "PodDeleted", 143),
            id="node's clock is behind",
        ),
        pytest.param(
            JOB,
            A_POD.ended(137, at=6, reason="OOMKilled").deleted(5),
            ("Failed", "OOMKilled", 137),
            id="out of memory, then deleted",
        ),
        pytest.param(
            JOB,
            A_POD.without_trace().deleted(5),
            ("Failed", "PodDeleted", None),
            id="deleted, nothing known",
        ),
        # Stopped.
        pytest.param(
            STOP, A_POD.ended(143).deleted(5), ("Stopped", "StopRequested", 143), id="stopped"
        ),
        pytest.param(
            STOP,
            A_POD.ended(0, at=1).deleted(5),
            ("Stopped", "StopRequested", 0),
            id="stopped, rolled back",
        ),
        pytest.param(
            STOP,
            A_POD.ended(0, at=5).deleted(5),
            ("Stopped", "StopRequested", 0),
            id="stopped, ended itself at once",
        ),
        pytest.param(
            STOP,
            A_POD.ended(137, at=5, reason="OOMKilled").deleted(5),
            ("Failed", "OOMKilled", 137),
            id="out of memory in the second of the stop",
        ),
        pytest.param(
            STOP,
            A_POD.ended(0, at=9).deleted(5),
            ("Succeeded", "Completed", 0),
            id="stop came too late",
        ),
        pytest.param(
            STOP, A_POD.ended(2), ("Failed", "NonZeroExit", 2), id="failed before it was stopped"
        ),
        pytest.param(
            STOP,
            A_POD.ended(137, at=0).deleted(60),
            ("Stopped", "StopRequested", 137),
            id="stopped, killed after its grace",
        ),
        pytest.param(
            named(a_job(stop=True)),
            A_POD.without_trace().deleted(5),
            ("Stopped", "StopRequested", None),
            id="stopped before its container was made",
        ),
        # Ended by the controller.
        pytest.param(
            ending(JOB, "DeadlineExceeded"),
            A_POD.ended(143).deleted(5),
            ("Failed", "DeadlineExceeded", 143),
            id="ended by the controller for its time",
        ),
        pytest.param(
            ending(JOB, "DeadlineExceeded"),
            A_POD.ended(0, at=5).deleted(5),
            ("Failed", "DeadlineExceeded", 0),
            id="ended by the controller, and ended itself at once",
        ),
        pytest.param(
            ending(named(a_job()), "TargetDeleted"),
            A_POD.without_trace().deleted(5),
            ("Failed", "TargetDeleted", None),
            id="ended by the controller for its target",
        ),
        pytest.param(
            ending(JOB, "DeadlineExceeded"),
            A_POD.ended(0, at=9).deleted(5),
            ("Succeeded", "Completed", 0),
            id="ended itself before the controller did",
        ),
        pytest.param(
            ending(named(a_job()), "StartDeadlineExceeded"),
            A_POD.ended(0),
            ("Succeeded", "Completed", 0),
            id="started and ended though it was to be ended",
        ),
    ],
)
def test_verdict(job: ChaosJob, pod: PodBuilder, expected: tuple[str, str, int | None]) -> None:
    status = outcome.of_pod(job, pod.build(), NOW)
    assert (status.phase, status.reason, status.exit_code) == expected
    assert status.is_final
    assert status.message.endswith(".")
    assert status.completion_time is not None
    assert status.observed_generation == job.metadata.generation


def test_times_are_the_containers_own() -> None:
    status = outcome.of_pod(named(a_job()), A_POD.ended(0, at=3, lasted=4).build(), NOW)
    assert (status.start_time, status.completion_time) == (ago(7), ago(3))


def test_a_container_that_never_ran_has_no_start() -> None:
    never = {"exitCode": 128, "reason": "StartError", "startedAt": "1970-01-01T00:00:00Z"}
    pod = A_POD.container({"terminated": never}).with_status(phase="Failed")
    status = outcome.of_pod(named(a_job()), pod.build(), NOW)
    assert (status.start_time, status.completion_time) == (None, NOW)


def test_a_lost_node_is_named_with_the_last_moment_of_the_scenario() -> None:
    pod = A_POD.running(5).with_status(phase="Failed", reason="NodeLost")
    pod = replace(pod, spec={**pod.spec, "terminationGracePeriodSeconds": 60})
    message = outcome.of_pod(JOB, pod.build(), NOW).message
    assert message == (
        "Node node-1 does not answer; the scenario may run there until 2026-03-01T12:10:55Z."
    )


@pytest.mark.parametrize(
    ("job", "words"),
    [
        pytest.param(a_job(stop=True), "stopped before it started", id="no pod"),
        pytest.param(running(a_job(stop=True)), "was stopped.", id="its pod is gone"),
    ],
)
def test_stopped_without_a_pod(job: ChaosJob, words: str) -> None:
    status = outcome.without_pod(job, Refusal("Any", "Any."), NOW)
    assert (status.phase, status.reason) == ("Stopped", "StopRequested")
    assert words in status.message


@pytest.mark.parametrize(
    ("job", "started"),
    [pytest.param(a_job(), "False", id="never started"), pytest.param(JOB, "True", id="started")],
)
def test_conditions_of_a_finished_job(job: ChaosJob, started: str) -> None:
    why = Refusal("Some-Reason", "A sentence.")
    status = outcome.failed(ending(job, "Any"), why, NOW)
    conditions = {each.type: each for each in status.conditions}
    assert set(conditions) == {"Started", "Finished"}
    assert conditions["Started"].status == started
    assert conditions["Finished"].status == "True"
    assert conditions["Finished"].reason == "SomeReason", "Kubernetes allows no hyphen there"
