"""The Prometheus operator's own definition takes our PrometheusRule, and only what is right."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from deploy.alerts import rules
from deploy.local.cluster import manifests
from deploy.local.cluster.api import Cluster, ClusterError

Manifest = dict[str, Any]
FIRST_RULE = "spec.groups[0].rules[0]"


async def create(cluster: Cluster, namespace: str, manifest: Manifest) -> Manifest:
    """Create the object; a field that the definition does not have is an error."""
    path = f"/apis/monitoring.coreos.com/v1/namespaces/{namespace}/prometheusrules"
    [placed] = manifests.in_namespace([manifest], namespace)
    return await cluster.request("POST", path, placed, fieldValidation="Strict")


@pytest.fixture
def shipped() -> Manifest:
    loaded: Manifest = yaml.safe_load(rules.MANIFEST.read_text())
    return loaded


async def test_it_is_stored_as_it_is(
    monitored_cluster: Cluster, namespace: str, shipped: Manifest
) -> None:
    stored = await create(monitored_cluster, namespace, shipped)
    assert stored["spec"] == shipped["spec"]


def set_in_first_rule(name: str, value: object) -> Callable[[Manifest], None]:
    def change(manifest: Manifest) -> None:
        manifest["spec"]["groups"][0]["rules"][0][name] = value

    return change


def drop_expression(manifest: Manifest) -> None:
    del manifest["spec"]["groups"][0]["rules"][0]["expr"]


def repeat_group(manifest: Manifest) -> None:
    manifest["spec"]["groups"].append(copy.deepcopy(manifest["spec"]["groups"][0]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_in_first_rule("for", "soon"), f"{FIRST_RULE}.for: Invalid value"),
        (set_in_first_rule("labels", "critical"), f"{FIRST_RULE}.labels: Invalid value"),
        (set_in_first_rule("fore", "5m"), f'unknown field "{FIRST_RULE}.fore"'),
        (drop_expression, f"{FIRST_RULE}.expr: Required value"),
        (repeat_group, "spec.groups[4]: Duplicate value"),
    ],
)
async def test_what_is_wrong_is_refused(
    monitored_cluster: Cluster,
    namespace: str,
    shipped: Manifest,
    change: Callable[[Manifest], None],
    said: str,
) -> None:
    change(shipped)
    with pytest.raises(ClusterError) as refused:
        await create(monitored_cluster, namespace, shipped)
    assert refused.value.status in (400, 422)
    assert said in str(refused.value)
