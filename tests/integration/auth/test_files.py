"""An allowed image runs its own programs: no file over them, no variable that makes them load code.

Asked by the server, and again by the controller of a job that was written with kubectl.
"""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.resources import mounts
from tests.integration.auth.conftest import Guarded
from tests.integration.auth.test_runs import register, run
from tests.support.controllers import controller
from tests.support.inventory import written
from tests.support.jobs import Jobs
from tests.support.running import make_namespace, remove_namespace

OVER_ITS_OWN = "/home/krkn/env.sh"
ELSEWHERE = f"is not where this service lets files be placed: {', '.join(mounts.DEFAULT)}"
LOADS = "may not be set: by it a program of the image loads code or another configuration"


@pytest_asyncio.fixture(scope="module")
async def jobs(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Jobs]:
    """A namespace whose controller lets files be where it does by default."""
    jobs = Jobs(control_plane, f"test-{uuid.uuid4().hex[:8]}")
    await make_namespace(control_plane.cluster, jobs.namespace)
    folder = tmp_path_factory.mktemp("files")
    settings = {"allowed_mount_paths": ",".join(mounts.DEFAULT)}
    async with controller(control_plane.cluster, jobs.namespace, folder, settings) as process:
        await process.start()
        yield jobs
    await remove_namespace(control_plane.cluster, jobs.namespace)


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"files": [{"name": "env.sh", "mount_path": OVER_ITS_OWN, "content": "ZXhpdCAwCg=="}]},
        f"files[0].mountPath: {ELSEWHERE}",
    ),
    ({"kubeconfig_path": OVER_ITS_OWN}, f"kubeconfigPath: {ELSEWHERE}"),
    ({"environment": {"BASH_ENV": "/mnt/a"}}, f"environment[BASH_ENV]: {LOADS}"),
    ({"secret_environment": {"LD_PRELOAD": "/mnt/a"}}, f"secretEnvironment[LD_PRELOAD]: {LOADS}"),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED, ids=[row[1][:24] for row in REFUSED])
async def test_the_server_starts_nothing(
    guarded: Guarded, changes: dict[str, Any], sentence: str
) -> None:
    target = await register(guarded)
    before = await written(guarded.running.cluster, guarded.running.namespace)
    metadata = await guarded.callers.metadata("runner")
    for validate_only in (True, False):
        found = await run(guarded, metadata, target, validate_only=validate_only, **changes)
        assert found.code is StatusCode.INVALID_ARGUMENT
        assert found.details == sentence
    assert await written(guarded.running.cluster, guarded.running.namespace) == before


async def test_the_server_takes_a_file_where_krkn_wants_it(guarded: Guarded) -> None:
    target = await register(guarded)
    metadata = await guarded.callers.metadata("runner")
    path = "/home/krkn/kraken/scenarios/my scenario.yaml"
    file = {"name": "my scenario.yaml", "mount_path": path, "content": "YTogMQo="}
    found = await run(guarded, metadata, target, files=[file], validate_only=True)
    assert (found.code, found.reply.successful_jobs) == (StatusCode.OK, 1)


BY_KUBECTL: list[tuple[dict[str, Any], str]] = [
    ({"files": [{"name": "env.sh", "mountPath": OVER_ITS_OWN}]}, "MountPathNotAllowed"),
    ({"files": [{"name": "x", "mountPath": "/mnt"}]}, "MountPathNotAllowed"),
    ({"kubeconfigPath": OVER_ITS_OWN}, "MountPathNotAllowed"),
    ({"environment": {"PYTHONPATH": "/mnt/a"}}, "VariableNotAllowed"),
    ({"secretEnvironment": ["NAMESPACE", "PATH"]}, "VariableNotAllowed"),
]


@pytest.mark.parametrize(("spec", "reason"), BY_KUBECTL, ids=[str(row[0]) for row in BY_KUBECTL])
async def test_the_controller_starts_nothing_that_the_server_would_refuse(
    jobs: Jobs, spec: dict[str, Any], reason: str
) -> None:
    job = await jobs.job(await jobs.target(), **spec)
    status = await jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", reason)
    assert status["message"]
    assert "podUID" not in status
    assert await jobs.pod(job) is None
    await jobs.no_secrets(job)


async def test_the_controller_starts_what_the_server_would_take(jobs: Jobs) -> None:
    spec: dict[str, Any] = {
        "kubeconfigPath": "/mnt/config",
        "environment": {"PYTHONUNBUFFERED": "1"},
    }
    job = await jobs.job(await jobs.target(), **spec)
    assert (await jobs.finished(job))["phase"] == "Succeeded"
