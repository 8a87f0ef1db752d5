"""What the manifests for a mesh and for gateways say of the service is so."""

import re
from collections.abc import Iterator

from deploy.local.cluster import manifests
from krkn_grpc.edge.http_rules import DESCRIPTOR_SET, RestApi
from krkn_grpc.server.auth.audit import RERUN, RUN
from krkn_grpc.server.auth.policy import METHODS, Protected
from tests.support.deployment import (
    DEPLOYMENT,
    MESH,
    POD,
    Manifest,
    container,
    environment,
)
from tests.support.extensions import shipped
from tests.support.sidecars import HTTP2, app_protocol
from tests.unit.deploy.test_metrics_ports import metrics_ports

OBJECTS = shipped()
API = RestApi(DESCRIPTOR_SET.read_bytes())
STARTS = {
    method
    for method, rule in METHODS.items()
    if isinstance(rule, Protected) and rule.audit in (RUN, RERUN)
}


def probe_ports() -> set[str]:
    envoy = environment(container("envoy-configuration"))
    return {envoy["KRKN_PROBE_PORT"], environment(container("controller"))["KRKN_HEALTH_PORT"]}


def matches(route: Manifest, verb: str, path: str) -> bool:
    for each in route["match"]:
        [(kind, text)] = each["uri"].items()
        hit = re.fullmatch(text, path) if kind == "regex" else text == path
        if hit and each["method"] == {"exact": verb}:
            return True
    return False


def calls() -> Iterator[tuple[str, str, bool]]:
    """Each call by gRPC and by REST, and whether it starts chaos."""
    for method in API.methods:
        yield "POST", method, method in STARTS
    for call in API.calls:
        starts = any(method.endswith(f"/{call.rpc.partition('.')[2]}") for method in STARTS)
        yield call.verb, re.sub(r"\{[^}]*\}", "an-id", call.path), starts


def test_the_mesh_is_told_to_repeat_no_start_and_may_repeat_the_rest() -> None:
    starts, others = OBJECTS["VirtualService"]["spec"]["http"]
    assert starts["retries"] == {"attempts": 0}
    assert "retries" not in others
    found = {(verb, path) for verb, path, is_start in calls() if is_start}
    assert len(found) == 4
    for verb, path, is_start in calls():
        assert matches(starts, verb, path) == is_start, (verb, path)


def test_a_mesh_speaks_http_2_to_envoy() -> None:
    assert app_protocol() in HTTP2


def test_the_mesh_demands_encryption_but_for_metrics() -> None:
    spec = OBJECTS["PeerAuthentication"]["spec"]
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    assert spec["mtls"] == {"mode": "STRICT"}
    assert spec["portLevelMtls"].keys() == set(metrics_ports().values())


def test_the_mesh_lets_in_calls_of_members_and_metrics() -> None:
    spec = OBJECTS["AuthorizationPolicy"]["spec"]
    members, anyone = spec["rules"]
    assert members["from"] == [{"source": {"principals": ["*"]}}]
    [edge] = members["to"]
    assert edge["operation"]["ports"] == [
        environment(container("envoy-configuration"))["KRKN_REST_PORT"]
    ]
    [metrics] = anyone["to"]
    assert set(metrics["operation"]["ports"]) == set(metrics_ports().values())


def test_the_node_s_probes_go_past_the_proxy() -> None:
    [patch] = manifests.load(MESH / "deployment.yaml")
    annotations = patch["spec"]["template"]["metadata"]["annotations"]
    listed = annotations["traffic.sidecar.istio.io/excludeInboundPorts"].split(",")
    assert set(listed) == probe_ports()


def test_the_node_s_probes_get_past_the_policies_of_an_ambient_mesh() -> None:
    [policy] = manifests.load(MESH / "network-policy.yaml")
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    _, of_probes = policy["spec"]["ingress"]
    assert {str(port["port"]) for port in of_probes["ports"]} == probe_ports()
    # The defaults of its CNI plugin: HOST_PROBE_SNAT_IP and HOST_PROBE_SNAT_IPV6.
    assert [each["ipBlock"]["cidr"] for each in of_probes["from"]] == [
        "169.254.7.127/32",
        "fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128",
    ]


def test_routes_lead_to_the_service_and_the_certificate_has_its_name() -> None:
    for kind in ("HTTPRoute", "GRPCRoute"):
        [rule] = OBJECTS[kind]["spec"]["rules"]
        assert rule["backendRefs"] == [{"name": "krkn-grpc", "port": 443}]
    hostname = OBJECTS["BackendTLSPolicy"]["spec"]["validation"]["hostname"]
    certificate = OBJECTS["Certificate"]["spec"]
    assert hostname in certificate["dnsNames"]
    assert certificate["secretName"] in {
        volume["secret"]["secretName"] for volume in POD["volumes"] if "secret" in volume
    }


def test_rest_and_grpc_have_hosts_of_their_own() -> None:
    # A listener takes routes of one kind for a host, and refuses the younger one.
    hosts = [set(OBJECTS[kind]["spec"]["hostnames"]) for kind in ("HTTPRoute", "GRPCRoute")]
    assert hosts[0].isdisjoint(hosts[1])
