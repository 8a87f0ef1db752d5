"""The middle layer: the wheels of requirements/image.lock, without what no process imports."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageMetadata, distributions
from pathlib import Path

from deploy.image.target import PYTHON, REQUIREMENTS, SITE, Target
from deploy.local.errors import StartError

LOCK = REQUIREMENTS / "image.lock"

LEFT_OUT = (
    # Commands: their first line names a Python of this machine.
    "bin",
    # Installer's notes, which name this machine's folders and indexes.
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    # We only read a kubeconfig or the pod's account with the package; these load when first used.
    "kubernetes/client/api/[!_]*.py",
    "kubernetes/client/models/[!_]*.py",
    "kubernetes/aio/client/api/[!_]*.py",
    "kubernetes/aio/client/models/[!_]*.py",
    "kubernetes/**/*_test.py",
    "kubernetes/**/test_*.py",
    # For compilers and for type checkers.
    "**/*.pyi",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.pxi",
    "**/*.h",
    "**/*.proto",
)
"""Patterns of what is left out of the wheels, relative to their folder."""


@dataclass(frozen=True)
class PythonPackage:
    """A Python package of the image."""

    name: str
    version: str
    license: str
    """An SPDX expression, or what else the package calls it; empty if it names none."""
    sha256: str = ""
    """Of its wheel, which the lock has too; empty if it was built here."""


def locked(text: str | None = None) -> dict[str, str]:
    """Return the versions in a lock (by default in the image's), by the packages' names."""
    lines = LOCK.read_text() if text is None else text
    return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", lines, re.MULTILINE))


def install(target: Target, root: Path) -> list[PythonPackage]:
    """Put the wheels into a layer's folder; raises StartError with what pip says if that fails."""
    site = root / SITE
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-input", "--root-user-action=ignore", "--no-warn-script-location"),
            *("--no-deps", "--no-compile", "--only-binary=:all:", "--require-hashes"),
            *("--implementation=cp", f"--python-version={PYTHON}"),
            *(f"--platform={platform}" for platform in target.wheel_platforms),
            *("--report", report.name, "--target", str(site), "--requirement", str(LOCK)),
        ]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if ran.returncode:
            raise StartError(f"the locked wheels cannot be installed: {ran.stderr.strip()}")
        installed = json.loads(Path(report.name).read_text())["install"]
    hashes = {
        normalised(entry["metadata"]["name"]): entry["download_info"]["archive_info"]["hashes"]
        for entry in installed
    }
    for path in _unwanted(site):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return [
        replace(package, sha256=hashes[package.name]["sha256"]) for package in installed_in(site)
    ]


def installed_in(site: Path) -> list[PythonPackage]:
    """Return the packages in a folder, by name; what is not in their metadata is empty."""
    found = [
        PythonPackage(normalised(one.name), one.version, license_of(one.metadata))
        for one in distributions(path=[str(site)])
    ]
    return sorted(found, key=lambda package: package.name)


def normalised(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def license_of(metadata: PackageMetadata) -> str:
    """Return the license: an SPDX expression, or what else the package calls it."""
    fields = metadata.json
    expression = str(fields.get("license_expression", ""))
    # Some have the whole text in this field.
    name = str(fields.get("license", "")).strip()
    listed = [
        str(line).rpartition(" :: ")[2]
        for line in fields.get("classifier", [])
        if str(line).startswith("License ::")
    ]
    return expression or (name if len(name) < 60 else "") or " AND ".join(listed)


def _unwanted(site: Path) -> Iterator[Path]:
    for pattern in LEFT_OUT:
        yield from sorted(site.glob(pattern))
