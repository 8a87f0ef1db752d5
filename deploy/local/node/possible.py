"""Prepares a machine to run a node, or says in one line why it cannot.

    python -m deploy.local.node.possible

Installs missing Debian packages. Exits with 1, and the reason on standard error, if a node cannot
run: continuous integration then skips the tests that need one.
"""

import os
import shutil
import subprocess
import sys

from deploy.local.errors import StartError
from deploy.local.node import packages
from deploy.local.progress import Progress


def must_be_possible(progress: Progress) -> None:
    """Install missing packages; raise StartError if a node cannot run here."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise StartError("a node needs root on Linux")
    if shutil.which("apt-get") is None:
        raise StartError("a node needs Debian's packages, and there is no apt-get")
    packages.install(progress)
    _must_run_inside()


def _must_run_inside() -> None:
    """Try it: root in a container often lacks permission for namespaces, mounts or cgroups."""
    inside = [sys.executable, "-m", "deploy.local.node.alone", "true"]
    tried = subprocess.run(inside, capture_output=True, text=True, check=False)  # noqa: S603
    if tried.returncode:
        said = (tried.stderr.strip() or f"exit code {tried.returncode}").splitlines()
        raise StartError(f"a node cannot run here: {said[-1]}")


def main() -> None:
    """Run the command; see the module."""
    try:
        must_be_possible(Progress())
    except StartError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
