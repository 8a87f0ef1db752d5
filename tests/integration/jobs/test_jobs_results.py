"""What a scenario says of its run at its end is in the status that ends its job."""

import pytest

from tests.support.jobs import Jobs


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        pytest.param("lasts-0s", (92, 0), id="it succeeded"),
        pytest.param("exit-1", (61, 1), id="it failed"),
        pytest.param("result-forged", (92, 0), id="it has a better one before"),
        pytest.param("exit-1-result-forged", (61, 1), id="it failed, and says otherwise before"),
        pytest.param("logs-200000-lines", (92, 0), id="after 20 MB"),
        pytest.param("result-none", None, id="none"),
        pytest.param("result-cut", None, id="it was cut"),
        pytest.param("logs-nothing", None, id="no log"),
        pytest.param("oom-killed", None, id="killed"),
    ],
)
async def test_the_result_of_a_job(
    patient_jobs: Jobs, behaviour: str, expected: tuple[float, int] | None
) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), behaviour)
    status = await patient_jobs.finished(job)
    if expected is None:
        assert "result" not in status
        return
    result = status["result"]
    assert result["runUuid"] == job
    score, [scenario] = result["resiliencyScore"], result["scenarios"]
    assert (score, scenario.get("exitStatus", 0)) == expected


async def test_the_variable_of_the_request_names_krkns_run(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    job = await patient_jobs.job(target, environment={"UUID": "a-run-of-mine"})
    assert (await patient_jobs.finished(job))["result"]["runUuid"] == "a-run-of-mine"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1, "ScenarioFailed"),
        (2, "CriticalAlerts"),
        (3, "HealthCheckFailed"),
        (254, "HealthCheckFailed"),
        (255, "ConfigurationError"),
        (137, "NonZeroExit"),
    ],
)
async def test_what_krkn_says_by_its_exit_code(patient_jobs: Jobs, code: int, reason: str) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), f"exit-{code}")
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"], status["exitCode"]) == ("Failed", reason, code)


async def test_one_that_is_stopped_has_no_result_and_ends_as_before(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "never-ends")
    await patient_jobs.running(job)
    await patient_jobs.stop(job)
    status = await patient_jobs.finished(job)
    assert (status["phase"], "result" in status) == ("Stopped", False)
