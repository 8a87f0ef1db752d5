"""The free space that a run needs."""

import shutil
from pathlib import Path

from deploy.local.errors import StartError

MEGABYTE = 1_000_000
# etcd allocates 130 MB at its start, and 64 MB more for every 64 MB that are written.
CONTROL_PLANE_BYTES = 300 * MEGABYTE
# Kubeconfigs, tokens and logs.
FILES_BYTES = 20 * MEGABYTE


def must_have_room(folder: Path, needed: int, remedy: str) -> None:
    """Raise a StartError with the remedy unless so many bytes are free in the folder."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StartError(
            f"{folder} has {free // MEGABYTE} MB free, and {needed // MEGABYTE} MB are needed; "
            f"{remedy}"
        )
