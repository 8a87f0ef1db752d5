"""What a scenario in a real container says of its run at its end."""

import pytest

from tests.node.stage import Stage

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(0, id="short log"),
        # Some 3 MB: the controller reads the last one.
        pytest.param(30_000, id="long log"),
    ],
)
async def test_the_result_of_a_scenario(stage: Stage, lines: int) -> None:
    target = stage.targets[0]
    await target.start_pods(stage.victims, "victim", "victim-1", "victim-2")
    [job] = await stage.run("deletes-pods", stage.uuids[0], environment={"LINES": str(lines)})
    shown = await stage.ended(job)
    assert shown["status"] == "Succeeded"
    assert shown["result"] == {
        "runUuid": job,
        "scenarios": [
            {
                "name": "scenarios/delete.yml",
                "type": "pod_disruption_scenarios",
                "exitStatus": 0,
                "affectedPods": 2,
                "affectedNodes": 0,
            }
        ],
        "resiliencyScore": 97.5,
        "passedSlos": 39,
        "totalSlos": 40,
        "healthChecks": [],
    }
    # Who sees the end can read the whole log.
    log = await stage.log(job)
    assert log.count("\nline ") == lines
    assert log.endswith("[INFO] Successfully finished running Kraken\n")


async def test_one_that_is_killed_has_no_result(stage: Stage) -> None:
    job = await stage.run_one("ignores-sigterm", timeoutSeconds=2)
    shown = await stage.ended(job)
    assert (shown["status"], shown["reason"]) == ("Failed", "DeadlineExceeded")
    assert "result" not in shown
