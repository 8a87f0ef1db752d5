"""Binaries built from a pinned Go module; its `tool` directives name them.

They are stored in the user's cache, keyed by a hash of all build inputs, so a build happens once
for all clones of the project.
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.cache import cache_folder, only_one
from deploy.local.errors import StartError
from deploy.local.go.toolchain import go_binary
from deploy.local.processes.children import Child, Program
from deploy.local.progress import Progress

# Without cgo the output is the same whether or not the machine has a C compiler.
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly -buildvcs=false",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}

Binaries = Mapping[str, Path]
"""The path of each binary, by its name."""


@dataclass(frozen=True)
class GoModule:
    """One Go module: its folder, its name in the cache, its build options."""

    name: str
    folder: Path
    takes: str
    """The duration of a build, as text for people."""
    ldflags: str = "-s -w"
    renamed: Mapping[str, str] = field(default_factory=dict)
    """New names of binaries, by the names that Go gives them."""

    @property
    def names(self) -> Collection[str]:
        """The binaries that this module can build."""
        return self._packages().keys()

    def binaries(self, names: Collection[str], progress: Progress) -> Binaries:
        """Find the named binaries in the cache, or build them."""
        folder = cache_folder() / f"{self.name}-{self._fingerprint()}"
        found = {name: folder / name for name in names}
        if all(path.exists() for path in found.values()):
            return found
        with only_one(folder.name, lambda: progress.note("waiting for another start's build")):
            missing = [name for name, path in found.items() if not path.exists()]
            if missing:
                self._build(missing, folder, progress)
        return found

    def _build(self, names: Collection[str], folder: Path, progress: Progress) -> None:
        go = go_binary(progress)
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        packages = self._packages()
        argv = [str(go), "build", "-v", "-trimpath", "-ldflags", self.ldflags, "-o", f"{partial}/"]
        argv += [packages[name] for name in names]
        log = folder.with_name(f"{folder.name}.log")
        log.unlink(missing_ok=True)
        progress.note(f"building {', '.join(names)} (once; {self.takes})")
        started = time.monotonic()
        child = Child(Program("go build", argv, ENVIRONMENT, self.folder), log)
        child.start()
        try:
            while child.is_running:
                time.sleep(0.2)
                progress.update(f"  {_elapsed(started)}  {_what_goes_on(log)}")
        finally:
            if child.is_running:  # Ctrl-C: the compilers are in the child's group
                child.kill()
        if child.exit_code != 0:
            raise StartError(f"the {self.name} build failed ({log}):\n{child.log_tail()}")
        folder.mkdir(exist_ok=True)
        for name in names:
            os.replace(partial / _binary_of(packages[name]), folder / name)
        shutil.rmtree(partial)
        progress.done(f"  {_elapsed(started)}  built into {folder}")

    def _packages(self) -> dict[str, str]:
        """Binary name to Go package, as the module's tool directives say."""
        go_mod = (self.folder / "go.mod").read_text()
        named = re.findall(r"^tool (?:\(\n(.*?)^\)|(\S+)$)", go_mod, re.MULTILINE | re.DOTALL)
        packages = [package for block, one in named for package in (block or one).split()]
        return {
            self.renamed.get(_binary_of(package), _binary_of(package)): package
            for package in packages
        }

    def _fingerprint(self) -> str:
        parts = [
            (self.folder / "go.mod").read_text(),
            (self.folder / "go.sum").read_text(),
            self.ldflags,
            str(sorted(ENVIRONMENT.items())),
            *(path.read_text() for path in sorted(self.folder.rglob("*.go"))),
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _binary_of(package: str) -> str:
    """Return Go's name for the package's binary: the last element that is not a version."""
    return [part for part in package.split("/") if not re.fullmatch(r"v\d+", part)][-1]


def _what_goes_on(log: Path) -> str:
    """Return the build's progress; `go build -v` logs one line per download and per package."""
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
