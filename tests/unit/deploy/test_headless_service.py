"""The component whose name leads clients to all pods, without an address in between."""

from deploy.local.cluster import manifests
from krkn_grpc.edge.settings import EnvoySettings
from tests.support.deployment import BASE, DEPLOY, DEPLOYMENT, container, environment

COMPONENT = manifests.load(DEPLOY / "components" / "headless-service")


def test_it_leads_to_the_port_that_envoy_listens_on() -> None:
    [service] = manifests.of_kind(COMPONENT, "Service")
    [port] = service["spec"]["ports"]
    own = {each["name"]: each["containerPort"] for each in container("envoy")["ports"]}
    # Nothing on the way translates a port: there is no proxy.
    assert port["port"] == own[port["targetPort"]]
    told = environment(container("envoy-configuration"))
    assert str(port["port"]) == told.get("KRKN_REST_PORT", str(EnvoySettings().rest_port))


def test_its_name_is_the_addresses_of_the_pods_that_are_ready() -> None:
    [service] = manifests.of_kind(COMPONENT, "Service")
    assert service["spec"]["clusterIP"] == "None"
    assert "publishNotReadyAddresses" not in service["spec"]
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    [other] = manifests.of_kind(BASE, "Service")
    assert service["metadata"]["name"] != other["metadata"]["name"]
