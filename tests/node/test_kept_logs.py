"""Kept logs of real containers: of a stopped one, of a long one, of one that was killed."""

import pytest

from krkn_grpc.resources.names import pod_for
from tests.node.stage import Stage
from tests.node.test_scenarios import limited_memory
from tests.support.kept_logs import kept_logs, text_of, why_not_kept
from tests.support.rest import RUNS

pytestmark = pytest.mark.timeout(300)
LINES = 60_000


async def kept_of(stage: Stage, job: str) -> tuple[str, str]:
    """The log of a job whose pod is gone, and what the reply says of it."""
    async with stage.product.rest.get(f"{RUNS}/{job}/logs") as reply:
        assert reply.status == 200
        return await reply.text(), reply.headers["krkn-log"]


@pytest.mark.parametrize("image", ["rolls-back", "under-a-shell"])
async def test_a_stopped_scenario_keeps_its_log_to_the_end(stage: Stage, image: str) -> None:
    job = await stage.run_one(image, environment={"ROLLBACK_SECONDS": "2"})
    await stage.says(job, "the chaos is on")
    await stage.stop(job)
    assert (await stage.ended(job))["status"] == "Stopped"
    log, source = await kept_of(stage, job)
    assert source == "kept"
    last = {"rolls-back": "rolled back", "under-a-shell": "krkn ended with 143"}[image]
    assert log.splitlines()[0] == "the chaos is on"
    assert log.splitlines()[-1] == last, log


async def test_a_long_log_keeps_its_end(stage: Stage) -> None:
    job = await stage.run_one("talks", environment={"LINES": str(LINES)})
    await stage.says(job, "waiting")
    await stage.targets[0].make_config_map(stage.victims, "go-on")
    await stage.ended(job)
    whole = await stage.log(job)
    kept = (await kept_logs(stage.control_plane.cluster, stage.product.namespace))[job]
    assert kept["spec"]["truncated"]
    assert len(kept["spec"]["content"]) * 3 / 4 <= 65_536 + 2
    lines = [line.partition(" ")[2] for line in text_of(kept).decode().splitlines()]
    assert len(lines) > 1_000
    assert whole.splitlines()[-len(lines) :] == lines


async def test_a_scenario_that_was_killed_for_its_memory_keeps_what_there_was(stage: Stage) -> None:
    async with limited_memory(stage, "48Mi"):
        job = await stage.run_one("eats-memory")
        assert (await stage.ended(job))["reason"] == "OOMKilled"
    kept = await kept_logs(stage.control_plane.cluster, stage.product.namespace)
    lines = [line.partition(" ")[2] for line in text_of(kept[job]).decode().splitlines()]
    assert lines == (await stage.log(job)).splitlines()


async def test_an_evicted_pod_keeps_what_there_was_or_says_not(stage: Stage) -> None:
    job = await stage.run_one("talks", environment={"LINES": "3"})
    await stage.says(job, "waiting")
    pods = f"/api/v1/namespaces/{stage.product.namespace}/pods/{pod_for(job)}"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod_for(job)}}
    await stage.control_plane.cluster.request("POST", f"{pods}/eviction", eviction)
    await stage.ended(job)
    status = (await stage.jobs.read(job))["status"]
    kept = await kept_logs(stage.control_plane.cluster, stage.product.namespace)
    assert (job in kept) != bool(why_not_kept(status))
    if job in kept:
        assert b"line 000003" in text_of(kept[job])
