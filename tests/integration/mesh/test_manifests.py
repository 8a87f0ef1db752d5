"""What we ship for Istio, the Gateway API and cert-manager, by their own resource definitions."""

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from deploy.local.cluster import manifests
from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.services import REPOSITORY
from tests.support import extensions

Manifest = dict[str, Any]

SHIPPED = extensions.shipped()
EXAMPLES = [
    manifest
    for text in re.findall(
        r"^```yaml\n(.*?)^```",
        (REPOSITORY / "docs" / "mesh.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    for manifest in yaml.safe_load_all(text)
    if "istio.io" in manifest.get("apiVersion", "")
]
OURS = {**SHIPPED, **{manifest["kind"]: manifest for manifest in EXAMPLES}}


async def tried(cluster: Cluster, manifest: Manifest) -> Manifest:
    """What the API server would store; fields that the definition does not have are errors."""
    [placed] = manifests.in_namespace([copy.deepcopy(manifest)], "default")
    plural = {"y": "ies"}.get(manifest["kind"][-1], f"{manifest['kind'][-1]}s")
    path = f"/apis/{manifest['apiVersion']}/namespaces/default/"
    return await cluster.request(
        "POST",
        f"{path}{manifest['kind'][:-1].lower()}{plural}",
        placed,
        dryRun="All",
        fieldValidation="Strict",
        fieldManager="test",
    )


@pytest.mark.parametrize("kind", SHIPPED)
async def test_it_is_stored_as_it_is(extended_cluster: Cluster, kind: str) -> None:
    stored = await tried(extended_cluster, SHIPPED[kind])
    assert_has(stored["spec"], SHIPPED[kind]["spec"])


@pytest.mark.parametrize("manifest", EXAMPLES, ids=lambda each: str(each["kind"]))
async def test_an_example_of_the_page_is_stored_as_it_is(
    extended_cluster: Cluster, manifest: Manifest
) -> None:
    assert_has((await tried(extended_cluster, manifest))["spec"], manifest["spec"])


def assert_has(stored: Any, shipped: Any) -> None:
    """Defaults may have been added, and nothing was lost."""
    if isinstance(shipped, dict):
        assert shipped.keys() <= stored.keys()
        for key, each in shipped.items():
            assert_has(stored[key], each)
    elif isinstance(shipped, list):
        for one, other in zip(stored, shipped, strict=True):
            assert_has(one, other)
    else:
        assert stored == shipped


Change = Callable[[Manifest], Any]
WRONG: list[tuple[str, Change, str]] = [
    ("PeerAuthentication", lambda spec: spec["mtls"].update(mode="ALWAYS"), "mtls.mode"),
    ("PeerAuthentication", lambda spec: spec.update(portMtls={}), "portMtls"),
    ("AuthorizationPolicy", lambda spec: spec.update(action="LET"), "action"),
    (
        "AuthorizationPolicy",
        lambda spec: spec["rules"][0]["to"][0]["operation"].update(ports=[8080]),
        "ports",
    ),
    (
        "DestinationRule",
        lambda spec: spec["trafficPolicy"]["tls"].update(mode="MESH"),
        "trafficPolicy.tls.mode",
    ),
    ("DestinationRule", lambda spec: spec.pop("host"), "host"),
    (
        "VirtualService",
        lambda spec: spec["http"][0]["retries"].update(attempts="none"),
        "attempts",
    ),
    ("VirtualService", lambda spec: spec["http"][0].update(retry={}), "retry"),
    ("HTTPRoute", lambda spec: spec["rules"][0]["timeouts"].update(request="never"), "request"),
    ("HTTPRoute", lambda spec: spec.update(hostnames=["krkn.example.com:443"]), "hostnames"),
    (
        "GRPCRoute",
        lambda spec: spec["rules"][0]["backendRefs"][0].pop("port"),
        "Must have port for Service reference",
    ),
    ("BackendTLSPolicy", lambda spec: spec["validation"].pop("hostname"), "hostname"),
    (
        "BackendTLSPolicy",
        lambda spec: spec["validation"].update(wellKnownCACertificates="System"),
        "must not contain both",
    ),
    ("Certificate", lambda spec: spec.pop("issuerRef"), "issuerRef"),
    ("Certificate", lambda spec: spec.update(usages=["tls"]), "usages"),
    ("ServiceEntry", lambda spec: spec.update(location="OUTSIDE"), "location"),
    ("ServiceEntry", lambda spec: spec["ports"][0].pop("name"), "name"),
]


@pytest.mark.parametrize(("kind", "change", "named"), WRONG)
async def test_a_wrong_one_is_refused(
    extended_cluster: Cluster, kind: str, change: Change, named: str
) -> None:
    manifest = copy.deepcopy(OURS[kind])
    change(manifest["spec"])
    with pytest.raises(ClusterError, match=re.escape(named)):
        await tried(extended_cluster, manifest)


def test_each_kind_has_a_wrong_one() -> None:
    assert {kind for kind, _, _ in WRONG} == OURS.keys()
