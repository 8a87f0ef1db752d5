"""Istio's own programs, asked without a cluster."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.helm import base
from deploy.local.go.module import Binaries
from deploy.local.services import REPOSITORY

Manifest = dict[str, Any]

SECONDS = 60


def overlay(folder: Path, *components: str) -> list[Manifest]:
    """Return the objects of an installation in a mesh, with components, as kustomize builds it."""
    listed = [f"components/{component}" for component in components]
    parts = {"resources": ["overlays/mesh"], "components": listed}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        **{
            key: [str((REPOSITORY / "deploy" / path).relative_to("/")) for path in paths]
            for key, paths in parts.items()
        },
    }
    up = "/".join([".."] * (len(folder.resolve().parts) - 1))
    for key in parts:
        kustomization[key] = [f"{up}/{path}" for path in kustomization[key]]
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return base.build(folder)


@dataclass(frozen=True)
class Analysis:
    """What `istioctl analyze` says; `is_clean` if it has nothing to say."""

    is_clean: bool
    text: str


@dataclass(frozen=True)
class Istio:
    """The programs."""

    binaries: Binaries

    def analyze(self, namespace: str, kubeconfig: Path, *others: Manifest) -> Analysis:
        """Analyze the objects of a cluster's namespace, with `others` in the place of theirs."""
        # Without a cluster the analyzers of hosts and selectors are left out.
        options = ["--failure-threshold", "Info", "--namespace", namespace]
        files = ["-"] if others else []
        found = self._run(
            *("istioctl", "analyze", *files, *options, "--kubeconfig", str(kubeconfig)),
            given=yaml.safe_dump_all(others),
        )
        text = found.stdout + found.stderr
        return Analysis(found.returncode == 0 and "No validation issues found" in text, text)

    def installation(self, *, cni: bool) -> list[Manifest]:
        """Return the objects of Istio itself, with or without its CNI plugin."""
        chosen = ["--set", f"components.cni.enabled={json.dumps(cni)}"]
        found = self._run("istioctl", "manifest", "generate", *chosen)
        assert found.returncode == 0, found.stderr
        return [each for each in yaml.load_all(found.stdout, yaml.CSafeLoader) if each]

    def injected(self, manifests: list[Manifest], *, cni: bool) -> list[Manifest]:
        """Return the objects as Istio's injector would change them."""
        maps = {
            each["metadata"]["name"]: each["data"]
            for each in self.installation(cni=cni)
            if each["kind"] == "ConfigMap"
        }
        with tempfile.TemporaryDirectory() as name:
            files = [Path(name) / each for each in ("config", "values", "mesh")]
            injector = maps["istio-sidecar-injector"]
            for file, text in zip(
                files, (injector["config"], injector["values"], maps["istio"]["mesh"]), strict=True
            ):
                file.write_text(text)
            found = self._run("istio", "inject", *files, given=yaml.safe_dump_all(manifests))
        assert found.returncode == 0, found.stderr
        return [each for each in yaml.safe_load_all(found.stdout) if each]

    def proxy(self, manifests: list[Manifest], namespace: str) -> dict[str, list[Manifest]]:
        """Return the clusters and the routes that Istio gives a caller's proxy."""
        found = self._run("istio", "proxy", namespace, given=yaml.safe_dump_all(manifests))
        assert found.returncode == 0, found.stderr
        answer: dict[str, list[Manifest]] = json.loads(found.stdout)
        return answer

    def _run(
        self, name: str, *arguments: str | Path, given: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.binaries[name], *arguments],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
