"""Ends that nobody saw, as kubelets and runtimes write them: they have no exit code."""

from typing import Any

import pytest

from tests.support.jobs import Jobs

SAW = {"startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:10Z"}
NEVER = dict.fromkeys(("startedAt", "finishedAt"), "1970-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "ended",
    [
        pytest.param({"exitCode": 255, "reason": "Unknown", **SAW}, id="containerd, node rebooted"),
        pytest.param({"exitCode": 137, "reason": "ContainerStatusUnknown"}, id="kubelet"),
        pytest.param({"exitCode": -1, "reason": "Error", **SAW}, id="CRI-O"),
        pytest.param({"exitCode": 255, "reason": "Error", **NEVER}, id="no moment of the end"),
    ],
)
async def test_nobody_knows_how_it_ended(patient_jobs: Jobs, ended: dict[str, Any]) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "never-ends")
    await patient_jobs.running(job)
    await patient_jobs.set_container_state(job, {"terminated": ended}, phase="Failed")
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "ContainerStatusUnknown")
    assert status["message"].startswith("Nobody knows how the scenario ended")
    assert "exitCode" not in status
    assert not status["completionTime"].startswith("1970")


async def test_255_that_the_scenario_said_is_an_exit_code(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "exit-255")
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"], status["exitCode"]) == (
        "Failed",
        "ConfigurationError",
        255,
    )
