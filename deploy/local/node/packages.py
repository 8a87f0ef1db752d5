"""The Debian packages that a node needs."""

import shutil
from pathlib import Path

from deploy.local import system_packages
from deploy.local.progress import Progress

PLUGINS = Path("/usr/lib/cni")
"""The CNI plugins for the pod network."""
BUSYBOX = Path("/bin/busybox")
"""The content of the images; it has to be the static binary."""

PACKAGES: system_packages.Packages = {
    "containerd": lambda: _on_path("containerd", "containerd-shim-runc-v2", "ctr", "runc"),
    "containernetworking-plugins": lambda: _are_files(PLUGINS / "bridge", PLUGINS / "host-local"),
    "busybox-static": lambda: _are_files(BUSYBOX) and b"/ld-linux" not in BUSYBOX.read_bytes(),
}


def install(progress: Progress) -> None:
    """Install the missing packages; raises StartError with apt's message if that fails."""
    system_packages.install(PACKAGES, progress)


def _on_path(*programs: str) -> bool:
    return all(shutil.which(program) for program in programs)


def _are_files(*paths: Path) -> bool:
    return all(path.is_file() for path in paths)
