"""Go tools for people, checks and tests, built once from the pinned modules beside this file.

`python -m deploy.local.go.tools NAME...` builds the missing ones and prints their paths, one per
line.
"""

import sys
from collections.abc import Collection
from pathlib import Path

from deploy.local.errors import StartError
from deploy.local.go.module import Binaries, GoModule
from deploy.local.processes.signals import interrupted_by_sigterm
from deploy.local.progress import Progress

HERE = Path(__file__).parent
MODULES = (
    GoModule("tools", HERE / "toolset", "a minute or two"),
    GoModule("chart-tools", HERE / "charttools", "4 to 6 minutes on two cores"),
    GoModule("mesh-tools", HERE / "meshtools", "6 to 9 minutes on two cores"),
)


def tools(names: Collection[str], progress: Progress) -> Binaries:
    """Find the named tools in the cache, or build them; raise StartError for an unknown name."""
    found: dict[str, Path] = {}
    for module in MODULES:
        if known := [name for name in names if name in module.names]:
            found |= module.binaries(known, progress)
    if unknown := [name for name in names if name not in found]:
        raise StartError(f"no Go module here has the tool {unknown[0]}")
    return found


def main(names: list[str]) -> None:
    """Run the command; see the module."""
    try:
        with interrupted_by_sigterm():
            found = tools(names, Progress())
    except StartError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    for name in names:
        sys.stdout.write(f"{found[name]}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
