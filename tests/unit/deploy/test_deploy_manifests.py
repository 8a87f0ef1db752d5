"""The manifests of an installation fit together, and fit the programs that they start."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from controller import account_tokens
from deploy.local.cluster import manifests
from krkn_grpc.edge import drain
from krkn_grpc.server.settings import Settings as ServerSettings
from tests.support.deployment import (
    BASE,
    DEPLOY,
    DEPLOYMENT,
    POD,
    Manifest,
    container,
    environment,
    mesh_patch,
)

KUSTOMIZATIONS = [*DEPLOY.rglob("kustomization.yaml")]

# What is there in each namespace anyway, and what only the one who installs can bring.
FROM_ELSEWHERE = {
    ("ConfigMap", "kube-root-ca.crt"),
    ("Secret", "krkn-grpc-tls"),
    ("ClusterRole", "system:auth-delegator"),
}


def references(pod: Manifest) -> Iterator[tuple[str, str]]:
    """Yield kind and name of each object that the pod needs."""
    yield "ServiceAccount", pod["serviceAccountName"]
    for each in pod["initContainers"] + pod["containers"]:
        for source in each.get("envFrom", ()):
            yield "ConfigMap", source["configMapRef"]["name"]
    for volume in pod["volumes"]:
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
        for source in volume.get("projected", {}).get("sources", ()):
            if "configMap" in source:
                yield "ConfigMap", source["configMap"]["name"]


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
