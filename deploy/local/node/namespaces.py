"""The namespaces of a node's processes, which isolate them from the rest of the machine.

outside                    inside
network                    only loopback, and interfaces created inside
mounts                     the same, except folders that a node writes to: those are in memory
processes                  only those inside; they end with the first one
/proc/sys                  already has the values that kubelet needs: it changes nothing

Not unshare(1): with --fork it blocks SIGINT and SIGTERM, and an interrupt would not reach the
command.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.local.errors import StartError
from deploy.local.processes.dies_with_parent import PR_SET_PDEATHSIG

SERVICE_ADDRESS = "10.0.0.1"
"""On loopback, reachable from pods too; every local API server's certificate includes it."""

# Fixed in kubelet, containerd and the CNI plugins.
WRITTEN_TO = ("/run", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers")

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x8000000, 0x20000000, 0x40000000
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, IFF_UP = 0x8914, 0x8916, 0x891C, 1

# kubelet sets these for the whole machine, unless they already have these values.
KERNEL = {
    "kernel/keys/root_maxbytes": "25000000",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
}


@contextlib.contextmanager
def left() -> Iterator[None]:
    """Leave the machine's namespaces; the first child is process 1 of the new ones.

    At the end the machine's mounts are visible again, and those made meanwhile are not.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/self/ns/mnt").open("rb") as mounts:
        if libc.unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET) != 0:
            reason = os.strerror(ctypes.get_errno())
            raise StartError(f"no namespaces can be made: {reason}")
        try:
            yield
        finally:
            libc.setns(mounts.fileno(), CLONE_NEWNS)


def furnish() -> None:
    """Set up mounts and network inside. Called by the first process there."""
    _mount("--make-rprivate", "/")
    _mount("-t", "proc", "proc", "/proc")
    for folder in WRITTEN_TO:
        _mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", folder)
    kernel = Path("/run/kernel")
    kernel.mkdir()
    for name, value in KERNEL.items():
        if (setting := Path("/proc/sys") / name).exists():
            wanted = kernel / name.replace("/", ".")
            wanted.write_text(f"{value}\n")
            _mount("--bind", str(wanted), str(setting))
    _network()


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _network() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
        # The mask comes second: the address alone implies 10.0.0.0/8, including the pods' network.
        for call, value in (SIOCSIFADDR, SERVICE_ADDRESS), (SIOCSIFNETMASK, "255.255.255.255"):
            address = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(any_socket, call, struct.pack("16s16s", b"lo:1", address))


def _mount(*arguments: str) -> None:
    ran = subprocess.run(  # noqa: S603
        ["mount", *arguments],  # noqa: S607  # the machine's own
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise StartError(f"mount {' '.join(arguments)}: {ran.stderr.strip()}")
