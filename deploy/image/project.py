"""The top layer: the processes' own code, from the wheel of this tree."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.image.target import REPOSITORY, SITE
from deploy.local.errors import StartError

# Client and command are for other machines; the command's packages are not in the image either.
LEFT_OUT = (
    "krkn_grpc/cli",
    "krkn_grpc/client",
    "*.dist-info/RECORD",
    "*.dist-info/entry_points.txt",
)


@dataclass(frozen=True)
class Commit:
    """What the tree is."""

    revision: str
    """The commit, with `-modified` if files differ from it; empty if this is no clone."""
    seconds: int
    """Its time, in seconds since 1970: the only time in the image."""

    @property
    def created(self) -> str:
        """Return its time in RFC 3339."""
        return datetime.fromtimestamp(self.seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def commit() -> Commit:
    """Ask git; SOURCE_DATE_EPOCH of the environment is taken as the time instead."""
    revision, changed = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct")
    return Commit(f"{revision}-modified" if changed else revision, int(seconds or 0))


def install(root: Path) -> None:
    """Put the project into a layer's folder; raises StartError if its wheel cannot be built."""
    site = root / SITE
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        ran = subprocess.run(  # noqa: S603
            command, cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise StartError(f"the project's wheel cannot be built: {ran.stderr.strip()}")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)  # our own wheel, of a moment ago
    for pattern in LEFT_OUT:
        for path in sorted(site.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    ran = subprocess.run(  # noqa: S603
        command, cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    return ran.stdout.strip() if ran.returncode == 0 else ""
