"""The image of the CI recipes: the package can be built from what its Containerfile copies."""

import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from deploy.local.services import REPOSITORY
from tests.support.recipes import CONTAINERFILE


def test_the_copied_files_are_enough_for_the_command(tmp_path: Path) -> None:
    lines = [shlex.split(line) for line in CONTAINERFILE.read_text().splitlines()]
    for *sources, target in (words[1:] for words in lines if words[:1] == ["COPY"]):
        into = tmp_path / target.lstrip("/")
        for source in sources:
            if (REPOSITORY / source).is_dir():
                shutil.copytree(REPOSITORY / source, into)
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(REPOSITORY / source, into)
    made = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path],
        cwd=tmp_path / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
        [entry_points] = [name for name in names if name.endswith("entry_points.txt")]
        assert "krkn-grpc = krkn_grpc.cli.app:app" in files.read(entry_points).decode()
    assert "krkn_grpc/v1/scenario_runs_pb2.py" in names
