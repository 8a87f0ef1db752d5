"""The package as others install it: its types, and the files of Envoy's configuration."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from deploy.local.services import REPOSITORY
from krkn_grpc.edge.render import render
from krkn_grpc.edge.settings import EnvoySettings

CLIENT = """
import asyncio

import grpc

from krkn_grpc.v1 import scenario_runs_pb2, targets_pb2
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceAsyncStub
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub


def names(channel: grpc.Channel) -> list[str]:
    reply = TargetServiceStub(channel).ListTargets(targets_pb2.ListTargetsRequest(page_size=5))
    return [target.cluster_name for target in reply.targets]


async def run(channel: grpc.aio.Channel, target: str) -> str:
    stub: ScenarioRunServiceAsyncStub = ScenarioRunServiceAsyncStub(channel)
    request = scenario_runs_pb2.RunScenarioRequest(target_uuids=[target])
    reply = await stub.RunScenario(request, timeout=5)
    async for message in stub.WatchScenarioRuns(scenario_runs_pb2.WatchScenarioRunsRequest()):
        return message.job.status
    return reply.jobs[0].job_id


async def main() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:8080") as channel:
        print(await run(channel, names(grpc.insecure_channel("127.0.0.1:8080"))[0]))


asyncio.run(main())
"""
WRONG = CLIENT.replace("target.cluster_name", "target.clusterName")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*build, str(folder)], cwd=REPOSITORY, check=True, capture_output=True)
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, and the packages of this one."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    [packages] = environment.glob("lib/python3*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_it_has_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"krkn_grpc", "controller"}
    assert "krkn_grpc/py.typed" in names
    own = {
        f"krkn_grpc/edge/envoy/{path.relative_to(REPOSITORY / 'envoy')}"
        for path in (REPOSITORY / "envoy").rglob("*")
        if path.is_file()
    }
    assert own <= names


def test_envoys_configuration_is_the_same_from_anywhere(installed: Path, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "KRKN_AUTH": "none"}
    found = subprocess.run(
        [installed, "-m", "krkn_grpc.edge.render"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == render(EnvoySettings(auth="none"))


@pytest.mark.parametrize(("client", "is_right"), [(CLIENT, True), (WRONG, False)])
def test_a_client_is_checked_by_its_types(
    installed: Path, tmp_path: Path, client: str, is_right: bool
) -> None:
    (tmp_path / "client.py").write_text(client)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(installed)]
    found = subprocess.run(
        [*mypy, "client.py"], check=False, cwd=tmp_path, capture_output=True, text=True
    )
    assert (found.returncode == 0) == is_right, found.stdout
    assert is_right or "clusterName" in found.stdout
