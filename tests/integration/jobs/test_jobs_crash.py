"""The controller is killed again and again: each job starts once and tells how it ended."""

import asyncio
import random

from deploy.local.processes.ports import LOOPBACK, free_port
from krkn_grpc.resources import names, well_known
from tests.integration.jobs.conftest import StartController
from tests.support.jobs import Jobs
from tests.support.scrape import Scrape
from tests.support.waiting import eventually


async def test_killed_again_and_again(own_jobs: Jobs, a_controller: StartController) -> None:
    chance = random.Random(7)
    async with a_controller(lease_seconds=1) as controller, own_jobs.watch() as watch:
        await controller.start()
        target = await own_jobs.target()
        expected = {}
        for _ in range(6):
            for behaviour, exit_code in (("lasts-0s", 0), ("exit-7", 7), ("lasts-2s", 0)):
                expected[await own_jobs.job(target, behaviour)] = exit_code
            await controller.logged("leading")
            await asyncio.sleep(chance.uniform(0.02, 0.5))  # at any moment
            await controller.kill()
            await controller.start()
        for job, exit_code in expected.items():
            status = await own_jobs.finished(job)
            assert status["exitCode"] == exit_code
            await own_jobs.no_secrets(job)
            pods = watch.versions_of("pods", names.pod_for(job))
            assert {pod["metadata"]["uid"] for pod in pods} == {status["podUID"]}


async def test_a_scenario_ends_while_the_controller_is_away(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        deleted = await own_jobs.job(target, "never-ends")
        await own_jobs.running(deleted)
        ended = await own_jobs.job(target, "lasts-3s-exit-3")
        await own_jobs.running(ended)
        await controller.kill()
        await own_jobs.delete_pod(deleted)
        await own_jobs.no_pod(deleted)
        await own_jobs.ended(ended)
        await controller.start()
        status = await own_jobs.finished(ended)
        assert (status["phase"], status["reason"], status["exitCode"]) == (
            "Failed",
            "HealthCheckFailed",
            3,
        )
        status = await own_jobs.finished(deleted)
        assert (status["phase"], status["reason"]) == ("Failed", "PodDeleted")
        assert "exitCode" not in status, "nobody was there to be told"


async def test_a_job_is_deleted_while_the_controller_is_away(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        job = await own_jobs.job(await own_jobs.target(), "never-ends")
        await own_jobs.running(job)
        await controller.kill()
        await own_jobs.delete(job)
        await own_jobs.gone(job)
        # Nothing of ours holds it back.
        await own_jobs.no_pod(job)
        await own_jobs.no_secrets(job)


async def test_its_node_is_lost(own_jobs: Jobs, a_controller: StartController) -> None:
    port = free_port()
    settings = {"grace_seconds": 1, "node_lost_seconds": 14, "controller_metrics_port": port}

    async def overdue() -> float:
        return (await Scrape.at(f"http://{LOOPBACK}:{port}/metrics")).of("krkn_jobs_overdue")

    async with a_controller(**settings) as controller:
        await controller.start()
        job = await own_jobs.job(await own_jobs.target(), "never-ends", timeoutSeconds=3_000)
        await own_jobs.running(job)
        assert await overdue() == 0
        own_jobs.control_plane.pause("kwok")
        try:
            await own_jobs.stop(job)
            await eventually(overdue, lambda jobs: jobs == 1)
            status = await own_jobs.finished(job)
        finally:
            own_jobs.control_plane.resume("kwok")
        assert (status["phase"], status["reason"]) == ("Failed", "NodeLost")
        assert "exitCode" not in status
        await eventually(overdue, lambda jobs: jobs == 0)
        assert status["message"].startswith(
            "Node local does not answer; the scenario may run there until 2"
        )
        await own_jobs.no_secrets(job)
        await own_jobs.no_pod(job)


async def test_leftovers_go(own_jobs: Jobs, a_controller: StartController) -> None:
    """Inputs that no job claimed, Secrets of a finished job; what is not ours stays."""
    nobodys = "00000000-ffff-4fff-8fff-000000000001"
    inputs, foreign = names.inputs_secret_for(nobodys), names.registry_secret_for(nobodys)
    async with a_controller() as controller:
        await controller.start()
        job = await own_jobs.job(await own_jobs.target())
        await own_jobs.finished(job)
        await own_jobs.no_secrets(job)
        ours = {well_known.APP: well_known.APP_SCENARIO}
        for name, of in ((inputs, nobodys), (names.inputs_secret_for(job), job)):
            await own_jobs.secret(
                {"name": name, "labels": ours | {well_known.JOB_ID: of}}, {"a": "b"}
            )
        await own_jobs.secret({"name": foreign}, {"a": "b"})
        await own_jobs.no_secrets(job)
        await eventually(lambda: own_jobs.found(f"secrets/{inputs}"), lambda found: found is None)
        assert await own_jobs.found(f"secrets/{foreign}") is not None
