"""Go tools for people, checks and tests, built once from the pinned module in tools/.

`python -m deploy.local.go_tools NAME...` builds what is missing of them and prints where each is,
one path a line.
"""

import sys
from collections.abc import Collection
from pathlib import Path

from deploy.local.errors import StartError
from deploy.local.go_module import Binaries, GoModule
from deploy.local.progress import Progress
from deploy.local.signals import interrupted_by_sigterm

MODULE = Path(__file__).with_name("tools")


def tools(names: Collection[str], progress: Progress) -> Binaries:
    """Find the named tools in the cache, or build them."""
    return GoModule("tools", MODULE, "a minute or two").binaries(names, progress)


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
