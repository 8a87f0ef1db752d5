"""What the kustomizations of `deploy` install, as data: the source of the chart."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from deploy.local.errors import StartError
from deploy.local.go.tools import tools
from deploy.local.progress import Progress
from deploy.local.services import REPOSITORY

Manifest: TypeAlias = dict[str, Any]
Identity: TypeAlias = tuple[str, str]
"""Kind and name of an object."""
Objects: TypeAlias = dict[Identity, Manifest]

DEPLOY = REPOSITORY / "deploy"
NAMESPACE = "krkn-operator-system"
# What a cluster has once.
CLUSTER = next(path for path in (DEPLOY / "cluster", DEPLOY / "crds") if path.exists())
DEFAULT = DEPLOY / "overlays" / "default"

# Suffix that kustomize gives to the names of generated ConfigMaps and Secrets.
_HASH = re.compile(r"-[0-9a-z]{10}$")


@dataclass(frozen=True)
class Variant:
    """An overlay, or a component on top of the default one, that a value turns on."""

    value: str
    """The value's name."""
    condition: str
    """The template condition under which it applies."""
    folder: Path

    @property
    def is_component(self) -> bool:
        """Whether the folder is a component, which changes an overlay and is none itself."""
        return "components" in self.folder.parts


def _of_component(folder: Path) -> Variant:
    first, *rest = folder.name.split("-")
    value = f"{first}{''.join(word.title() for word in rest)}.enabled"
    return Variant(value, f".Values.{value}", folder)


# The chart's own template has its values for this one: tls.certManager.
_BY_HAND = {"cert-manager"}

VARIANTS = [
    Variant("tls.mode", '(eq .Values.tls.mode "mesh")', DEPLOY / "overlays" / "mesh"),
    *(
        _of_component(folder)
        for folder in sorted((DEPLOY / "components").glob("*/"))
        if folder.name not in _BY_HAND
    ),
]
"""What a value turns on: the mesh's overlay, and each component by its folder's name."""


def default() -> Objects:
    """Return the objects of the default installation, resource definitions included."""
    return _by_identity([*build(CLUSTER), *build(DEFAULT)])


def varied(variant: Variant) -> Objects:
    """Return the objects of an installation with the variant."""
    if not variant.is_component:
        return _by_identity([*build(CLUSTER), *build(variant.folder)])
    with tempfile.TemporaryDirectory() as folder:
        # Kustomize takes no absolute paths.
        paths = {
            path: os.path.relpath(path, Path(folder).resolve())
            for path in (DEFAULT, variant.folder)
        }
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [paths[DEFAULT]],
            "components": [paths[variant.folder]],
        }
        (Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return _by_identity([*build(CLUSTER), *build(Path(folder))])


def build(folder: Path) -> list[Manifest]:
    """Return the objects that kustomize builds of a folder."""
    kustomize = tools(["kustomize"], Progress())["kustomize"]
    result = subprocess.run(  # noqa: S603  # our own build
        [kustomize, "build", folder], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise StartError(f"kustomize build {folder}: {result.stderr.strip()}")
    return [document for document in yaml.safe_load_all(result.stdout) if document]


def _by_identity(loaded: Iterable[Manifest]) -> Objects:
    objects = list(loaded)
    generated = {
        name: _HASH.sub("", name)
        for manifest in objects
        if manifest["kind"] in ("ConfigMap", "Secret")
        and _HASH.search(name := manifest["metadata"]["name"])
        # A generated name has digits in it; `-disclosure` has none.
        and any(character.isdigit() for character in name[-10:])
    }
    plain = [_renamed(manifest, generated) for manifest in objects]
    return {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in plain}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value
