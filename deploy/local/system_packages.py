"""Installs Debian packages on this machine, if the programs that are needed are missing.

Programs are checked, not packages: a program from another source is kept.
"""

import os
import subprocess
from collections.abc import Callable, Mapping

from deploy.local.cache import only_one
from deploy.local.errors import StartError
from deploy.local.progress import Progress

Packages = Mapping[str, Callable[[], bool]]
"""Names of packages, each with a function that says whether what it is needed for is there."""

# Installed packages may be in use: none of them is removed in a conflict.
APT = (
    *("apt-get", "--quiet=2", "--yes", "--no-install-recommends", "--no-remove"),
    "--option=DPkg::Lock::Timeout=300",  # another apt may run
)
SECONDS = 600


def install(packages: Packages, progress: Progress) -> None:
    """Install the missing packages; raises StartError with apt's message if that fails."""
    with only_one("apt", lambda: progress.note("waiting for another start to install packages")):
        missing = [package for package, is_there in packages.items() if not is_there()]
        if not missing:
            return
        progress.note(f"installing {' '.join(missing)} (once)")
        # The current package lists may be enough; if they are missing or old, update them.
        if _apt("install", *missing) is not None:
            failure = _apt("update") or _apt("install", *missing)
            if failure is not None:
                raise StartError(f"{' '.join(missing)} cannot be installed: {failure}")


def _apt(*arguments: str) -> str | None:
    """Run apt-get; return the last line of its error output, None on success."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        ran = subprocess.run(  # noqa: S603  # with the packages of our own lists
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
