"""The folder `.local` where `make run` is called: what a person wants to find while it runs."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from deploy.local.errors import StartError

FOLDER = ".local"
LOCK = ".in-use"


@contextlib.contextmanager
def local_folder() -> Iterator[Path]:
    """Make it anew, private and empty; remove it at the end. Only one run at a time has it."""
    folder = Path.cwd() / FOLDER
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"it runs already from here: {folder} is in use") from None
        try:
            _empty(folder)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _empty(folder: Path) -> None:
    """Remove what a run left that was killed."""
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != LOCK:
            entry.unlink()
