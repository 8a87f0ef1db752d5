"""Compiles Python code to bytecode, by the interpreter that will run it.

A read-only root cannot keep bytecode: without it each start, and each exec probe, would compile
everything. The files say that their source need not be compared (unchecked-hash), so they hold
neither a time nor a path of this machine.
"""

import subprocess
from pathlib import Path

from deploy.image.target import PYTHON, this_machine
from deploy.local.errors import StartError

# Debian's Python without Debian: by its own linker, with its own libraries.
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}


def compile_in(folder: Path, root: Path, interpreter: Path) -> None:
    """Compile all code in a folder of the layer at `root`; raises StartError if some cannot be.

    `interpreter` is the root of an unpacked Debian that this machine can run.
    """
    machine = this_machine()
    libraries = interpreter / machine.libraries
    command = [
        str(libraries / machine.loader),
        *("--library-path", str(libraries)),
        str(interpreter / f"usr/bin/python{PYTHON}"),
        *("-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(root), "-p", "/", str(folder)),
    ]
    home = {"PYTHONHOME": str(interpreter / "usr")}
    ran = subprocess.run(  # noqa: S603  # the interpreter is the one of the image
        command, env=_ENVIRONMENT | home, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise StartError(f"not compiled: {(ran.stdout.strip() or ran.stderr.strip())[-2000:]}")
