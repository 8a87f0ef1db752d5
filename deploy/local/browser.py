"""The browser of the tests: the machine's own Chromium or Chrome, else Debian's package of it.

As a command, `python -m deploy.local.browser` installs it if it is missing and prints its path.
"""

import shutil
import sys
from pathlib import Path

from deploy.local import system_packages
from deploy.local.errors import StartError
from deploy.local.progress import Progress

NAMES = ("chromium", "chromium-browser", "google-chrome")


def browser_program(progress: Progress) -> Path:
    """Find the browser on PATH, or install it; raises StartError if it cannot be had."""
    system_packages.install({"chromium": lambda: _found() is not None}, progress)
    found = _found()
    if found is None:
        raise StartError("Debian's package chromium is installed, and no chromium is on PATH")
    return found


def _found() -> Path | None:
    return next((Path(path) for name in NAMES if (path := shutil.which(name))), None)


def main() -> None:
    """Run the command; see the module."""
    try:
        sys.stdout.write(f"{browser_program(Progress())}\n")
    except StartError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
