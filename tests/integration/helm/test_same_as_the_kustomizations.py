"""The chart installs what the kustomizations install."""

import re
from typing import Any

import pytest

from deploy.helm import base, generate
from deploy.helm.base import NAMESPACE, Identity, Manifest, Objects, Variant
from tests.support.helm import Chart, Rendered, kustomized

# What the chart says itself, of the release and of its own version.
OF_HELM = {
    "helm.sh/chart",
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/version",
}
CLUSTER_WIDE = re.compile("ClusterRole|ValidatingAdmissionPolicy")


def plain(value: Any) -> Any:
    """The value without what only Helm, or only Kustomize, says."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict):
        return value.removesuffix(f".{NAMESPACE}") if isinstance(value, str) else value
    kept = {
        # A patch of Kustomize changes the order of variables.
        key: plain(sorted(each, key=str) if key == "env" else each)
        for key, each in value.items()
        if key not in OF_HELM | {"helm.sh/resource-policy", "checksum/settings"}
    }
    return {
        key: each
        for key, each in kept.items()
        if not (key in ("labels", "annotations") and not each)
        # A value; see below for what it selects.
        and key != "labelSelector"
    }


def spelled_out(kind: str, manifest: Manifest) -> Manifest:
    """The object with what is so, if the kustomization does not say it."""
    implied: Manifest = {}
    if kind == "Service":
        implied = {"type": "ClusterIP"}
    if kind == "ValidatingAdmissionPolicyBinding":
        only = {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}
        implied = {"matchResources": {"namespaceSelector": only}}
    return manifest | {"spec": implied | manifest["spec"]} if implied else manifest


def comparable(objects: Objects | Rendered) -> dict[Identity, Manifest]:
    return {
        (kind, plain(name)): plain(spelled_out(kind, manifest))
        for (kind, name), manifest in objects.items()
        if kind != "Namespace"  # made by `helm install --create-namespace`, or before
    }


def test_the_chart_is_fresh(chart: Chart) -> None:
    assert not generate.stale(generate.files()), "run make docs"


def test_by_default_it_is_the_default_overlay(chart: Chart) -> None:
    assert comparable(chart.by_default()) == comparable(kustomized())


@pytest.mark.parametrize("variant", base.VARIANTS, ids=lambda variant: variant.value)
def test_a_value_is_the_variant_of_its_name(chart: Chart, variant: Variant) -> None:
    group, name = variant.value.split(".")
    rendered = chart.render({group: {name: True if variant.is_component else variant.folder.name}})
    assert comparable(rendered) == comparable(base.varied(variant))


def test_what_both_label_has_the_same_labels(chart: Chart) -> None:
    ours = comparable(kustomized())
    for (kind, name), manifest in chart.by_default().items():
        labels = manifest["metadata"]["labels"]
        assert labels.keys() >= OF_HELM
        theirs = ours[kind, plain(name)]["metadata"].get("labels", {})
        assert theirs.items() <= labels.items()


def test_a_selector_means_the_pods_of_its_release(chart: Chart) -> None:
    rendered = chart.render(release="other", namespace="a-namespace")
    [deployment] = (m for (kind, _), m in rendered.items() if kind == "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    spread = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        rendered["Service", "other-krkn-grpc"]["spec"]["selector"],
        rendered["PodDisruptionBudget", "other-krkn-grpc"]["spec"]["selector"]["matchLabels"],
        *(each["labelSelector"]["matchLabels"] for each in spread),
    ]
    for selector in selectors:
        assert selector.items() <= labels.items()
        assert selector["app.kubernetes.io/instance"] == "other"


def test_nothing_of_a_release_is_named_by_another_namespace(chart: Chart) -> None:
    rendered = chart.render(release="other", namespace="a-namespace")
    definitions = "CustomResourceDefinition"
    assert NAMESPACE not in str([m for (kind, _), m in rendered.items() if kind != definitions])
    for (kind, name), manifest in rendered.items():
        if CLUSTER_WIDE.match(kind):
            assert name.endswith(".a-namespace")
        elif kind != definitions:
            assert manifest["metadata"]["namespace"] == "a-namespace"
