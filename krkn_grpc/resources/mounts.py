"""Rules for file paths in a scenario's container: files must not replace the image's programs.

An entry of the list is one of

    /              everywhere
    /folder/       every path below a folder
    /folder/file   exactly this path
"""

import posixpath
from collections.abc import Iterable

from krkn_grpc.resources.chaos_job import DEFAULT_KUBECONFIG_PATH, ChaosJobSpec
from krkn_grpc.resources.text import can_be_shown

EVERYWHERE = "/"
DEFAULT = (
    "/home/krkn/kraken/scenarios/",
    # The paths from which krkn's scenarios read a file.
    "/home/krkn/osServiceAccount.json",
    "/home/krkn/resiliency-file.yaml",
    "/var/home/",
    # Empty in images: for files whose path is given by a variable.
    "/mnt/",
)
LONGEST = 4096
_FORBIDDEN_ROOTS = ("/proc", "/sys", "/dev")
_SCRATCH = "/tmp"  # noqa: S108 - the container's, where the pod has its emptyDir


def read(text: str) -> tuple[str, ...]:
    """Return the entries of a comma separated list; raises ValueError for an invalid entry."""
    given = tuple(part.strip() for part in text.split(",") if part.strip())
    for entry in given:
        path = entry.removesuffix("/")
        if entry != EVERYWHERE and not is_plain(path):
            raise ValueError(f"{entry!r} is not an absolute path, or a folder that ends with /")
    return given


def is_plain(path: str) -> bool:
    """Whether this is an absolute, unambiguous file path that a volume mount can have."""
    return (
        path.startswith("/")
        and not path.startswith("//")
        and len(path) <= LONGEST
        and can_be_shown(path)
        and ":" not in path
        and posixpath.normpath(path) == path
        and path not in ("/", _SCRATCH)
    )


def is_of_the_kernel(path: str) -> bool:
    """Whether the path is in a file system of the kernel, where no file is ever placed."""
    return any(path == root or path.startswith(f"{root}/") for root in _FORBIDDEN_ROOTS)


def is_allowed(path: str, allowed: Iterable[str]) -> bool:
    """Whether a file may be placed at this path."""
    return is_plain(path) and any(
        path.startswith(entry) if entry.endswith("/") else path == entry for entry in allowed
    )


def is_allowed_for_kubeconfig(path: str, allowed: Iterable[str]) -> bool:
    """Whether the target's kubeconfig may be at this path: a file's path or its default path."""
    return path == DEFAULT_KUBECONFIG_PATH or is_allowed(path, allowed)


def first_not_allowed(spec: ChaosJobSpec, allowed: tuple[str, ...]) -> str | None:
    """Return the first path of a job that is not allowed; None if all are."""
    if not is_allowed_for_kubeconfig(spec.kubeconfig_path, allowed):
        return spec.kubeconfig_path
    paths = (file.mount_path for file in spec.files)
    return next((path for path in paths if not is_allowed(path, allowed)), None)
