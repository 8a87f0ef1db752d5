"""Fetches the image's Debian packages by apt-get, with the machine's own sources and keys.

apt-get gets a state of its own, so it needs no root, and neither installs anything on this machine
nor minds its architecture. What was fetched is kept in the cache.
"""

import hashlib
import subprocess
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from deploy.image.target import CODENAME, REQUIREMENTS, Target
from deploy.local.cache import cache_folder
from deploy.local.errors import StartError
from deploy.local.progress import Progress

LIST = REQUIREMENTS / "image.debian"
_SECONDS = 600


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
    packages = folder / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    apt = _Apt(folder, target)
    progress.note("image: asking apt for Debian's packages")
    apt.run("update")
    files = files_in(apt.run("download", "--print-uris", *names()))
    kept = {path.name: _sha256(path) for path in packages.iterdir()}
    for old in kept.keys() - files.keys():
        (packages / old).unlink()
    if not files.items() <= kept.items():
        apt.run("download", *names(), cwd=packages)
    return [_read(packages / name) for name in sorted(files)]


class _Apt:
    def __init__(self, folder: Path, target: Target) -> None:
        for needed in ("lists/partial", "cache/archives/partial"):
            (folder / needed).mkdir(parents=True, exist_ok=True)
        options = {
            "APT::Architecture": target.architecture,
            "APT::Architectures::": target.architecture,
            "APT::Sandbox::User": "",  # the sandbox's user cannot write into the cache
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "Dir::Cache": str(folder / "cache"),
            "Dir::State": str(folder),
            "Dir::State::status": "/dev/null",
        }
        self._command = [
            "apt-get",
            "--quiet=2",
            "--option=APT::Architectures=",
            *(f"--option={name}={value}" for name, value in options.items()),
        ]

    def run(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run apt-get and return its output."""
        try:
            ran = subprocess.run(  # noqa: S603  # with the packages of our own list
                [*self._command, *arguments],
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except FileNotFoundError:
            msg = "the image is made of Debian's packages, and there is no apt-get"
            raise StartError(msg) from None
        except subprocess.TimeoutExpired as error:
            raise StartError(str(error)) from None
        if ran.returncode:
            said = (ran.stderr.strip() or ran.stdout.strip() or "no output").splitlines()
            msg = f"the image needs packages of Debian 12 ({CODENAME}), and apt says: {said[-1]}"
            raise StartError(msg)
        return ran.stdout


def files_in(uris: str) -> dict[str, str]:
    """Return file names and their SHA-256 in the output of `apt-get download --print-uris`."""
    lines = (line.split() for line in uris.splitlines() if line.startswith("'"))
    return {name: digest.partition("SHA256:")[2] for _, name, _, digest in lines}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


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
        _sha256(archive),
    )
