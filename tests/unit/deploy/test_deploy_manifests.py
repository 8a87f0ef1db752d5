"""The manifests of an installation fit together, and fit what the processes take."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.settings import Settings as ControllerSettings
from deploy.local import manifests
from deploy.local.services import REPOSITORY
from envoy.render import render_files
from envoy.settings import EnvoySettings
from krkn_grpc.server.settings import Settings as ServerSettings

Manifest = dict[str, Any]

DEPLOY = REPOSITORY / "deploy"
BASE = manifests.load(*(DEPLOY / part for part in ("crds", "rbac", "admission", "base")))
[DEPLOYMENT] = manifests.of_kind(BASE, "Deployment")
POD = DEPLOYMENT["spec"]["template"]["spec"]
KUSTOMIZATIONS = [*DEPLOY.rglob("kustomization.yaml"), *DEPLOY.rglob("Kustomization")]
MESH = DEPLOY / "overlays" / "mesh"

# What is there in each namespace anyway, and what only the one who installs can bring.
FROM_ELSEWHERE = {("ConfigMap", "kube-root-ca.crt"), ("Secret", "krkn-grpc-tls")}


def references(pod: Manifest) -> Iterator[tuple[str, str]]:
    """Yield kind and name of each object that the pod needs."""
    yield "ServiceAccount", pod["serviceAccountName"]
    for container in pod["initContainers"] + pod["containers"]:
        for source in container.get("envFrom", ()):
            yield "ConfigMap", source["configMapRef"]["name"]
    for volume in pod["volumes"]:
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
        for source in volume.get("projected", {}).get("sources", ()):
            if "configMap" in source:
                yield "ConfigMap", source["configMap"]["name"]


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
    }
    gone = {v["name"] for c in containers for v in c.get("env", ()) if v.get("$patch") == "delete"}
    return {name: value for name, value in variables.items() if name not in gone}


def test_everything_that_is_referred_to_is_there() -> None:
    known = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in BASE} | FROM_ELSEWHERE
    assert set(references(POD)) <= known
    for binding in manifests.of_kind(BASE, "RoleBinding", "ClusterRoleBinding"):
        assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) in known
        assert {(who["kind"], who["name"]) for who in binding["subjects"]} <= known
    for binding in manifests.of_kind(BASE, "ValidatingAdmissionPolicyBinding"):
        assert ("ValidatingAdmissionPolicy", binding["spec"]["policyName"]) in known


def test_the_service_and_the_budget_mean_these_pods() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    ports = {port["name"] for each in POD["containers"] for port in each.get("ports", ())}
    [service] = manifests.of_kind(BASE, "Service")
    [budget] = manifests.of_kind(BASE, "PodDisruptionBudget")
    assert service["spec"]["selector"].items() <= labels.items()
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert budget["spec"]["minAvailable"] < DEPLOYMENT["spec"]["replicas"]


def test_each_container_sees_the_token_of_its_own_account() -> None:
    mounted = {
        each["name"]: {mount["name"] for mount in each.get("volumeMounts", ())}
        for each in POD["initContainers"] + POD["containers"]
    }
    assert POD["automountServiceAccountToken"] is False
    assert mounted["server"] == {"server-account"}
    assert mounted["controller"] == {"controller-account"}
    assert mounted["envoy"] == {"envoy-configuration", "tls"}
    assert mounted["envoy-configuration"] == {"envoy-configuration"}


@pytest.mark.parametrize("name", [c["name"] for c in POD["initContainers"] + POD["containers"]])
def test_a_container_may_do_little(name: str) -> None:
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container(name)["resources"]["limits"]


@pytest.mark.parametrize(
    ("name", "settings"), [("server", ServerSettings), ("controller", ControllerSettings)]
)
def test_the_processes_know_their_settings(
    name: str,
    settings: type[ServerSettings] | type[ControllerSettings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [shared] = manifests.of_kind(BASE, "ConfigMap")
    variables = shared["data"] | environment(container(name))
    known = {
        f"KRKN_{field.upper()}"
        for s in (ServerSettings, ControllerSettings)
        for field in s.model_fields
    }
    assert variables.keys() <= known
    assert environment(container(name)).keys() <= {
        f"KRKN_{f.upper()}" for f in settings.model_fields
    }
    for variable, value in variables.items() | {("KUBERNETES_SERVICE_HOST", "10.0.0.1")}:
        monkeypatch.setenv(variable, value)
    assert settings().namespace == "a-namespace"


def mesh_patch() -> Manifest:
    """The overlay's change of the pod."""
    patch = yaml.safe_load((MESH / "deployment.yaml").read_text())
    spec: Manifest = patch["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize(
    ("overlay", "tls"), [({}, "on"), (mesh_patch()["initContainers"][0], "mesh")]
)
def test_envoy_takes_its_settings(
    overlay: Manifest, tls: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = environment(container("envoy-configuration"), overlay)
    assert variables.keys() <= {f"KRKN_{name.upper()}" for name in EnvoySettings.model_fields}
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    settings = EnvoySettings()
    assert settings.tls == tls
    assert settings.auth == "kubernetes"
    assert "envoy.yaml" in render_files(settings)
    [port] = container("envoy")["ports"]
    assert port["containerPort"] == settings.rest_port


def test_the_tls_files_are_where_envoy_looks() -> None:
    mounts = {mount["name"]: mount["mountPath"] for mount in container("envoy")["volumeMounts"]}
    assert environment(container("envoy-configuration"))["KRKN_TLS_DIRECTORY"] == mounts["tls"]


def test_the_commands_exist() -> None:
    for name in ("envoy-configuration", "server", "controller"):
        python, dash_m, module, *_ = container(name)["command"]
        assert (python, dash_m) == ("python", "-m")
        assert importlib.util.find_spec(module) is not None


def test_the_mesh_overlay_changes_what_is_there() -> None:
    patch = mesh_patch()
    names = {each["name"] for each in POD["initContainers"] + POD["containers"]}
    assert {each["name"] for each in patch["initContainers"] + patch["containers"]} <= names
    assert {volume["name"] for volume in patch["volumes"]} <= {v["name"] for v in POD["volumes"]}
    paths = {mount["mountPath"] for mount in container("envoy")["volumeMounts"]}
    assert {mount["mountPath"] for mount in patch["containers"][0]["volumeMounts"]} <= paths


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_a_kustomization_lists_what_its_folder_has(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    patches = [patch["path"] for patch in content.get("patches", ())]
    listed = content["resources"] + patches
    assert all((path.parent / entry).exists() for entry in listed)
    files = {file.name for file in path.parent.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == {entry for entry in listed if not entry.startswith("..")}
