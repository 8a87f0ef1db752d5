"""Each container has its metrics on its own port, and a component lets a monitoring system in."""

import pytest

from deploy.local.cluster import manifests
from tests.support.deployment import (
    BASE,
    DEPLOY,
    DEPLOYMENT,
    POD,
    container,
    environment,
)

METRICS = {
    "controller": ("controller", "KRKN_CONTROLLER_METRICS_PORT"),
    "server": ("server", "KRKN_SERVER_METRICS_PORT"),
    "logs": ("logs", "KRKN_SERVER_METRICS_PORT"),
    "envoy": ("envoy-configuration", "KRKN_ENVOY_METRICS_PORT"),
}


# A port's name has at most 15 characters.
METRIC_PORT = {
    "controller": "metrics-control",
    "server": "metrics-server",
    "logs": "metrics-logs",
    "envoy": "metrics-envoy",
}


def metrics_ports() -> dict[str, str]:
    """The port of each container's metrics, as the settings have it."""
    return {
        name: environment(container(told))[setting] for name, (told, setting) in METRICS.items()
    }


@pytest.mark.parametrize("name", METRICS)
def test_a_container_has_its_metrics_on_a_named_port_of_the_pod(name: str) -> None:
    told, setting = METRICS[name]
    variables = environment(container(told))
    ports = {port["name"]: port["containerPort"] for port in container(name)["ports"]}
    assert ports[METRIC_PORT[name]] == int(variables[setting])
    assert variables["KRKN_METRICS_HOST"] == "0.0.0.0"


def test_a_monitoring_system_is_let_in_by_a_component_alone() -> None:
    component = manifests.load(DEPLOY / "components" / "monitoring")
    [policy] = manifests.of_kind(component, "NetworkPolicy")
    [rule] = policy["spec"]["ingress"]
    wanted = {int(port) for port in metrics_ports().values()}
    assert {port["port"] for port in rule["ports"]} == wanted
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    for each in manifests.of_kind(BASE, "NetworkPolicy"):
        opened = [p["port"] for r in each["spec"].get("ingress", ()) for p in r["ports"]]
        assert not wanted & set(opened)


def test_the_ports_of_metrics_are_no_others() -> None:
    ports = [
        port["containerPort"]
        for each in POD["initContainers"] + POD["containers"]
        for port in each.get("ports", ())
    ]
    assert len(set(ports)) == len(ports) == 7
