"""The temporary folder of one run: private, removed at its end or by the next run."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "krkn-grpc-"
LOCK = "in-use"


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """Create a folder that only this user can read, and remove it at the end.

    A killed run cannot remove its folder, so each new run first removes folders whose lock is no
    longer held.
    """
    _remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    with (folder / f"{LOCK}.new").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Renamed only now: another run must never see the lock file unlocked.
        os.rename(lock.name, folder / LOCK)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # A folder without a lock file is just being created, or is not one of ours.
        with contextlib.suppress(OSError):
            if folder.stat().st_uid != os.getuid():
                continue
            with (folder / LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
