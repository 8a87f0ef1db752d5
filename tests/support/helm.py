"""Helm and our chart, as an installer uses them."""

import functools
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from deploy.helm import base
from deploy.helm.base import NAMESPACE, Identity
from deploy.helm.generate import CHART

Manifest = dict[str, Any]
Rendered = dict[Identity, Manifest]
RELEASE = "krkn-grpc"


kustomized = functools.cache(base.default)
"""The objects of the default kustomization, built once."""

_rendered: dict[Path, Rendered] = {}


class HelmError(Exception):
    """What Helm says on standard error when it refuses."""


@dataclass(frozen=True)
class Chart:
    """Calls of `helm` with our chart; its own files are in `folder`."""

    helm: Path
    folder: Path
    kubeconfig: Path | None = None
    chart: Path = field(default=CHART)

    def run(self, *arguments: str | Path) -> str:
        """Return what the command prints; raises HelmError when it fails."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            # No cluster of the machine's own.
            "KUBECONFIG": str(self.kubeconfig or self.folder / "none"),
        }
        found = subprocess.run(
            [self.helm, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if found.returncode:
            raise HelmError(found.stderr)
        return found.stdout

    def render(
        self, values: Manifest | None = None, release: str = RELEASE, namespace: str = NAMESPACE
    ) -> Rendered:
        """Return the objects that a release with these values would have, by kind and name."""
        text = self.run(
            "template", release, self.chart, "--namespace", namespace, *self.given(values)
        )
        # The parser in C takes a tenth of the time.
        documents = [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]
        by_identity = {(each["kind"], each["metadata"]["name"]): each for each in documents}
        assert len(by_identity) == len(documents), "an object is there twice"
        return by_identity

    def by_default(self) -> Rendered:
        """Return the objects of a release without values, rendered once."""
        if self.chart not in _rendered:
            _rendered[self.chart] = self.render()
        return _rendered[self.chart]

    def install(self, release: str, namespace: str, values: Manifest | None = None) -> None:
        """Install a release, without waiting for pods: no node runs them here."""
        self.run(
            *("install", release, self.chart, "--namespace", namespace, "--create-namespace"),
            *self.given(values),
        )

    def upgrade(self, release: str, namespace: str, values: Manifest | None = None) -> None:
        """Upgrade a release, also without waiting."""
        self.run("upgrade", release, self.chart, "--namespace", namespace, *self.given(values))

    def given(self, values: Manifest | None) -> Sequence[str]:
        """Return the arguments that hand the values over, in a file as a person writes them."""
        if values is None:
            return ()
        file = self.folder / "given.yaml"
        file.write_text(json.dumps(values))
        return ("--values", str(file))
