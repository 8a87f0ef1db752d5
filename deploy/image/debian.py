"""Fetches the image's Debian packages, and keeps what was fetched in the cache."""

import subprocess
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from deploy.image.target import CODENAME, REQUIREMENTS, Target
from deploy.local.cache import cache_folder
from deploy.local.debian import Apt, sha256
from deploy.local.progress import Progress

LIST = REQUIREMENTS / "image.debian"


@dataclass(frozen=True)
class Package:
    """One Debian package."""

    name: str
    version: str
    architecture: str
    control: str
    """Its control file, as dpkg keeps it of installed packages."""
    archive: Path
    sha256: str


def names() -> list[str]:
    """Return the names of the packages that the image has."""
    lines = (line.partition("#")[0].strip() for line in LIST.read_text().splitlines())
    return [line for line in lines if line]


def fetch(target: Target, progress: Progress) -> list[Package]:
    """Return the newest version of each package; raises StartError if one cannot be had."""
    folder = cache_folder() / "image" / f"debian-{target.architecture}"
    needs = f"the image needs packages of Debian 12 ({CODENAME})"
    apt = Apt(folder, needs, target.architecture)
    progress.note("image: asking apt for Debian's packages")
    apt.update()
    return [_read(archive) for archive in apt.fetch(names(), folder / "packages")]


def _read(archive: Path) -> Package:
    command = ["dpkg-deb", "--field", str(archive)]
    control = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    fields = HeaderParser().parsestr(control)
    return Package(
        fields["Package"],
        fields["Version"],
        fields["Architecture"],
        control,
        archive,
        sha256(archive),
    )
