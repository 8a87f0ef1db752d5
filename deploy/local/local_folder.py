"""The folder `.local` in the working folder of `make run`: files for the user while it runs.

With KRKN_KEEP it also has what stays for the next start with it.
"""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from deploy.local.errors import StartError

FOLDER = ".local"
LOCK = ".in-use"
LOGS = "logs"
STATE = "state"
"""What etcd has, and the keys that belong to it."""


@contextlib.contextmanager
def local_folder(*, keep: bool = False) -> Iterator[Path]:
    """Create the folder, private and empty; remove it at the end. One run at a time uses it.

    With `keep`, logs and state stay, from the run before and for the next one.
    """
    folder = Path.cwd() / FOLDER
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"it runs already from here: {folder} is in use") from None
        try:
            _empty(folder, keep=keep)
            yield folder
        finally:
            if keep:
                _empty(folder, keep=True)
            else:
                shutil.rmtree(folder, ignore_errors=True)


def _empty(folder: Path, *, keep: bool) -> None:
    """Remove what is there: the leftovers of a killed run, or all that is not kept."""
    kept = {LOCK, LOGS, STATE} if keep else {LOCK}
    for entry in folder.iterdir():
        if entry.name in kept:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
