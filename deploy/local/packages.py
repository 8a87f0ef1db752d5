"""Packages from PyPI that are installed apart from .venv, into the cache, as one lock pins them."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local.cache import cache_folder, only_one
from deploy.local.errors import StartError
from deploy.local.progress import Progress

LOCKS = Path(__file__).resolve().parents[2] / "requirements"


def installed(lock: Path, what: str, progress: Progress) -> Path:
    """Return the folder with the packages of `lock`, installed once; `what` is for people."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    folder = cache_folder() / f"{lock.stem}-packages-{digest}"
    with only_one(folder.name, lambda: progress.note(f"waiting for another start to get {what}")):
        if not folder.exists():
            progress.note(f"installing {what} from PyPI (once)")
            if (why := install(lock, folder)) is not None:
                raise StartError(f"{what} could not be installed: {why}")
    return folder


def install(lock: Path, folder: Path) -> str | None:
    """Install what `lock` pins into a new folder, whole or not at all; return why it failed."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = [*_installer(), "install", "--quiet", "--only-binary", ":all:", "--no-deps"]
    command += ["--require-hashes", "--target", str(partial), "--requirement", str(lock)]
    result = subprocess.run(  # noqa: S603  # our own pip, with the packages that the lock pins
        command, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines() or ["no output"]
        return lines[-1].strip()
    os.replace(partial, folder)
    return None


def _installer() -> list[str]:
    """Choose this Python's pip, or uv where a virtual environment was made without pip."""
    probe = subprocess.run([sys.executable, "-c", "import pip"], capture_output=True, check=False)
    if probe.returncode == 0:
        return [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    beside_python = Path(sys.executable).with_name("uv")
    uv = str(beside_python) if beside_python.exists() else shutil.which("uv")
    if uv is None:
        raise StartError("packages from PyPI are needed: install pip or uv to get them")
    return [uv, "pip"]
