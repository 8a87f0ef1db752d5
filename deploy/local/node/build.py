"""kubelet and kubectl, built once from the pinned Go module beside this file.

A module apart from the control plane's, because only who runs containers needs them; the versions
are the same, so most of what has to be compiled is in Go's cache.

As a command, `python -m deploy.local.node.build` builds what is missing.
"""

import sys
from pathlib import Path

from deploy.local.build import kubernetes_ldflags
from deploy.local.errors import StartError
from deploy.local.go_module import Binaries, GoModule
from deploy.local.progress import Progress
from deploy.local.signals import interrupted_by_sigterm

MODULE = Path(__file__).parent
NAMES = ("kubelet", "kubectl")


def node_binaries(progress: Progress) -> Binaries:
    """Find kubelet and kubectl in the cache, or build them."""
    module = GoModule(
        "node", MODULE, "a minute after the control plane", kubernetes_ldflags(MODULE)
    )
    return module.binaries(NAMES, progress)


def main() -> None:
    """Run the command; see the module."""
    try:
        with interrupted_by_sigterm():
            node_binaries(Progress())
    except StartError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
