"""`make test` in two processes: a folder in one of them, and what measures alone at the end."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from deploy.local.services import REPOSITORY
from tests.support.side_by_side import ALONE, LAST, LONGEST, place, unit_of

CONFTEST = """
import json, os, pathlib, time
import pytest
from tests.support.side_by_side import FolderScheduling

def pytest_xdist_make_scheduler(config, log):
    return FolderScheduling(config, log)

@pytest.fixture(scope="session")
def process():
    yield os.environ["PYTEST_XDIST_WORKER"]
    time.sleep(0.5)  # what was started ends
    note("the end")

def note(test):
    line = json.dumps([os.environ["PYTEST_XDIST_WORKER"], test])
    with open(pathlib.Path(__file__).with_name("notes"), "a") as notes:
        notes.write(line + "\\n")

@pytest.fixture(autouse=True)
def noted(request, process):
    note(request.node.nodeid)
"""
TESTS = """
import time, pytest

@pytest.mark.parametrize("number", range(6))
def test(number):
    time.sleep(0.02)
"""
END = "the end"
FOLDERS = ("tests/a", "tests/b", "tests/c", LONGEST[0])


def test_the_files_and_folders_that_it_names_are_there() -> None:
    assert [name for name in (*ALONE, *LONGEST) if not (REPOSITORY / name).exists()] == []


def test_the_longest_come_first_and_what_runs_alone_last() -> None:
    units = [LAST, "tests/unit/kube", "tests/rest", *reversed(LONGEST)]
    assert sorted(units, key=place) == [*LONGEST, "tests/rest", "tests/unit/kube", LAST]
    assert unit_of("tests/unit/kube/test_x.py::test_y[a/b::c]") == "tests/unit/kube"
    assert unit_of(f"{ALONE[0]}::test_x") == LAST


def test_each_test_runs_once_and_a_failure_is_told(tmp_path: Path) -> None:
    for name in (*(f"{folder}/test_it.py" for folder in FOLDERS), *ALONE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(TESTS)
    (tmp_path / "tests/a/test_it.py").write_text(f"{TESTS}    assert number")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    options = ("--numprocesses", "2", "--max-worker-restart", "0", "--import-mode", "importlib")
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", tmp_path, "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout
    assert "FAILED tests/a/test_it.py::test[0]" in ended.stdout
    notes: list[Any] = [json.loads(line) for line in (tmp_path / "notes").read_text().splitlines()]
    tests = [test for _, test in notes if test != END]
    assert len(tests) == len({*tests}) == 6 * (len(FOLDERS) + len(ALONE)), ended.stdout

    units = {(unit_of(test), process) for process, test in notes if test != END}
    assert len(units) == len(FOLDERS) + 1, "each in one process"
    assert len({process for _, process in units}) == 2
    # The process that ends first is gone before the first test that runs alone.
    is_alone = [unit_of(test) == LAST for _, test in notes]
    first = is_alone.index(True)
    assert first == 6 * len(FOLDERS) + 1
    assert [test for _, test in notes].index(END) < first
    assert all(is_alone[first:-1])
