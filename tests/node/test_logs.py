"""Logs of real containers, and a kubelet that dies under a job."""

import pytest

from tests.node.stage import Stage
from tests.support.rest import RUNS
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(300)
# Some 6 MB: at 10 MB the node begins a new file, and keeps the old one to itself.
LINES = 60_000


async def test_a_log_streams_while_it_runs_and_arrives_whole(stage: Stage) -> None:
    job = await stage.run_one("talks", environment={"LINES": str(LINES)})
    await stage.running(job)
    lines = []
    async with stage.product.rest.get(f"{RUNS}/{job}/logs", params={"follow": "true"}) as reply:
        assert reply.status == 200
        async for line in reply.content:
            lines.append(line.decode().rstrip("\n"))
            if lines[-1] == "waiting" and lines.count("waiting") == 1:
                # All that was printed is here, and the scenario still runs.
                assert (await stage.rest.job(job))["status"] == "Running"
                await stage.targets[0].make_config_map(stage.victims, "go-on")
    assert lines[:LINES] == [f"line {number:06} {number:080}" for number in range(1, LINES + 1)]
    assert set(lines[LINES:-1]) == {"waiting"}
    assert lines[-1] == "the last line"
    assert (await stage.ended(job))["status"] == "Succeeded"
    assert (await stage.log(job)).splitlines() == lines


async def test_a_job_outlives_its_kubelet(stage: Stage) -> None:
    job = await stage.run_one("talks", environment={"LINES": "3"})
    await stage.says(job, "waiting")
    began = (await stage.rest.job(job))["startTime"]
    await stage.node.kill_kubelet()
    try:
        # It ends while nobody looks.
        await stage.targets[0].make_config_map(stage.victims, "go-on")
        await eventually(lambda: stage.processes("talks.sh"), lambda found: not found)
        assert (await stage.rest.job(job))["status"] == "Running"
    finally:
        await stage.node.start_kubelet()
    shown = await stage.ended(job)
    assert (shown["status"], shown["exitCode"], shown["startTime"]) == ("Succeeded", 0, began)
    said = (await stage.log(job)).splitlines()
    assert (said[0][:11], said[-1]) == ("line 000001", "the last line")


async def test_a_job_that_goes_on_after_its_kubelet_died_can_be_stopped(stage: Stage) -> None:
    job = await stage.run_one("under-a-shell", environment={"ROLLBACK_SECONDS": "1"})
    await stage.says(job, "the chaos is on")
    await stage.node.kill_kubelet()
    await stage.stop(job)
    assert (await stage.rest.job(job))["status"] == "Stopping"
    await stage.node.start_kubelet()
    assert (await stage.ended(job))["status"] == "Stopped"
    assert await stage.targets[0].has_config_map(stage.victims, "rolled-back")
