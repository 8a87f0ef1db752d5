"""The PodMonitor is one by the operator's own definition, and finds the ports of our pods."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.cluster import manifests
from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.services import REPOSITORY
from tests.support.deployment import DEPLOYMENT, container
from tests.unit.deploy.test_metrics_ports import METRIC_PORT

Manifest = dict[str, Any]

[MONITOR] = manifests.load(REPOSITORY / "deploy" / "components" / "pod-monitor")
PATH = "/apis/monitoring.coreos.com/v1/namespaces/default/podmonitors"


async def tried(cluster: Cluster, manifest: Manifest) -> Manifest:
    """What the API server would store; fields that the definition does not have are errors."""
    return await cluster.request(
        "POST", PATH, manifest, dryRun="All", fieldValidation="Strict", fieldManager="test"
    )


def placed() -> Manifest:
    [manifest] = manifests.in_namespace([copy.deepcopy(MONITOR)], "default")
    return manifest


async def test_it_is_a_pod_monitor(monitored_cluster: Cluster) -> None:
    stored = await tried(monitored_cluster, placed())
    assert stored["spec"] == MONITOR["spec"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda spec: spec["podMetricsEndpoints"][0].update(interval="often"), "interval"),
        (lambda spec: spec["podMetricsEndpoints"][0].update(ports="x"), "ports"),
        (lambda spec: spec.pop("selector"), "selector"),
    ],
)
async def test_a_wrong_one_is_refused(
    monitored_cluster: Cluster, change: Callable[[Manifest], Any], named: str
) -> None:
    manifest = placed()
    change(manifest["spec"])
    with pytest.raises(ClusterError, match=named):
        await tried(monitored_cluster, manifest)


def test_it_selects_our_pods_and_all_ports_of_metrics() -> None:
    spec = MONITOR["spec"]
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    scraped = {endpoint["port"]: endpoint for endpoint in spec["podMetricsEndpoints"]}
    assert scraped.keys() == set(METRIC_PORT.values())
    for name, port in METRIC_PORT.items():
        assert port in {each["name"] for each in container(name)["ports"]}
        path = "/stats/prometheus" if name == "envoy" else "/metrics"
        assert scraped[port].get("path", "/metrics") == path
