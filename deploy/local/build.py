"""The control plane's binaries, built from the one pinned Go module beside this file.

The module has `tool` directives and no Go source. Its binaries land in the user's cache, keyed by
everything that decides what they are, so a build happens once for all clones of the project.

With KUBEBUILDER_ASSETS set, `kube-apiserver` and `etcd` are taken from that folder. The others
(kube-controller-manager, kube-scheduler, kwok) are not part of such assets: they come from the
same folder where it has them, and are built otherwise.

As a command, `python -m deploy.local.build` builds what is missing.
"""

import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from deploy.local.cache import cache_folder, only_one
from deploy.local.errors import StartError
from deploy.local.processes import Child, Program
from deploy.local.progress import Progress
from deploy.local.signals import interrupted_by_sigterm
from deploy.local.toolchain import go_binary

MODULE = Path(__file__).with_name("controlplane")
ASSETS = "KUBEBUILDER_ASSETS"
API_SERVER_ONLY = ("etcd", "kube-apiserver")
FULL = (*API_SERVER_ONLY, "kube-controller-manager", "kube-scheduler", "kwok")

# Without cgo the same bytes come out whether or not the machine has a C compiler.
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly -buildvcs=false",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}

Binaries = Mapping[str, Path]
"""The path of each component's binary, by the component's name."""


def control_plane_binaries(names: Collection[str], progress: Progress) -> Binaries:
    """Find the named components' binaries: in KUBEBUILDER_ASSETS, the cache, or build them."""
    found = _from_assets(names)
    folder = cache_folder() / f"controlplane-{_fingerprint()}"
    found |= {name: folder / name for name in names if name not in found}
    if all(path.exists() for path in found.values()):
        return found
    with only_one(folder.name, lambda: progress.note("waiting for another start's build")):
        missing = [name for name, path in found.items() if not path.exists()]
        if missing:
            _build(missing, folder, progress)
    return found


def _from_assets(names: Collection[str]) -> dict[str, Path]:
    if not (assets := os.environ.get(ASSETS)):
        return {}
    present = {name: Path(assets) / name for name in names if (Path(assets) / name).is_file()}
    if absent := [name for name in API_SERVER_ONLY if name in names and name not in present]:
        raise StartError(f"{ASSETS}={assets} has no {' and no '.join(absent)}")
    return present


def _build(names: Collection[str], folder: Path, progress: Progress) -> None:
    go = go_binary(progress)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    packages = _tool_packages()
    argv = [str(go), "build", "-v", "-trimpath", "-ldflags", _ldflags(), "-o", f"{partial}/"]
    argv += [packages[name] for name in names]
    log = folder.with_name(f"{folder.name}.log")
    log.unlink(missing_ok=True)
    progress.note(f"building {', '.join(names)} (once; 5 to 8 minutes on two cores)")
    started = time.monotonic()
    child = Child(Program("go build", argv, ENVIRONMENT, MODULE), log)
    child.start()
    try:
        while child.is_running:
            time.sleep(0.2)
            progress.update(f"  {_elapsed(started)}  {_what_goes_on(log)}")
    finally:
        if child.is_running:  # Ctrl-C: the compilers are in the child's group
            child.kill()
    if child.exit_code != 0:
        raise StartError(f"the control plane's build failed ({log}):\n{child.log_tail()}")
    folder.mkdir(exist_ok=True)
    for name in names:
        os.replace(partial / _binary_of(packages[name]), folder / name)
    shutil.rmtree(partial)
    progress.done(f"  {_elapsed(started)}  built into {folder}")


def _what_goes_on(log: Path) -> str:
    """From `go build -v`: a line a module that is downloaded, a line a package that is compiled."""
    lines = log.read_text(errors="replace").splitlines()
    if not lines:
        return "looking at what is there"
    if lines[-1].startswith("go: downloading"):
        return lines[-1].removeprefix("go: ")
    compiled = sum(not line.startswith("go: ") for line in lines)
    return f"{compiled} packages compiled, at {lines[-1].strip()}"


def _elapsed(started: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - started), 60)
    return f"{minutes}:{seconds:02}"


def _tool_packages() -> dict[str, str]:
    """Component name to Go package, as the module's tool directives say."""
    block = re.search(r"^tool \(\n(.*?)^\)", _go_mod(), re.MULTILINE | re.DOTALL)
    packages = block[1].split() if block else []
    names = {"server": "etcd"}
    return {names.get(_binary_of(package), _binary_of(package)): package for package in packages}


def _binary_of(package: str) -> str:
    """Say what Go names the package's binary: the last element that is no version."""
    return [part for part in package.split("/") if not re.fullmatch(r"v\d+", part)][-1]


def _ldflags() -> str:
    # Else the API server calls itself v0.0.0-master, and clients' version checks fail.
    version = re.search(r"^\s*k8s\.io/kubernetes (v\S+)", _go_mod(), re.MULTILINE)
    if version is None:
        raise StartError(f"{MODULE / 'go.mod'} requires no k8s.io/kubernetes")
    return f"-s -w -X k8s.io/component-base/version.gitVersion={version[1]}"


def _go_mod() -> str:
    return (MODULE / "go.mod").read_text()


def _fingerprint() -> str:
    parts = [
        _go_mod(),
        (MODULE / "go.sum").read_text(),
        _ldflags(),
        str(sorted(ENVIRONMENT.items())),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


if __name__ == "__main__":
    try:
        control_plane_binaries(FULL, Progress())
    except StartError as error:
        sys.exit(f"the local control plane cannot be built: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


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
