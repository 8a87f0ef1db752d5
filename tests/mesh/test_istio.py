"""What Istio's own code makes of our objects: analyzer, injector, configuration of proxies."""

import copy
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from controller.jobs import pod as pods
from controller.scenario_pods.rules import PodRules
from deploy.local.cluster import manifests
from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from tests.mesh.istio import Istio, Manifest
from tests.support.sidecars import RETRIES
from tests.unit.controller.jobs.builders import a_job

HOST = "krkn-grpc.krkn-operator-system.svc.cluster.local"
ISTIO = {"AuthorizationPolicy", "DestinationRule", "PeerAuthentication", "VirtualService"}
INJECTION = {"metadata": {"labels": {"istio-injection": "enabled"}}}
CALLERS = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "callers"}}


def of_kind(objects: list[Manifest], kind: str) -> Manifest:
    [found] = [each for each in objects if each["kind"] == kind]
    return found


def as_pod(template: Manifest) -> Manifest:
    """The pod of a Deployment: no controller of Deployments runs here."""
    metadata = template["metadata"] | {"name": "krkn-grpc"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


IN_THE_NAMESPACE = {"ConfigMap", "Deployment", "NetworkPolicy", "Service"} | ISTIO


async def test_the_analyzer_has_nothing_to_say(
    istio: Istio,
    installed: list[Manifest],
    control_plane: ControlPlane,
    extended_cluster: Cluster,
    namespace: str,
) -> None:
    placed = manifests.in_namespace(istio.injected(installed, cni=True), namespace)
    await extended_cluster.request(
        "PATCH", f"/api/v1/namespaces/{namespace}", INJECTION, "application/merge-patch+json"
    )
    await extended_cluster.apply(each for each in placed if each["kind"] in IN_THE_NAMESPACE)
    pod = as_pod(of_kind(placed, "Deployment")["spec"]["template"])
    await extended_cluster.request("POST", f"/api/v1/namespaces/{namespace}/pods", pod)
    analysis = istio.analyze(namespace, control_plane.admin_kubeconfig)
    assert analysis.is_clean, analysis.text

    wrong = of_kind(placed, "VirtualService")
    wrong["spec"]["http"][1]["route"][0]["destination"]["host"] = "krkn"
    analysis = istio.analyze(namespace, control_plane.admin_kubeconfig, wrong)
    assert not analysis.is_clean
    assert 'Referenced host not found: "krkn"' in analysis.text


def containers(pod: Manifest) -> Iterator[Manifest]:
    yield from pod["spec"].get("initContainers", ())
    yield from pod["spec"]["containers"]


def injected_pod(istio: Istio, installed: list[Manifest], *, cni: bool) -> Manifest:
    """Our pod with its proxy."""
    deployment = of_kind(istio.injected(installed, cni=cni), "Deployment")
    template: Manifest = deployment["spec"]["template"]
    return template


def test_our_pod_has_a_proxy_that_starts_first_and_ends_last(
    istio: Istio, installed: list[Manifest]
) -> None:
    pod = injected_pod(istio, installed, cni=True)
    first, second, *others = containers(pod)
    assert (first["name"], second["name"]) == ("istio-validation", "istio-proxy")
    assert second["restartPolicy"] == "Always"
    assert others[0]["name"] == "envoy-configuration"


def test_no_proxy_takes_what_the_pod_sends(istio: Istio, installed: list[Manifest]) -> None:
    deployment = of_kind(installed, "Deployment")
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]

    def redirected() -> dict[str, str]:
        [first] = [
            each
            for each in containers(injected_pod(istio, installed, cni=False))
            if each["name"] == "istio-init"
        ]
        arguments = iter(first["args"][1:-1])
        return dict(zip(arguments, arguments, strict=True))

    ours = redirected()
    assert ours["-i"] == ""
    assert {"8084", "8085"} <= set(ours["-d"].split(","))
    del annotations["traffic.sidecar.istio.io/includeOutboundIPRanges"]
    assert redirected()["-i"] == "*"


def test_the_probes_get_past_the_proxy(istio: Istio, installed: list[Manifest]) -> None:
    pod = injected_pod(istio, installed, cni=True)
    kinds = ("startupProbe", "livenessProbe", "readinessProbe")
    probes = [each[kind] for each in containers(pod) for kind in kinds if kind in each]
    assert len(probes) > 4
    for probe in probes:
        assert probe["httpGet"]["port"] in (15020, 15021)


@pytest_asyncio.fixture
async def restricted(control_plane: ControlPlane, namespace: str) -> str:
    labels = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    path = f"/api/v1/namespaces/{namespace}"
    patch = "application/merge-patch+json"
    await control_plane.cluster.request("PATCH", path, labels, patch)
    return namespace


async def test_pod_security_admits_it_with_the_cni_plugin_alone(
    istio: Istio, installed: list[Manifest], control_plane: ControlPlane, restricted: str
) -> None:
    async def create(template: Manifest) -> Manifest:
        path = f"/api/v1/namespaces/{restricted}/pods"
        return await control_plane.cluster.request("POST", path, as_pod(template), dryRun="All")

    created = await create(injected_pod(istio, installed, cni=True))
    assert "istio-proxy" in {each["name"] for each in containers(created)}
    with pytest.raises(ClusterError, match=r'violates PodSecurity "restricted:latest".*istio-init'):
        await create(injected_pod(istio, installed, cni=False))


def scenario_pod() -> Manifest:
    made: Manifest = msgspec.to_builtins(pods.pod(a_job(), PodRules()))
    return {"apiVersion": "v1", "kind": "Pod", **made}


def is_selected(labels: dict[str, str], selector: Manifest) -> bool:
    """Whether a selector of labels, of the operators that Istio uses, selects these."""
    for each in selector["matchExpressions"]:
        value = labels.get(each["key"])
        held = {
            "In": value in each.get("values", ()),
            "NotIn": value not in each.get("values", ()),
            "DoesNotExist": value is None,
        }
        if not held[each["operator"]]:
            return False
    return True


def test_no_webhook_is_asked_about_a_scenario_pod(istio: Istio) -> None:
    hooks = [
        hook
        for each in istio.installation(cni=True)
        if each["kind"] == "MutatingWebhookConfiguration"
        for hook in each["webhooks"]
        if "sidecar-injector" in hook["name"]
    ]
    labels = scenario_pod()["metadata"]["labels"]
    others = {key: each for key, each in labels.items() if "istio" not in key}
    assert not any(is_selected(labels, hook["objectSelector"]) for hook in hooks)
    assert any(is_selected(others, hook["objectSelector"]) for hook in hooks)


def test_a_scenario_pod_has_no_proxy(istio: Istio) -> None:
    ours = scenario_pod()
    [pod] = istio.injected([ours], cni=True)
    assert [each["name"] for each in containers(pod)] == ["scenario"]
    del ours["metadata"]["labels"]["sidecar.istio.io/inject"]
    del ours["metadata"]["annotations"]["sidecar.istio.io/inject"]
    [pod] = istio.injected([ours], cni=True)
    assert "istio-proxy" in {each["name"] for each in containers(pod)}


def spelled(value: Any) -> Any:
    """JSON of an Envoy message, named as in its YAML."""
    if isinstance(value, list):
        return [spelled(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        "".join(f"_{each.lower()}" if each.isupper() else each for each in key): spelled(inner)
        for key, inner in value.items()
    }


def cluster_options(given: dict[str, list[Manifest]]) -> Manifest:
    [cluster] = [each for each in given["clusters"] if HOST in each["name"]]
    options: Manifest = cluster.get("typedExtensionProtocolOptions", {})
    found: Manifest = options.get("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", {})
    return found


def routes(given: dict[str, list[Manifest]]) -> list[Manifest]:
    hosts = [each for route in given["routes"] for each in route.get("virtualHosts", ())]
    [found] = [each["routes"] for each in hosts if HOST in each["domains"]]
    return list(found)


def test_a_caller_s_proxy_speaks_http_2_to_us(istio: Istio, installed: list[Manifest]) -> None:
    options = cluster_options(istio.proxy([*installed, CALLERS], "callers"))
    assert "http2ProtocolOptions" in options["explicitHttpConfig"]
    service = of_kind(installed, "Service")
    service["spec"]["ports"][0]["appProtocol"] = "http"
    options = cluster_options(istio.proxy([*installed, CALLERS], "callers"))
    assert "http2ProtocolOptions" not in options.get("explicitHttpConfig", {})


def test_a_caller_s_proxy_repeats_no_start(istio: Istio, installed: list[Manifest]) -> None:
    *starts, others = routes(istio.proxy([*installed, CALLERS], "callers"))
    assert {each["name"] for each in starts} == {"starts"}
    for route in starts:
        assert "retryPolicy" not in route["route"]
    assert "retryPolicy" in others["route"]


def test_what_it_repeats_by_itself_is_what_the_proxies_of_our_tests_repeat(
    istio: Istio, installed: list[Manifest]
) -> None:
    alone = [each for each in copy.deepcopy(installed) if each["kind"] != "VirtualService"]
    [route] = routes(istio.proxy([*alone, CALLERS], "callers"))
    policy = spelled(route["route"]["retryPolicy"])
    [predicate] = policy.pop("retry_host_predicate")
    [known] = RETRIES["retry_host_predicate"]
    assert predicate["typed_config"] == known["typed_config"]
    assert int(policy.pop("host_selection_retry_max_attempts")) == 5
    assert policy == {key: RETRIES[key] for key in ("retry_on", "num_retries")}
