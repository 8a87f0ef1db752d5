"""An image that is not allowed never runs, though somebody wrote its job with kubectl."""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.support.controllers import controller
from tests.support.jobs import Jobs
from tests.support.running import make_namespace, remove_namespace

ALLOWED = "registry.example/krkn-hub,registry.example/more/"


@pytest_asyncio.fixture(scope="module")
async def jobs(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Jobs]:
    """A namespace whose controller allows some images."""
    jobs = Jobs(control_plane, f"test-{uuid.uuid4().hex[:8]}")
    await make_namespace(control_plane.cluster, jobs.namespace)
    folder = tmp_path_factory.mktemp("images")
    settings = {"allowed_images": ALLOWED}
    async with controller(control_plane.cluster, jobs.namespace, folder, settings) as process:
        await process.start()
        yield jobs
    await remove_namespace(control_plane.cluster, jobs.namespace)


@pytest.mark.parametrize(
    "image",
    [
        "registry.example/other:exit-0",
        "registry.example/krkn-hub-evil",
        "registry.example/krkn-hub/../other",
        "docker.io/registry.example/krkn-hub",
    ],
)
async def test_a_job_of_another_image_fails_and_has_no_pod(jobs: Jobs, image: str) -> None:
    job = await jobs.job(await jobs.target(), scenarioImage=image)
    status = await jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "ImageNotAllowed")
    assert status["message"] == "The image is not among those that may be run here."
    assert "podUID" not in status
    assert "startTime" not in status
    assert await jobs.pod(job) is None
    await jobs.no_secrets(job)


@pytest.mark.parametrize(
    "image", ["registry.example/krkn-hub:pod-scenarios", "registry.example/more/own:1"]
)
async def test_a_job_of_an_allowed_image_runs(jobs: Jobs, image: str) -> None:
    job = await jobs.job(await jobs.target(), scenarioImage=image)
    assert (await jobs.finished(job))["phase"] == "Succeeded"
