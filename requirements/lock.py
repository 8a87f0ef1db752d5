"""Makes the locks of the Python packages from pyproject.toml.

    python requirements/lock.py              keeps the versions that still fit
    python requirements/lock.py --upgrade    takes the newest ones
    python requirements/lock.py --check      writes nothing; fails when a lock is not fresh

`run.lock` has what `make run` needs, `dev.lock` that and all the tools; a package has the same
version in both. `image.lock` has what the container image needs, in the same versions again, for
its Python alone. `go.lock` has the Go toolchain, and `clients.lock` what makes clients in
other languages; each is installed apart. A lock names versions and hashes and no host, so any
mirror will do. Its first line has a digest of what it was made from: whether it is fresh shows
without a network.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
PROJECT = FOLDER.parent / "pyproject.toml"
# dev first: run and image take its versions.
GROUPS = {"dev": "dev", "run": "local", "image": "image", "go": "go", "clients": "clients"}
LIKE_DEV = ("run", "image")
APART = ("image", "go", "clients")  # without the project's own requirements
EXTRA = "server"
UV = Path(sysconfig.get_path("scripts")) / "uv"
OPTIONS = ("--generate-hashes", "--no-header", "--no-annotate", "--quiet")
EVERYWHERE = ("--universal",)
# The Python and the C library of Debian 12: no markers are left to evaluate.
IN_THE_IMAGE = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_36")


def digest(group: str) -> str:
    """Return a digest of the requirements that the project and one of its groups have."""
    content = tomllib.loads(PROJECT.read_text())
    groups = content["dependency-groups"]

    def resolved(name: str) -> list[str]:
        lines: list[str] = []
        for item in groups[name]:
            lines += [item] if isinstance(item, str) else resolved(item["include-group"])
        return lines

    project = content["project"]
    if group in APART:
        return _hashed([sorted(resolved(group))])
    own = [*project["dependencies"], *project["optional-dependencies"][EXTRA]]
    return _hashed([project["requires-python"], sorted(own), sorted(resolved(group))])


def _hashed(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def header(group: str) -> str:
    """Return the first line of a lock."""
    return f"# Made by `make lock` from pyproject.toml, whose requirements were {digest(group)}."


def stale() -> list[str]:
    """Name the locks that were made from other requirements than pyproject.toml has now."""
    locks = {FOLDER / f"{name}.lock": header(group) for name, group in GROUPS.items()}
    return [
        path.name
        for path, line in locks.items()
        if not path.exists() or path.read_text().partition("\n")[0] != line
    ]


def write(name: str, group: str, *, upgrade: bool) -> None:
    """Make one lock."""
    path = FOLDER / f"{name}.lock"
    constraints = ["--constraints", str(FOLDER / "dev.lock")] if name in LIKE_DEV else []
    more = ["--upgrade"] if upgrade else []
    output = ["--output-file", str(path)]
    source = [] if group in APART else [str(PROJECT), "--extra", EXTRA]
    platform = IN_THE_IMAGE if name == "image" else EVERYWHERE
    command = [str(UV), "pip", "compile", *source, "--group", f"{PROJECT}:{group}", *OPTIONS]
    subprocess.run([*command, *platform, *constraints, *more, *output], check=True)
    path.write_text(f"{header(group)}\n{path.read_text()}")


def main() -> int:
    """Make the locks, or with --check compare; the exit code says whether all is well."""
    parser = argparse.ArgumentParser(description="Make the locks of the Python packages.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    parser.add_argument("--check", action="store_true", help="compare only; write nothing")
    arguments = parser.parse_args()
    if not arguments.check:
        for name, group in GROUPS.items():
            write(name, group, upgrade=arguments.upgrade)
        return 0
    found = stale()
    for name in found:
        print(f"requirements/{name} is not fresh: run make lock", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
