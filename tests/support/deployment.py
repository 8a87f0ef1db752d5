"""The Deployment of an installation, and its containers, as the manifests have them."""

from typing import Any

import yaml

from deploy.local.cluster import manifests
from deploy.local.services import REPOSITORY

Manifest = dict[str, Any]

DEPLOY = REPOSITORY / "deploy"
BASE = manifests.load(*(DEPLOY / part for part in ("crds", "rbac", "admission", "base")))
[DEPLOYMENT] = manifests.of_kind(BASE, "Deployment")
POD = DEPLOYMENT["spec"]["template"]["spec"]
MESH = DEPLOY / "overlays" / "mesh"


def container(name: str) -> Manifest:
    """The container, or init container, of this name."""
    [found] = [c for c in POD["initContainers"] + POD["containers"] if c["name"] == name]
    assert isinstance(found, dict)
    return found


def environment(*containers: Manifest) -> dict[str, str]:
    """The plain variables of the containers, later ones over earlier ones; None is taken away."""
    variables = {
        variable["name"]: variable.get("value", "a-namespace")
        for each in containers
        for variable in each.get("env", ())
        if variable["name"] != "HOME"
    }
    gone = {v["name"] for c in containers for v in c.get("env", ()) if v.get("$patch") == "delete"}
    return {name: value for name, value in variables.items() if name not in gone}


def mesh_patch() -> Manifest:
    """The overlay's change of the pod."""
    patch = yaml.safe_load((MESH / "deployment.yaml").read_text())
    spec: Manifest = patch["spec"]["template"]["spec"]
    return spec
