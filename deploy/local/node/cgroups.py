"""The cgroup of all pods of a node: created before, removed after it, for cgroup v1 and v2."""

import contextlib
import errno
import time
from pathlib import Path

from deploy.local.errors import StartError

ROOT = Path("/sys/fs/cgroup")
PREFIX = "krkn-grpc-node-"
BUSY_SECONDS = 10.0
# Version 1 and version 2; twenty times the usual one.
WEIGHTS = {"cpu.shares": "20480", "cpu.weight": "2000"}
CPUSET = ("cpuset.cpus", "cpuset.mems")


def make(name: str, root: Path = ROOT) -> None:
    """Create the cgroup in every hierarchy, with every available controller.

    The name of one below another is a path, and the other one is there already.
    """
    try:
        for hierarchy in hierarchies(root):
            cgroup = hierarchy / name
            if is_v2(root):
                _hand_down(cgroup.parent)
            cgroup.mkdir()
            _favour(cgroup)
            # Version 1 accepts no process in a cpuset without CPUs.
            if (hierarchy / "cpuset.cpus").exists() and not is_v2(root):
                for file in CPUSET:
                    (cgroup / file).write_text((cgroup.parent / file).read_text())
    except OSError as error:
        raise StartError(f"no cgroup can be made: {error}") from None


def _favour(cgroup: Path) -> None:
    """Let the processes inside have the processor as often as many outside.

    Else all pods together would get no more of a busy machine than one process of its own.
    """
    for file, weight in WEIGHTS.items():
        if (cgroup / file).exists():
            (cgroup / file).write_text(weight)


def remove(name: str, root: Path = ROOT) -> None:
    """Remove the cgroup and all below it; its processes have been killed already."""
    for hierarchy in hierarchies(root):
        for cgroup in _deepest_first(hierarchy / name):
            _remove_one(cgroup)


def abandoned(root: Path = ROOT) -> list[str]:
    """Return the leftover cgroups of killed runs: those without processes."""
    found = {path.name for each in hierarchies(root) for path in each.glob(f"{PREFIX}*")}
    return sorted(name for name in found if not _has_processes(name, root))


def _has_processes(name: str, root: Path) -> bool:
    lists = (file for each in hierarchies(root) for file in (each / name).rglob("cgroup.procs"))
    return any(file.read_text().strip() for file in lists)


def hierarchies(root: Path = ROOT) -> list[Path]:
    """Return the single hierarchy of version 2, or the hierarchies of version 1."""
    if is_v2(root):
        return [root]
    trees = (path for path in root.iterdir() if not path.is_symlink())
    return sorted(path for path in trees if (path / "cgroup.procs").exists())


def is_v2(root: Path = ROOT) -> bool:
    """Whether the machine uses cgroup version 2: one hierarchy for all controllers."""
    return (root / "cgroup.controllers").exists()


def _hand_down(parent: Path) -> None:
    """Enable the parent's controllers for the cgroups below it."""
    there = (parent / "cgroup.controllers").read_text().split()
    given = (parent / "cgroup.subtree_control").read_text().split()
    if missing := [controller for controller in there if controller not in given]:
        # Refused if the parent itself has processes, unless it is the root cgroup.
        (parent / "cgroup.subtree_control").write_text(" ".join(f"+{each}" for each in missing))


def _deepest_first(cgroup: Path) -> list[Path]:
    if not cgroup.exists():
        return []
    below = [path for path in cgroup.rglob("*") if path.is_dir()]
    return [*sorted(below, key=lambda path: len(path.parts), reverse=True), cgroup]


def _remove_one(cgroup: Path) -> None:
    """Remove a cgroup, with retries: a killed process keeps it busy for a moment."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        with contextlib.suppress(FileNotFoundError):
            try:
                cgroup.rmdir()
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
                continue
        return
