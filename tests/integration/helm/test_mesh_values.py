"""The chart's values for a mesh, a gateway and cert-manager."""

from typing import Any

import pytest

from deploy.helm.base import NAMESPACE
from tests.support import extensions
from tests.support.helm import Chart

GATEWAY = {
    "enabled": True,
    "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
    "hostnames": ["chaos.example"],
    "grpcHostnames": ["grpc.chaos.example"],
    "caConfigMap": "company",
}


def test_routes_have_the_names_that_are_given(chart: Chart) -> None:
    rendered = chart.render({"gatewayApi": GATEWAY}, release="other")
    for kind, hosts in (("HTTPRoute", "hostnames"), ("GRPCRoute", "grpcHostnames")):
        spec = rendered[kind, "other-krkn-grpc"]["spec"]
        assert spec["parentRefs"] == GATEWAY["parentRefs"]
        assert spec["hostnames"] == GATEWAY[hosts]
        assert spec["rules"][0]["backendRefs"] == [{"name": "other-krkn-grpc", "port": 443}]
    validation = rendered["BackendTLSPolicy", "other-krkn-grpc"]["spec"]["validation"]
    assert validation["hostname"] == f"other-krkn-grpc.{NAMESPACE}.svc"
    assert validation["caCertificateRefs"][0]["name"] == "company"


@pytest.mark.parametrize(
    ("values", "port"),
    [({}, 443), ({"service": {"port": 8443}}, 8443), ({"tls": {"mode": "mesh"}}, 80)],
    ids=str,
)
def test_routes_lead_to_the_port_of_the_service(
    chart: Chart, values: dict[str, Any], port: int
) -> None:
    rendered = chart.render({"gatewayApi": GATEWAY, **values})
    [of_service] = rendered["Service", "krkn-grpc"]["spec"]["ports"]
    [rule] = rendered["HTTPRoute", "krkn-grpc"]["spec"]["rules"]
    assert rule["backendRefs"][0]["port"] == of_service["port"] == port
    assert (("BackendTLSPolicy", "krkn-grpc") in rendered) == (port != 80)


def test_the_rules_of_istio_mean_this_release(chart: Chart) -> None:
    rendered = chart.render({"istio": {"enabled": True}, "tls": {"mode": "mesh"}}, release="other")
    name = "other-krkn-grpc"
    assert rendered["DestinationRule", name]["spec"]["host"] == name
    service = rendered["VirtualService", name]["spec"]
    assert service["hosts"] == [name]
    for route in service["http"]:
        assert route["route"] == [{"destination": {"host": name}}]
    for kind in ("PeerAuthentication", "AuthorizationPolicy"):
        labels = rendered[kind, name]["spec"]["selector"]["matchLabels"]
        assert labels["app.kubernetes.io/instance"] == "other"


def test_an_annotation_for_the_proxy_takes_the_place_of_ours(chart: Chart) -> None:
    def annotations(**given: str) -> dict[str, str]:
        values = {"tls": {"mode": "mesh"}, "podAnnotations": given}
        deployment = chart.render(values)["Deployment", "krkn-grpc"]
        found: dict[str, str] = deployment["spec"]["template"]["metadata"]["annotations"]
        return found

    ranges = "traffic.sidecar.istio.io/includeOutboundIPRanges"
    assert annotations()[ranges] == ""
    changed = annotations(**{ranges: "*"})
    assert changed[ranges] == "*"
    assert changed.keys() == annotations().keys()


def test_its_certificate_is_that_of_the_component(chart: Chart) -> None:
    component = extensions.shipped()["Certificate"]
    issuer = component["spec"]["issuerRef"]
    values = {"tls": {"certManager": {"enabled": True, "issuerRef": issuer}}}
    certificate = chart.render(values)["Certificate", component["metadata"]["name"]]
    assert certificate["spec"] == component["spec"]
