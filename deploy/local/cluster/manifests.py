"""Manifests from files, and what has to change in them for one namespace."""

import copy
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from deploy.local.cluster import Manifest

KUSTOMIZE = frozenset({"Kustomization", "Component"})
CLUSTER_WIDE = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "Namespace",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }
)


def load(*paths: Path) -> list[Manifest]:
    """Read every object in the YAML files and in those of the folders, but for Kustomize's own."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    documents = (document for file in files for document in yaml.safe_load_all(file.read_text()))
    return [d for d in documents if d and d["kind"] not in KUSTOMIZE]


def in_namespace(loaded: Iterable[Manifest], namespace: str) -> list[Manifest]:
    """Place the objects in `namespace`.

    Bindings name the namespace's own accounts. A ClusterRoleBinding gets the namespace as the end
    of its name, so that those of several namespaces stand beside each other.
    """
    placed: list[Manifest] = []
    for original in loaded:
        manifest = copy.deepcopy(original)
        kind, metadata = manifest["kind"], manifest["metadata"]
        if kind == "Namespace":
            metadata["name"] = namespace
        elif kind not in CLUSTER_WIDE:
            metadata["namespace"] = namespace
        elif kind == "ClusterRoleBinding":
            metadata["name"] = f"{metadata['name']}-{namespace}"
        if kind in ("RoleBinding", "ClusterRoleBinding"):
            for subject in manifest.get("subjects", ()):
                if subject["kind"] == "ServiceAccount":
                    subject["namespace"] = namespace
        placed.append(manifest)
    return placed


def of_kind(loaded: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    """Pick the objects of these kinds."""
    return [manifest for manifest in loaded if manifest["kind"] in kinds]
