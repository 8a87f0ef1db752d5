"""kubelet and kubectl, built once from the pinned Go module beside this file.

The module is separate from the control plane's, because only real nodes need it; the versions are
the same, so most packages are already compiled in Go's cache.

As a command, `python -m deploy.local.node.build` builds what is missing.
"""

import sys
from pathlib import Path

from deploy.local.errors import StartError
from deploy.local.go.build import kubernetes_ldflags
from deploy.local.go.module import Binaries, GoModule
from deploy.local.processes.signals import interrupted_by_sigterm
from deploy.local.progress import Progress

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
