"""Fetches Debian packages by apt-get, with the machine's own sources and keys; installs none.

apt-get gets a state of its own: it needs no root, changes nothing on this machine, and can fetch
for any architecture.
"""

import hashlib
import subprocess
from collections.abc import Collection
from pathlib import Path

from deploy.local.errors import StartError

_SECONDS = 600


class Apt:
    """apt-get with its state in `folder`; `needs` begins its errors: "the image needs ..."."""

    def __init__(self, folder: Path, needs: str, architecture: str = "") -> None:
        """Fetch for `architecture`, Debian's name of it; empty: this machine's."""
        self._needs = needs
        for needed in ("lists/partial", "cache/archives/partial"):
            (folder / needed).mkdir(parents=True, exist_ok=True)
        options = {
            "APT::Sandbox::User": "",  # the sandbox's user cannot write into the cache
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "Dir::Cache": str(folder / "cache"),
            "Dir::State": str(folder),
            "Dir::State::status": "/dev/null",
        }
        if architecture:
            options |= {"APT::Architecture": architecture, "APT::Architectures::": architecture}
        self._command = [
            "apt-get",
            "--quiet=2",
            *(["--option=APT::Architectures="] if architecture else []),
            *(f"--option={name}={value}" for name, value in options.items()),
        ]

    def update(self) -> None:
        """Fetch the lists of packages; raises StartError."""
        self._run("update")

    def fetch(self, names: Collection[str], folder: Path) -> list[Path]:
        """Return the files of the packages' newest versions, in `folder`; raises StartError.

        A file that is there is kept, and one of another version or of another package is removed.
        """
        folder.mkdir(parents=True, exist_ok=True)
        files = files_in(self._run("download", "--print-uris", *names))
        kept = {path.name: sha256(path) for path in folder.iterdir()}
        for old in kept.keys() - files.keys():
            (folder / old).unlink()
        if not files.items() <= kept.items():
            self._run("download", *names, folder=folder)
        return [folder / name for name in sorted(files)]

    def _run(self, *arguments: str, folder: Path | None = None) -> str:
        """Run apt-get and return its output."""
        try:
            ran = subprocess.run(  # noqa: S603  # with the packages of our own lists
                [*self._command, *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except FileNotFoundError:
            raise StartError(f"{self._needs}, and there is no apt-get") from None
        except subprocess.TimeoutExpired as error:
            raise StartError(f"{self._needs}: {error}") from None
        if ran.returncode:
            said = (ran.stderr.strip() or ran.stdout.strip() or "no output").splitlines()
            raise StartError(f"{self._needs}, and apt says: {said[-1]}")
        return ran.stdout


def files_in(uris: str) -> dict[str, str]:
    """Return file names and their SHA-256 in the output of `apt-get download --print-uris`."""
    lines = (line.split() for line in uris.splitlines() if line.startswith("'"))
    return {name: digest.partition("SHA256:")[2] for _, name, _, digest in lines}


def sha256(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
