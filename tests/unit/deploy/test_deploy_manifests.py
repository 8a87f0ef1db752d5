"""The manifests of an installation fit together, and fit what the processes take."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller import account_tokens
from controller.settings import Settings as ControllerSettings
from deploy.local.cluster import manifests
from deploy.local.services import REPOSITORY
from krkn_grpc.edge import drain
from krkn_grpc.edge.render import render_files
from krkn_grpc.edge.settings import EnvoySettings
from krkn_grpc.resources import images, mounts
from krkn_grpc.server.settings import Settings as ServerSettings

Manifest = dict[str, Any]

DEPLOY = REPOSITORY / "deploy"
BASE = manifests.load(*(DEPLOY / part for part in ("crds", "rbac", "admission", "base")))
[DEPLOYMENT] = manifests.of_kind(BASE, "Deployment")
POD = DEPLOYMENT["spec"]["template"]["spec"]
KUSTOMIZATIONS = [*DEPLOY.rglob("kustomization.yaml")]
MESH = DEPLOY / "overlays" / "mesh"

# What is there in each namespace anyway, and what only the one who installs can bring.
FROM_ELSEWHERE = {
    ("ConfigMap", "kube-root-ca.crt"),
    ("Secret", "krkn-grpc-tls"),
    ("ClusterRole", "system:auth-delegator"),
}


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
        if variable["name"] != "HOME"
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


def test_no_service_is_taken_for_a_setting() -> None:
    # The kubelet would add KRKN_GRPC_PORT=tcp://... for our own Service.
    assert POD["enableServiceLinks"] is False


def test_no_connection_takes_a_port_that_a_container_listens_on() -> None:
    [sysctl] = POD["securityContext"]["sysctls"]
    assert sysctl["name"] == "net.ipv4.ip_local_reserved_ports"
    first, _, last = sysctl["value"].partition("-")
    logs = environment(container("logs"))
    server = ServerSettings()
    edge = EnvoySettings()
    ports = {
        server.grpc_port,
        server.server_health_port,
        edge.rest_port,
        int(logs["KRKN_GRPC_PORT"]),
        int(logs["KRKN_SERVER_HEALTH_PORT"]),
    }
    # Linux gives connections ports from 32768 on, unless it is told otherwise.
    assert {port for port in ports if port >= 32768} == set(range(int(first), int(last) + 1))


def test_each_container_sees_the_token_of_its_own_account() -> None:
    mounted = {
        each["name"]: {mount["name"] for mount in each.get("volumeMounts", ())}
        for each in POD["initContainers"] + POD["containers"]
    }
    assert POD["automountServiceAccountToken"] is False
    assert mounted["server"] == {"server-account", "catalogue"}
    assert mounted["logs"] == {"logs-account"}
    # It writes the others' two.
    assert mounted["controller"] == {"controller-account", "server-account", "logs-account"}
    assert mounted["envoy"] == {"envoy-configuration", "envoy-admin", "tls"}
    assert mounted["envoy-configuration"] == {"envoy-configuration"}


def test_the_server_reads_the_catalogue_where_it_is_mounted() -> None:
    server = container("server")
    [path] = [m["mountPath"] for m in server["volumeMounts"] if m["name"] == "catalogue"]
    assert environment(server)["KRKN_CATALOGUE_DIR"] == path
    [volume] = [each for each in POD["volumes"] if each["name"] == "catalogue"]
    assert volume["configMap"]["optional"] is True


def test_the_controller_writes_the_tokens_where_their_accounts_read_them() -> None:
    directory = environment(container("controller"))["KRKN_ACCOUNT_TOKENS_DIRECTORY"]
    written = {mount["mountPath"]: mount for mount in container("controller")["volumeMounts"]}
    for name, account in (("server", "krkn-grpc-server"), ("logs", "krkn-grpc-logs")):
        assert account in account_tokens.ACCOUNTS
        read = container(name)["volumeMounts"][0]
        assert written[f"{directory}/{account}"]["name"] == read["name"]
        assert read["readOnly"] is True
        assert read["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
    assert not manifests.of_kind(BASE, "Secret")
    [role] = [
        rule
        for role in manifests.of_kind(BASE, "Role")
        for rule in role["rules"]
        if "serviceaccounts/token" in rule["resources"]
    ]
    assert sorted(role["resourceNames"]) == sorted(account_tokens.ACCOUNTS)


def test_the_pod_starts_and_ends_in_order() -> None:
    # The kubelet stops these in the reverse order, after the containers.
    sidecars = [c["name"] for c in POD["initContainers"] if c.get("restartPolicy") == "Always"]
    assert sidecars == ["controller", "server", "logs"]
    assert [each["name"] for each in POD["containers"]] == ["envoy"]
    hook = container("envoy")["lifecycle"]["preStop"]["exec"]["command"]
    socket = environment(container("envoy-configuration"))["KRKN_ENVOY_ADMIN_SOCKET"]
    assert hook == ["python", "-m", drain.__name__, socket]
    stop_seconds = ServerSettings.model_fields["stop_seconds"].default
    needed = drain.WAIT_SECONDS + drain.DRAIN_SECONDS + 3 * stop_seconds
    assert POD["terminationGracePeriodSeconds"] >= needed + 10


def test_no_probe_starts_a_program() -> None:
    probes = [
        each[kind]
        for each in POD["initContainers"] + POD["containers"]
        for kind in ("startupProbe", "livenessProbe", "readinessProbe")
        if kind in each
    ]
    assert len(probes) == 6
    assert all(probe.keys() & {"exec", "httpGet"} == {"httpGet"} for probe in probes)


@pytest.mark.parametrize("name", [c["name"] for c in POD["initContainers"] + POD["containers"]])
def test_a_container_may_do_little(name: str) -> None:
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container(name)["resources"]["limits"]


@pytest.mark.parametrize(("name", "port"), [("server", "50052"), ("logs", "50054")])
def test_the_probes_of_a_server_ask_envoy_for_it(name: str, port: str) -> None:
    edge = environment(container("envoy-configuration"))
    default = str(ServerSettings.model_fields["server_health_port"].default)
    assert environment(container(name)).get("KRKN_SERVER_HEALTH_PORT", default) == port
    asked = {"server": edge.get("KRKN_SERVER_HEALTH_PORT", default)}
    asked["logs"] = edge["KRKN_LOGS_HEALTH_PORT"]
    assert asked[name] == port
    probe = container(name)["livenessProbe"]["httpGet"]
    assert probe == {"port": int(edge["KRKN_PROBE_PORT"]), "path": f"/livez/{name}"}


def test_what_listens_beside_each_other_has_ports_of_its_own() -> None:
    defaults = {"KRKN_GRPC_PORT": "50051", "KRKN_SERVER_HEALTH_PORT": "50052"}
    ports = [
        (defaults | environment(container(name)))[variable]
        for name in ("server", "logs")
        for variable in defaults
    ]
    edge = environment(container("envoy-configuration"))
    assert edge["KRKN_LOGS_GRPC_PORT"] == ports[2]
    ports += [edge["KRKN_REST_PORT"], edge["KRKN_PROBE_PORT"]]
    ports.append(environment(container("controller"))["KRKN_HEALTH_PORT"])
    assert len(set(ports)) == len(ports)


def test_an_installation_allows_what_is_allowed_by_default() -> None:
    settings = {m["metadata"]["name"]: m for m in manifests.of_kind(BASE, "ConfigMap")}
    data = settings["krkn-grpc-settings"]["data"]
    assert images.read(data["KRKN_ALLOWED_IMAGES"]) == images.DEFAULT
    assert mounts.read(data["KRKN_ALLOWED_MOUNT_PATHS"]) == mounts.DEFAULT


def test_what_the_server_serves_the_log_reader_does_not() -> None:
    served = [environment(container(name))["KRKN_SERVE"] for name in ("server", "logs")]
    assert served == ["calls", "logs"]


def test_reflection_is_off() -> None:
    [shared] = manifests.of_kind(BASE, "ConfigMap")
    assert "KRKN_REFLECTION" not in shared["data"] | environment(container("server"))
    assert ServerSettings.model_fields["reflection"].default is False


@pytest.mark.parametrize(
    ("name", "settings"),
    [("server", ServerSettings), ("logs", ServerSettings), ("controller", ControllerSettings)],
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
        for s in (ServerSettings, ControllerSettings, EnvoySettings)
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
    edge, probes, metrics = container("envoy")["ports"]
    assert (metrics["name"], metrics["containerPort"]) == (
        "metrics-envoy",
        settings.envoy_metrics_port,
    )
    assert settings.has_metrics
    assert edge["containerPort"] == settings.rest_port
    assert probes["containerPort"] == settings.probe_port
    for probe in ("readinessProbe", "livenessProbe"):
        assert container("envoy")[probe]["httpGet"]["port"] == probes["name"]


def test_envoy_has_the_memory_that_its_heap_may_cost() -> None:
    """Twice the heap: 594 to 652 MiB were measured with 384, by replies that nobody reads."""
    limit = container("envoy")["resources"]["limits"]["memory"]
    heap = EnvoySettings.model_fields["envoy_max_heap_mib"].default
    assert int(limit.removesuffix("Mi")) >= 2 * heap


def test_the_tls_files_are_where_envoy_looks() -> None:
    mounts = {mount["name"]: mount["mountPath"] for mount in container("envoy")["volumeMounts"]}
    assert environment(container("envoy-configuration"))["KRKN_TLS_DIRECTORY"] == mounts["tls"]


def test_the_commands_exist() -> None:
    for name in ("envoy-configuration", "server", "logs", "controller", "envoy"):
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
    listed = [*content["resources"], *patches, *content.get("transformers", ())]
    assert all((path.parent / entry).exists() for entry in listed)
    files = {file.name for file in path.parent.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == {entry for entry in listed if not entry.startswith("..")}
