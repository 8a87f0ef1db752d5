"""What an image is built for: a processor, and the Python of Debian 12."""

import platform
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = REPOSITORY / "requirements"
DIST = REPOSITORY / "dist"
"""Where `make image` writes to."""

PYTHON = "3.11"
CODENAME = "bookworm"
SITE = f"usr/local/lib/python{PYTHON}/dist-packages"
"""Where Debian's Python looks for packages that Debian does not have."""
USER = 1001
"""The uid and gid of all processes, as deploy/base has it."""

# The C library of Debian 12 is glibc 2.36: it runs what was built for any older one.
_GLIBC = range(36, 16, -1)


@dataclass(frozen=True)
class Target:
    """A processor, by the names that it has in Debian, in OCI, in wheels and in the linker."""

    architecture: str
    """Debian's and OCI's name."""
    machine: str
    loader: str
    """The dynamic linker's file name."""

    @property
    def libraries(self) -> str:
        """The folder of Debian's shared libraries."""
        return f"usr/lib/{self.machine}-linux-gnu"

    @property
    def file_name(self) -> str:
        """The name of what is built, without its suffix."""
        return "krkn-grpc" if self.architecture == "amd64" else f"krkn-grpc-{self.architecture}"

    @property
    def wheel_platforms(self) -> list[str]:
        """The platforms of the wheels that fit, the newest first."""
        versions = [*(f"2_{minor}" for minor in _GLIBC)]
        return [f"manylinux_{version}_{self.machine}" for version in versions]


TARGETS = {
    target.architecture: target
    for target in (
        Target("amd64", "x86_64", "ld-linux-x86-64.so.2"),
        Target("arm64", "aarch64", "ld-linux-aarch64.so.1"),
    )
}


def this_machine() -> Target:
    """Return the target that this machine can run; raises KeyError if there is none."""
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    return TARGETS[names[platform.machine()]]
