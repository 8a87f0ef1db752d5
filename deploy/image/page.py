"""The page in the top layer, and the npm packages whose code is in its files."""

import base64
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.image.target import SITE
from deploy.local import page
from deploy.local.client_tools import node_modules
from deploy.local.progress import Progress

LOCK = page.PAGE / "package-lock.json"
FOLDER = f"{SITE}/krkn_grpc/edge/page"
LICENSES = "licenses.txt"
"""Beside index.html: who uses the page gets it with the licenses of what is in it."""

_INSTALLED = "node_modules/"


@dataclass(frozen=True)
class NpmPackage:
    """A package that is built into the page."""

    name: str
    version: str
    license: str
    sha512: str
    """Of the package as published, in hex."""


def packages() -> list[NpmPackage]:
    """Return the packages that the page needs when it runs, by name, from its lock."""
    locked = json.loads(LOCK.read_text())["packages"]
    return [
        NpmPackage(
            path.rpartition(_INSTALLED)[2],
            entry["version"],
            entry["license"],
            base64.b64decode(entry["integrity"].removeprefix("sha512-")).hex(),
        )
        for path, entry in sorted(locked.items())
        if path and not entry.get("dev") and not entry.get("devOptional")
    ]


def install(root: Path, progress: Progress) -> None:
    """Put the built page into a layer's folder; raises StartError if it cannot be built."""
    shutil.copytree(page.page(progress), root / FOLDER)
    (root / FOLDER / LICENSES).write_text("\n".join(_licenses(node_modules(progress, page.PAGE))))


def _licenses(modules: Path) -> Iterator[str]:
    for package in packages():
        yield f"{package.name} {package.version}: {package.license}\n"
        for file in sorted((modules / package.name).rglob("LICENSE*")):
            if file.is_file():
                yield f"{file.read_text().strip()}\n"
