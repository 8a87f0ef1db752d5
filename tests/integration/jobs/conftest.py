"""One controller that the tests of jobs share; those that do it harm start their own."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.support.controllers import Controller, controller
from tests.support.jobs import Jobs
from tests.support.running import make_namespace, remove_namespace

# What takes minutes by default takes seconds.
BRISK = {
    "start_deadline_seconds": 4,
    "grace_seconds": 2,
    "sweep_seconds": 1,
    "unclaimed_seconds": 2,
    "lease_seconds": 2,
}
# A leader of whom nobody takes over keeps its Lease while the machine is busy.
UNDISTURBED = {"lease_seconds": 60}
StartController = Callable[..., contextlib.AbstractAsyncContextManager[Controller]]


@contextlib.asynccontextmanager
async def a_namespace(control_plane: ControlPlane) -> AsyncIterator[Jobs]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(control_plane.cluster, name)
    try:
        yield Jobs(control_plane, name)
    finally:
        await remove_namespace(control_plane.cluster, name)


@pytest_asyncio.fixture(scope="session")
async def patient_jobs(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Jobs]:
    """A namespace with a controller that gives jobs as long to start as it does by default."""
    async with (
        a_namespace(control_plane) as jobs,
        controller(
            control_plane.cluster,
            jobs.namespace,
            tmp_path_factory.mktemp("patient"),
            BRISK | {"start_deadline_seconds": 300} | UNDISTURBED,
        ) as process,
    ):
        await process.start()
        yield jobs


@pytest_asyncio.fixture(scope="session")
async def brisk_jobs(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Jobs]:
    """A namespace with a controller that gives jobs four seconds to start."""
    async with (
        a_namespace(control_plane) as jobs,
        controller(
            control_plane.cluster,
            jobs.namespace,
            tmp_path_factory.mktemp("brisk"),
            BRISK | UNDISTURBED,
        ) as process,
    ):
        await process.start()
        yield jobs


@pytest_asyncio.fixture
async def own_jobs(control_plane: ControlPlane) -> AsyncIterator[Jobs]:
    """A namespace of this test alone, without a controller."""
    async with a_namespace(control_plane) as jobs:
        yield jobs


@pytest.fixture
def a_controller(control_plane: ControlPlane, own_jobs: Jobs, tmp_path: Path) -> StartController:
    """Give a controller of `own_jobs`; `start` it."""

    def make(**changes: Any) -> contextlib.AbstractAsyncContextManager[Controller]:
        settings = BRISK | {"start_deadline_seconds": 300} | changes
        return controller(control_plane.cluster, own_jobs.namespace, tmp_path, settings)

    return make
