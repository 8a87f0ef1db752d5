"""The control plane's binaries, built once from the pinned Go module beside this file.

With KUBEBUILDER_ASSETS set, `kube-apiserver` and `etcd` are taken from that folder. The others
(kube-controller-manager, kube-scheduler, kwok) are not part of such assets: they are taken from
the same folder if it has them, and built otherwise.

As a command, `python -m deploy.local.go.build` builds what is missing.
"""

import os
import re
import sys
from collections.abc import Collection
from pathlib import Path

from deploy.local.errors import StartError
from deploy.local.go.module import Binaries, GoModule
from deploy.local.processes.signals import interrupted_by_sigterm
from deploy.local.progress import Progress

__all__ = ["API_SERVER_ONLY", "FULL", "Binaries", "control_plane_binaries", "kubernetes_ldflags"]

MODULE = Path(__file__).with_name("controlplane")
ASSETS = "KUBEBUILDER_ASSETS"
API_SERVER_ONLY = ("etcd", "kube-apiserver")
FULL = (*API_SERVER_ONLY, "kube-controller-manager", "kube-scheduler", "kwok")


def control_plane_binaries(names: Collection[str], progress: Progress) -> Binaries:
    """Find the named components' binaries: in KUBEBUILDER_ASSETS, the cache, or build them."""
    found = _from_assets(names)
    missing = [name for name in names if name not in found]
    if not missing:
        return found
    module = GoModule(
        "controlplane",
        MODULE,
        "5 to 8 minutes on two cores",
        kubernetes_ldflags(MODULE),
        {"server": "etcd"},
    )
    return {**found, **module.binaries(missing, progress)}


def _from_assets(names: Collection[str]) -> dict[str, Path]:
    if not (assets := os.environ.get(ASSETS)):
        return {}
    present = {name: Path(assets) / name for name in names if (Path(assets) / name).is_file()}
    if absent := [name for name in API_SERVER_ONLY if name in names and name not in present]:
        raise StartError(f"{ASSETS}={assets} has no {' and no '.join(absent)}")
    return present


def kubernetes_ldflags(module: Path) -> str:
    """Return the linker flags for programs of the Kubernetes version that the module requires."""
    # Else the API server calls itself v0.0.0-master, and clients' version checks fail.
    go_mod = (module / "go.mod").read_text()
    version = re.search(r"^\s*k8s\.io/kubernetes (v\S+)", go_mod, re.MULTILINE)
    if version is None:
        raise StartError(f"{module / 'go.mod'} requires no k8s.io/kubernetes")
    return f"-s -w -X k8s.io/component-base/version.gitVersion={version[1]}"


def main() -> None:
    """Run the command; see the module."""
    try:
        with interrupted_by_sigterm():
            control_plane_binaries(FULL, Progress())
    except StartError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
