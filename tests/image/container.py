"""Runs the image's processes as a container runtime would, with the tools that every Linux has.

Their root is the image's, read-only; they are uid 1001, with the image's environment alone, and
share only network and processes with this machine.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.image.target import USER
from deploy.local.processes.children import Program

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
ENVOY = "/etc/envoy"
ADMIN = "/run/envoy"
DATA = "/mnt"
TEMPORARY = "/tmp"
MOUNT_POINTS = (ACCOUNT, ENVOY, ADMIN, DATA, TEMPORARY)

_START = """
set -e
root=$1 user=$2 chroot=$3; shift 3
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
while [ "$1" != -- ]; do
    mount --bind "$1" "$root$2"; shift 2
done
shift
cd "$root"
exec "$chroot" --userspec="$user" "$root" "$@"
"""


@dataclass(frozen=True)
class Root:
    """An unpacked image."""

    folder: Path
    environment: Sequence[str]

    def program(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        mounts: Mapping[str, Path],
    ) -> Program:
        """Return a program that runs a command in a container with these mounts."""
        chroot = shutil.which("chroot")
        assert chroot, "there is no chroot"
        told = [f"{key}={value}" for key, value in environment.items()]
        flat = [text for point, folder in mounts.items() for text in (str(folder), point)]
        argv = [
            *("env", "--ignore-environment", *self.environment, *told),
            *("unshare", "--mount", "--propagation=private", "/bin/sh", "-c", _START, "sh"),
            *(str(self.folder), f"{USER}:{USER}", chroot, *flat, "--", *command),
        ]
        return Program(name, argv)
