"""The settings of an installation's containers are those that the processes take."""

import pytest

from controller.settings import Settings as ControllerSettings
from deploy.local.cluster import manifests
from krkn_grpc.edge.render import render_files
from krkn_grpc.edge.settings import EnvoySettings
from krkn_grpc.resources import images, mounts
from krkn_grpc.server.settings import Settings as ServerSettings
from tests.support.deployment import BASE, POD, Manifest, container, environment, mesh_patch


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
