"""The folder `.local` in the working folder of `make run`: files for the user while it runs."""

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
    """Create the folder, private and empty; remove it at the end. One run at a time uses it."""
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
    """Remove the leftovers of a killed run."""
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != LOCK:
            entry.unlink()
