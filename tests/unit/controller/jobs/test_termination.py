"""What the end of a pod means for its job."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from controller.jobs import statuses
from controller.reason import Reason
from krkn_grpc.resources.chaos_job import ChaosJob
from tests.unit.controller.jobs.builders import (
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
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GO_ZERO_AS_NANOSECONDS = datetime(1754, 8, 30, 22, 43, 41, tzinfo=UTC)


@pytest.mark.parametrize(
    ("job", "pod", "expected"),
    [
        pytest.param(JOB, A_POD.ended(0), ("Succeeded", "Completed", 0), id="exit 0"),
        pytest.param(JOB, A_POD.ended(1), ("Failed", "ScenarioFailed", 1), id="exit 1"),
        pytest.param(JOB, A_POD.ended(2), ("Failed", "CriticalAlerts", 2), id="exit 2"),
        pytest.param(JOB, A_POD.ended(3), ("Failed", "HealthCheckFailed", 3), id="exit 3"),
        pytest.param(JOB, A_POD.ended(125), ("Failed", "HealthCheckFailed", 125), id="exit 125"),
        pytest.param(JOB, A_POD.ended(254), ("Failed", "HealthCheckFailed", 254), id="exit 254"),
        pytest.param(JOB, A_POD.ended(127), ("Failed", "NonZeroExit", 127), id="no program"),
        pytest.param(JOB, A_POD.ended(137), ("Failed", "NonZeroExit", 137), id="killed inside"),
        pytest.param(JOB, A_POD.ended(139), ("Failed", "NonZeroExit", 139), id="crashed"),
        pytest.param(
            JOB,
            A_POD.ended(0, at=30).with_status(phase="Failed").deleted(20),
            ("Succeeded", "Completed", 0),
            id="exit 0, and what went on in its pod was ended",
        ),
        pytest.param(
            JOB,
            A_POD.ended(3, at=30).deleted(20),
            ("Failed", "HealthCheckFailed", 3),
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
        # Nobody knows how it ended.
        pytest.param(
            JOB,
            A_POD.ended(255, reason="Unknown"),
            ("Failed", "ContainerStatusUnknown", None),
            id="containerd after a reboot",
        ),
        pytest.param(
            JOB,
            A_POD.ended(-1),
            ("Failed", "ContainerStatusUnknown", None),
            id="CRI-O has no exit code",
        ),
        pytest.param(
            JOB,
            A_POD.ended(137).without_moments(),
            ("Failed", "ContainerStatusUnknown", None),
            id="no moment of the end",
        ),
        pytest.param(
            JOB,
            A_POD.ended(255).without_moments(EPOCH),
            ("Failed", "ContainerStatusUnknown", None),
            id="ended in 1970",
        ),
        pytest.param(
            JOB,
            A_POD.ended(1).without_moments(GO_ZERO_AS_NANOSECONDS),
            ("Failed", "ContainerStatusUnknown", None),
            id="ended in 1754",
        ),
        pytest.param(
            JOB,
            A_POD.ended(255),
            ("Failed", "ConfigurationError", 255),
            id="255 of the container itself",
        ),
        pytest.param(
            JOB,
            A_POD.ended(0).without_moments(),
            ("Succeeded", "Completed", 0),
            id="exit 0 is never made up",
        ),
        pytest.param(
            JOB,
            A_POD.ended(255, reason="Unknown").with_status(reason="NodeShutdown"),
            ("Failed", "NodeShutdown", None),
            id="it is known why it ended, and not how",
        ),
        pytest.param(
            STOP,
            A_POD.ended(255, reason="Unknown").deleted(5),
            ("Stopped", "StopRequested", None),
            id="stopped, and its node lost it",
        ),
        # What others put before it.
        pytest.param(
            named(a_job()),
            A_POD.waiting("PodInitializing")
            .init("mesh", {"terminated": {"exitCode": 0, "finishedAt": ago(2)}})
            .init("check", {"terminated": {"exitCode": 7, "finishedAt": ago(1)}})
            .with_status(phase="Failed"),
            ("Failed", "InitContainerFailed", None),
            id="init container failed",
        ),
        pytest.param(
            named(a_job()),
            A_POD.waiting("PodInitializing")
            .init("check", {"terminated": {"exitCode": 255, "reason": "Unknown"}})
            .with_status(phase="Failed"),
            ("Failed", "InitContainerFailed", None),
            id="nobody knows how an init container ended",
        ),
        pytest.param(
            named(a_job(), reason="ContainersNotInitialized", message="Init container x runs."),
            A_POD.waiting("PodInitializing")
            .init("x", {"terminated": {"exitCode": 143, "finishedAt": ago(1)}})
            .with_status(phase="Failed", reason="DeadlineExceeded"),
            ("Failed", "ContainersNotInitialized", None),
            id="init container never ended",
        ),
        pytest.param(
            JOB,
            A_POD.ended(3).init("beside", {"terminated": {"exitCode": 2, "finishedAt": ago(1)}}),
            ("Failed", "HealthCheckFailed", 3),
            id="what runs beside the scenario failed too",
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
            STOP, A_POD.ended(2), ("Failed", "CriticalAlerts", 2), id="failed before it was stopped"
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
    status = statuses.of_pod(job, pod.build(), NOW)
    assert (status.phase, status.reason, status.exit_code) == expected
    assert status.is_final
    assert status.message.endswith(".")
    assert status.completion_time is not None
    assert status.observed_generation == job.metadata.generation


def test_times_are_the_containers_own() -> None:
    status = statuses.of_pod(named(a_job()), A_POD.ended(0, at=3, lasted=4).build(), NOW)
    assert (status.start_time, status.completion_time) == (ago(7), ago(3))


def test_a_container_that_never_ran_has_no_start() -> None:
    never = {"exitCode": 128, "reason": "StartError", "startedAt": "1970-01-01T00:00:00Z"}
    pod = A_POD.container({"terminated": never}).with_status(phase="Failed")
    status = statuses.of_pod(named(a_job()), pod.build(), NOW)
    assert (status.start_time, status.completion_time) == (None, NOW)


def test_a_lost_node_is_named_with_the_last_moment_of_the_scenario() -> None:
    pod = A_POD.running(5).with_status(phase="Failed", reason="NodeLost")
    pod = replace(pod, spec={**pod.spec, "terminationGracePeriodSeconds": 60})
    message = statuses.of_pod(JOB, pod.build(), NOW).message
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
    status = statuses.without_pod(job, Reason("Any", "Any."), NOW)
    assert (status.phase, status.reason) == ("Stopped", "StopRequested")
    assert words in status.message


@pytest.mark.parametrize(
    ("job", "started"),
    [pytest.param(a_job(), "False", id="never started"), pytest.param(JOB, "True", id="started")],
)
def test_conditions_of_a_finished_job(job: ChaosJob, started: str) -> None:
    why = Reason("Some-Reason", "A sentence.")
    status = statuses.failed(ending(job, "Any"), why, NOW)
    conditions = {each.type: each for each in status.conditions}
    assert set(conditions) == {"Started", "Finished"}
    assert conditions["Started"].status == started
    assert conditions["Finished"].status == "True"
    assert conditions["Finished"].reason == "SomeReason", "Kubernetes allows no hyphen there"
