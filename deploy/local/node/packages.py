"""Installs the Debian packages that a node needs, if their programs are missing.

Programs are checked, not packages: a containerd from another source is kept.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from deploy.local.errors import StartError
from deploy.local.progress import Progress

PLUGINS = Path("/usr/lib/cni")
"""The CNI plugins for the pod network."""
BUSYBOX = Path("/bin/busybox")
"""The content of the images; it has to be the static binary."""

PACKAGES: dict[str, Callable[[], bool]] = {
    "containerd": lambda: _on_path("containerd", "containerd-shim-runc-v2", "ctr", "runc"),
    "containernetworking-plugins": lambda: _are_files(PLUGINS / "bridge", PLUGINS / "host-local"),
    "busybox-static": lambda: _are_files(BUSYBOX) and b"/ld-linux" not in BUSYBOX.read_bytes(),
}
# Installed packages may be in use: none of them is removed in a conflict.
APT = ("apt-get", "--quiet=2", "--yes", "--no-install-recommends", "--no-remove")
SECONDS = 600


def install(progress: Progress) -> None:
    """Install the missing packages; raises StartError with apt's message if that fails."""
    missing = [package for package, is_there in PACKAGES.items() if not is_there()]
    if not missing:
        return
    progress.note(f"installing {' '.join(missing)} (once)")
    # The current package lists may be enough; if they are missing or old, update them.
    if _apt("install", *missing) is not None:
        failure = _apt("update") or _apt("install", *missing)
        if failure is not None:
            raise StartError(f"{' '.join(missing)} cannot be installed: {failure}")


def _on_path(*programs: str) -> bool:
    return all(shutil.which(program) for program in programs)


def _are_files(*paths: Path) -> bool:
    return all(path.is_file() for path in paths)


def _apt(*arguments: str) -> str | None:
    """Run apt-get; return the last line of its error output, None on success."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        ran = subprocess.run(  # noqa: S603  # with the packages named above
            [*APT, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = (ran.stderr.strip() or ran.stdout.strip() or "no output").splitlines()
    return said[-1] if ran.returncode else None
