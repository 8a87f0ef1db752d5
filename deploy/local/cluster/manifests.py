"""Loads manifests from files and adapts them to a namespace."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import yaml

from deploy.local.cluster.api import Manifest

KUSTOMIZE = frozenset({"Kustomization", "Component"})
BY_NAMESPACE = frozenset({"ClusterRoleBinding", "ValidatingAdmissionPolicyBinding"})
"""Cluster-wide kinds of which each namespace has its own: named NAME.NAMESPACE."""

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
    """Read all objects of the YAML files, and of those in folders.

    Of Kustomize's own kinds only the ConfigMaps that they generate are returned, with plain names.
    """
    files: list[Path] = []
    for path in paths:
        files += sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    loaded: list[Manifest] = []
    for file in files:
        for document in yaml.safe_load_all(file.read_text()):
            if document and document["kind"] in KUSTOMIZE:
                loaded += _generated(document, file.parent)
            elif document and document["apiVersion"] != "builtin":
                loaded.append(document)
    return loaded


def _generated(kustomization: Manifest, folder: Path) -> Iterator[Manifest]:
    """Yield the ConfigMaps that a kustomization makes of files of variables, and of whole files."""
    for generator in kustomization.get("configMapGenerator", ()):
        namespace = generator.get("namespace") or kustomization["namespace"]
        metadata = {"name": generator["name"], "namespace": namespace}
        if labels := generator.get("options", {}).get("labels"):
            metadata["labels"] = labels
        text = "\n".join((folder / env).read_text() for env in generator.get("envs", ()))
        lines = (line for line in text.splitlines() if line and not line.startswith("#"))
        pairs = (line.partition("=") for line in lines)
        files = {name: (folder / name).read_text() for name in generator.get("files", ())}
        yield {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {name: value for name, _, value in pairs} | files,
        }


def in_namespace(loaded: Iterable[Manifest], namespace: str) -> list[Manifest]:
    """Place the objects in `namespace`, as an overlay of deploy/overlays does.

    Bindings refer to the namespace's own accounts. What no namespace holds and each needs has the
    namespace in its name, so that those of several namespaces can coexist (deploy/by-namespace).
    """
    placed: list[Manifest] = []
    for original in loaded:
        manifest = copy.deepcopy(original)
        kind, metadata = manifest["kind"], manifest["metadata"]
        if kind == "Namespace":
            metadata["name"] = namespace
        elif kind not in CLUSTER_WIDE:
            metadata["namespace"] = namespace
        elif kind in BY_NAMESPACE:
            metadata["name"] = f"{metadata['name'].partition('.')[0]}.{namespace}"
            if kind == "ValidatingAdmissionPolicyBinding":
                only = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
                manifest["spec"]["matchResources"] = {"namespaceSelector": only}
        if kind in ("RoleBinding", "ClusterRoleBinding"):
            for subject in manifest.get("subjects", ()):
                if subject["kind"] == "ServiceAccount":
                    subject["namespace"] = namespace
        placed.append(manifest)
    return placed


def of_kind(loaded: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    """Return the objects of these kinds."""
    return [manifest for manifest in loaded if manifest["kind"] in kinds]
