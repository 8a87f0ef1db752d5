"""A node's cgroup in both versions, on folders that look like the kernel's."""

from pathlib import Path

import pytest

from deploy.local.errors import StartError
from deploy.local.node import cgroups

NAME = f"{cgroups.PREFIX}7"


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    for controller in ("memory", "cpuset", "pids"):
        (tmp_path / controller).mkdir()
        (tmp_path / controller / "cgroup.procs").touch()
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1\n")
    (tmp_path / "cpuset" / "cpuset.mems").write_text("0\n")
    # As where cpu is another name of a controller that is mounted together with others.
    (tmp_path / "other-name").symlink_to("memory")
    return tmp_path


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.procs").touch()
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("memory pids\n")
    (tmp_path / "cpuset.cpus").touch()
    return tmp_path


def test_version_1_is_a_cgroup_in_each_tree(v1: Path) -> None:
    cgroups.make(NAME, v1)
    assert sorted(path.parent.name for path in v1.glob(f"*/{NAME}") if path.is_dir()) == [
        "cpuset",
        "memory",
        "other-name",
        "pids",
    ]
    cpuset = v1 / "cpuset" / NAME
    assert (cpuset / "cpuset.cpus").read_text() == "0-1\n"
    assert (cpuset / "cpuset.mems").read_text() == "0\n"


def test_version_2_is_one_cgroup_with_every_controller(v2: Path) -> None:
    cgroups.make(NAME, v2)
    assert (v2 / NAME).is_dir()
    assert not list((v2 / NAME).iterdir())
    # The kernel takes what to add; a file keeps what was written last.
    assert (v2 / "cgroup.subtree_control").read_text() == "+cpuset +cpu"


def test_one_below_another_has_what_that_has(v1: Path) -> None:
    cgroups.make(NAME, v1)
    (v1 / "cpuset" / NAME / "cpuset.cpus").write_text("1\n")
    cgroups.make(f"{NAME}/node-1", v1)
    assert (v1 / "memory" / NAME / "node-1").is_dir()
    assert (v1 / "cpuset" / NAME / "node-1" / "cpuset.cpus").read_text() == "1\n"


def test_in_version_2_one_below_another_is_handed_every_controller(v2: Path) -> None:
    cgroups.make(NAME, v2)
    (v2 / NAME / "cgroup.controllers").write_text("cpu memory\n")
    (v2 / NAME / "cgroup.subtree_control").write_text("memory\n")
    cgroups.make(f"{NAME}/node-1", v2)
    assert (v2 / NAME / "cgroup.subtree_control").read_text() == "+cpu"


def test_one_with_a_process_is_not_abandoned(v2: Path) -> None:
    cgroups.make(NAME, v2)
    (v2 / NAME / "pod").mkdir()
    (v2 / NAME / "pod" / "cgroup.procs").write_text("7\n")
    assert cgroups.abandoned(v2) == []


def test_what_cannot_be_made_is_one_sentence(v1: Path) -> None:
    cgroups.make(NAME, v1)
    with pytest.raises(StartError, match="no cgroup can be made"):
        cgroups.make(NAME, v1)


def test_it_goes_with_all_below_it_and_nothing_else_does(v2: Path) -> None:
    (v2 / "of-another").mkdir()
    cgroups.make(NAME, v2)
    (v2 / NAME / "kubepods" / "besteffort" / "pod").mkdir(parents=True)
    assert cgroups.abandoned(v2) == [NAME]
    cgroups.remove(NAME, v2)
    assert cgroups.abandoned(v2) == []
    assert (v2 / "of-another").is_dir()
    cgroups.remove(NAME, v2)
