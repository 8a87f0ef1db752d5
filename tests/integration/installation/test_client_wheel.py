"""`pip install krkn-grpc`: the client and the command, few packages, and types that hold."""

import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

from deploy.local.services import REPOSITORY

MOST_PACKAGES = 12
WRONG = """
from krkn_grpc.client.plain import Krkn

with Krkn() as krkn:
    krkn.run("pod-scenarios", [], imag="x")
    for target in krkn.targets.list():
        print(target.clusterName)
"""
# The load takes parts of another example; the client of REST is generated.
OTHERS = {"load.py", "rest_quickstart.py"}
SCRIPTS = Path(sysconfig.get_path("scripts"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel of this tree and its needs, in the locked versions."""
    folder = tmp_path_factory.mktemp("client")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    _run([*build, str(folder)])
    [wheel] = folder.glob("*.whl")
    made = folder / "environment"
    venv.create(made, with_pip=False)
    # Without the hashes: the wheel of this tree has none.
    lock = (REPOSITORY / "requirements" / "run.lock").read_text().splitlines()
    pins = [line.split(" ")[0] for line in lock if line[:1].isalnum()]
    (folder / "pins").write_text("\n".join(pins))
    options = ["--python", str(made / "bin" / "python"), "--constraint", str(folder / "pins")]
    _run([str(SCRIPTS / "uv"), "pip", "install", "--quiet", *options, str(wheel)])
    return made


def test_it_needs_few_packages(environment: Path) -> None:
    uv = [str(SCRIPTS / "uv"), "pip", "list", "--format", "freeze"]
    listed = _run([*uv, "--python", str(environment / "bin" / "python")]).stdout.splitlines()
    others = [line for line in listed if not line.startswith("krkn-grpc==")]
    assert len(others) == len(listed) - 1
    assert len(others) <= MOST_PACKAGES, others


def test_command_and_client_work(environment: Path, tmp_path: Path) -> None:
    helped = _run([str(environment / "bin" / "krkn-grpc"), "--help"], cwd=tmp_path)
    assert "targets" in helped.stdout
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    said = _run([str(environment / "bin" / "krkn-grpc"), "--version"], cwd=tmp_path)
    assert said.stdout == f"krkn-grpc {version}\n"
    program = "import krkn_grpc.client.plain as p; print(p.Krkn('127.0.0.1:1').run.__name__)"
    python = [str(environment / "bin" / "python"), "-c", program]
    assert _run(python, cwd=tmp_path).stdout == "run\n"


def test_the_examples_are_checked_by_its_types(environment: Path, tmp_path: Path) -> None:
    """With nothing besides, as for a person who has installed the client and mypy."""
    examples = [each for each in (REPOSITORY / "examples").glob("*.py") if each.name not in OTHERS]
    for example in examples:
        (tmp_path / example.name).write_text(example.read_text())
    (tmp_path / "wrong.py").write_text(WRONG)
    python = str(environment / "bin" / "python")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python]
    names = sorted(each.name for each in examples)
    cache = ["--cache-dir", str(tmp_path / "cache")]
    right = _run([*mypy, *cache, *names], cwd=tmp_path, check=False)
    assert right.returncode == 0, right.stdout
    wrong = _run([*mypy, *cache, "wrong.py"], cwd=tmp_path, check=False)
    assert 'Unexpected keyword argument "imag"' in wrong.stdout
    assert '"Target" has no attribute "clusterName"' in wrong.stdout


def _run(
    command: list[str], cwd: Path = REPOSITORY, *, check: bool = True
) -> subprocess.CompletedProcess[str]:
    # The packages of this environment, and this tree, are not to be found by chance.
    variables = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        command, cwd=cwd, env=variables, capture_output=True, text=True, check=False
    )
    assert not (check and ran.returncode), ran.stderr
    return ran
