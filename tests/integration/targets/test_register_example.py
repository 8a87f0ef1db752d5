"""examples/register_target.py, as its docstring says to run it."""

import asyncio
import os
import sys
from pathlib import Path

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.services import REPOSITORY
from tests.integration.targets.conftest import Replicas
from tests.support.programs import output_of
from tests.support.requests import unused_name


async def example(replicas: Replicas, *arguments: str) -> tuple[int, list[str]]:
    """Run it; return its exit code and the lines that it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "examples.register_target", *arguments),
        cwd=REPOSITORY,
        env={**os.environ, "KRKN_SERVER": replicas.first.processes.grpc_address},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await output_of(process, seconds=90)
    return process.returncode or 0, output.decode().splitlines()


async def test_a_cluster_is_registered_listed_and_deleted(
    replicas: Replicas, target_cluster: ControlPlane
) -> None:
    name = unused_name()
    file = str(target_cluster.admin_kubeconfig)
    code, lines = await example(replicas, name, file, "--delete")
    assert code == 0, lines
    uuid = lines[0].removeprefix(f"{name} is registered as ")
    assert lines[1] == f"{name} is ready"
    assert "\t".join([uuid, name, target_cluster.url, "Ready"]) in lines[2:-1]
    assert lines[-1] == f"{name} is deleted"
    assert uuid not in [target.uuid for target in await replicas.targets[0].list()]


async def test_what_is_wrong_is_one_clear_line(replicas: Replicas, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert await example(replicas, unused_name(), str(missing)) == (
        1,
        [f"{missing} cannot be read: No such file or directory"],
    )
    empty = tmp_path / "empty"
    empty.write_text("a: b")
    code, [line] = await example(replicas, unused_name(), str(empty))
    assert code == 1
    assert line.startswith("The call failed: kubeconfig")
