"""The programs `prometheus` and `promtool`: the machine's own, else from Debian's package.

The package is unpacked into the cache and not installed, so no service starts and root is not
needed. Others that its pages in a browser need are unpacked beside it.

As a command, `python -m deploy.local.prometheus.programs` fetches them and prints their paths.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local.cache import cache_folder, only_one
from deploy.local.debian import Apt
from deploy.local.errors import StartError
from deploy.local.go.module import Binaries
from deploy.local.progress import Progress

NAMES = ("prometheus", "promtool")
PAGES = (
    "fonts-glyphicons-halflings",
    "libjs-bootstrap4",
    "libjs-d3",
    "libjs-eonasdan-bootstrap-datetimepicker",
    "libjs-jquery",
    "libjs-jquery-hotkeys",
    "libjs-moment",
    "libjs-moment-timezone",
    "libjs-mustache",
    "libjs-popper.js",
    "libjs-rickshaw",
)
"""The packages with what its pages load, by links from its own files."""

_FOLDER = "prometheus-debian-with-pages"
_NEEDS = "Prometheus is needed on PATH or as a package of Debian"


def prometheus_programs(progress: Progress) -> Binaries:
    """Find `prometheus` and `promtool`: both on PATH, in the cache, or fetched now.

    Raises StartError if they cannot be had.
    """
    on_path = {name: Path(path) for name in NAMES if (path := shutil.which(name))}
    if len(on_path) == len(NAMES):
        return on_path
    folder = cache_folder() / _FOLDER
    found = {name: folder / "usr" / "bin" / name for name in NAMES}
    with only_one(_FOLDER, lambda: progress.note("waiting for another start to fetch Prometheus")):
        if not all(path.exists() for path in found.values()):
            _fetch(folder, progress)
    return found


def pages(programs: Binaries) -> Path | None:
    """Return the folder of the pages of a Prometheus that was unpacked, None for another one."""
    folder = programs["prometheus"].parents[1] / "share" / "prometheus" / "web"
    return folder if cache_folder() in folder.parents and folder.exists() else None


def _fetch(folder: Path, progress: Progress) -> None:
    progress.note("fetching Debian's package of Prometheus (once; half a minute)")
    work = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(work, ignore_errors=True)
    apt = Apt(work / "apt", _NEEDS)
    apt.update()
    unpacked = work / "unpacked"
    for archive in apt.fetch(["prometheus", *PAGES], work / "packages"):
        command = ["dpkg-deb", "--extract", str(archive), str(unpacked)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if ran.returncode:
            raise StartError(f"{archive.name} cannot be unpacked: {ran.stderr.strip()}")
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(unpacked, folder)
    shutil.rmtree(work)


def main() -> None:
    """Run the command; see the module."""
    try:
        found = prometheus_programs(Progress())
    except StartError as error:
        sys.exit(str(error))
    for path in found.values():
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
