"""Each value of the chart changes what it should, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from deploy.helm import base, generate, values
from tests.support.helm import Chart, Manifest, Rendered, kustomized

DIGEST = f"sha256:{'0123456789abcdef' * 4}"
POD = "Deployment/krkn-grpc/spec/template/spec"
SETTINGS = "ConfigMap/krkn-grpc-settings/data"
CHECKSUM = "Deployment/krkn-grpc/spec/template/metadata/annotations/checksum/settings"
SPREAD = {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
GONE = "(no value)"

# In a path: each container, the one of a name, each account.
EACH = "each container"
SERVER = "container server"
ACCOUNT = "each account"


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield what is in an object, by where it is; items of lists by their names."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, f"{path}/{key}")
    elif isinstance(value, list) and value:
        for number, each in enumerate(value):
            name = each.get("name", number) if isinstance(each, dict) else number
            yield from leaves(each, f"{path}/{name}")
    else:
        yield path, value


def flat(rendered: Rendered) -> dict[str, Any]:
    return dict(
        leaf
        for (kind, name), manifest in rendered.items()
        for leaf in leaves(manifest, f"{kind}/{name}")
    )


def changes(chart: Chart, given: Manifest) -> dict[str, Any]:
    """What is another with these values than by default."""
    before, after = flat(chart.by_default()), flat(chart.render(given))
    return {
        path: after.get(path, GONE)
        for path in before | after
        if before.get(path, GONE) != after.get(path, GONE)
    }


def containers() -> list[str]:
    pod = kustomized()["Deployment", "krkn-grpc"]["spec"]["template"]["spec"]
    kinds = ("initContainers", "containers")
    return [f"{POD}/{kind}/{each['name']}" for kind in kinds for each in pod.get(kind, ())]


def in_full(path: str) -> list[str]:
    """The paths that a path with containers in it stands for."""
    if path.startswith(ACCOUNT):
        accounts = [name for kind, name in kustomized() if kind == "ServiceAccount"]
        return [path.replace(ACCOUNT, f"ServiceAccount/{name}") for name in accounts]
    if not path.startswith((EACH, SERVER)):
        return [path]
    wanted = [place for place in containers() if path.startswith(EACH) or place.endswith("/server")]
    return [re.sub(f"^({EACH}|{SERVER})", place, path) for place in wanted]


EXACT: list[tuple[Manifest, dict[str, Any]]] = [
    ({"replicas": 3}, {"Deployment/krkn-grpc/spec/replicas": 3}),
    ({"replicas": 0}, {"Deployment/krkn-grpc/spec/replicas": 0}),
    (
        {"image": {"repository": "registry.example/krkn-grpc", "tag": "1.2"}},
        {f"{EACH}/image": "registry.example/krkn-grpc:1.2"},
    ),
    ({"image": {"tag": ""}}, {f"{EACH}/image": "krkn-grpc:0.1.0"}),
    ({"image": {"digest": DIGEST}}, {f"{EACH}/image": f"krkn-grpc@{DIGEST}"}),
    ({"image": {"pullPolicy": "Always"}}, {f"{EACH}/imagePullPolicy": "Always"}),
    ({"image": {"pullSecrets": ["a"]}}, {f"{POD}/imagePullSecrets/a/name": "a"}),
    (
        {"resources": {"server": {"limits": {"memory": "1Gi"}}}},
        {f"{SERVER}/resources/limits/memory": "1Gi"},
    ),
    ({"nodeSelector": {"disk": "ssd"}}, {f"{POD}/nodeSelector/disk": "ssd"}),
    ({"tolerations": [{"operator": "Exists"}]}, {f"{POD}/tolerations/0/operator": "Exists"}),
    ({"priorityClassName": "high"}, {f"{POD}/priorityClassName": "high"}),
    (
        {"topologySpreadConstraints": [SPREAD]},
        {f"{POD}/topologySpreadConstraints/0/{key}": each for key, each in SPREAD.items()},
    ),
    ({"service": {"type": "LoadBalancer"}}, {"Service/krkn-grpc/spec/type": "LoadBalancer"}),
    ({"service": {"port": 8443}}, {"Service/krkn-grpc/spec/ports/https/port": 8443}),
    (
        {"service": {"annotations": {"a": "b"}}},
        {"Service/krkn-grpc/metadata/annotations/a": "b"},
    ),
    (
        {"serviceAccounts": {"annotations": {"a": "b"}}},
        {f"{ACCOUNT}/metadata/annotations/a": "b"},
    ),
    (
        {"podDisruptionBudget": {"minAvailable": "50%"}},
        {"PodDisruptionBudget/krkn-grpc/spec/minAvailable": "50%"},
    ),
    ({"tls": {"secretName": "cert"}}, {f"{POD}/volumes/tls/secret/secretName": "cert"}),
    (
        {"podLabels": {"team": "a"}},
        {"Deployment/krkn-grpc/spec/template/metadata/labels/team": "a"},
    ),
    (
        {"podAnnotations": {"a": "b"}},
        {"Deployment/krkn-grpc/spec/template/metadata/annotations/a": "b"},
    ),
]


@pytest.mark.parametrize(("given", "expected"), EXACT, ids=[str(given) for given, _ in EXACT])
def test_it_changes_this_and_nothing_else(
    chart: Chart, given: Manifest, expected: dict[str, Any]
) -> None:
    in_places = {each: value for path, value in expected.items() for each in in_full(path)}
    assert changes(chart, given) == in_places


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"KRKN_LOG_LEVEL": "debug"}, {"KRKN_LOG_LEVEL": "debug"}),
        ({"KRKN_WORKERS": 8}, {"KRKN_WORKERS": "8"}),
        # Helm reads numbers as floats, and writes large ones with an exponent.
        ({"KRKN_IDEMPOTENCY_SECONDS": 10_000_000}, {"KRKN_IDEMPOTENCY_SECONDS": "10000000"}),
        ({"KRKN_WRITE_SECONDS": 2.5}, {"KRKN_WRITE_SECONDS": "2.5"}),
        ({"KRKN_REFLECTION": True}, {"KRKN_REFLECTION": "true"}),
        ({"KRKN_ALLOWED_IMAGES": ["a", "b"]}, {"KRKN_ALLOWED_IMAGES": "a,b"}),
        # A setting that other programs have too has no prefix of ours.
        ({"OTEL_TRACES_SAMPLER_ARG": 0.5}, {"OTEL_TRACES_SAMPLER_ARG": "0.5"}),
        ({"KRKN_LOG_LEVEL": None}, {"KRKN_LOG_LEVEL": GONE}),
    ],
    ids=str,
)
def test_a_setting_is_a_text_and_restarts_the_pods(
    chart: Chart, given: Manifest, written: dict[str, Any]
) -> None:
    found = changes(chart, {"settings": given})
    assert found.pop(CHECKSUM)
    assert found == {f"{SETTINGS}/{name}": value for name, value in written.items()}


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        ({"podDisruptionBudget": {"enabled": False}}, "PodDisruptionBudget/"),
        ({"admission": {"enabled": False}}, "ValidatingAdmissionPolicy(Binding)?/"),
        ({"rbac": {"userRoles": False}}, "Role/krkn-(viewer|runner|target-admin|halter|alerter)/"),
        ({"crds": {"install": False}}, "CustomResourceDefinition/"),
        ({"crds": {"keep": False}}, "CustomResourceDefinition/.*/helm.sh/resource-policy$"),
        ({"topologySpreadConstraints": []}, f"{POD}/topologySpreadConstraints/"),
    ],
    ids=str,
)
def test_it_removes_this_and_nothing_else(chart: Chart, given: Manifest, gone: str) -> None:
    found = changes(chart, given)
    assert set(found.values()) == {GONE}
    everything = flat(chart.by_default())
    assert found.keys() == {path for path in everything if re.match(gone, path)}


@pytest.mark.parametrize("kind", ["Labels", "Annotations"])
def test_extra_ones_are_on_every_object(chart: Chart, kind: str) -> None:
    rendered = chart.render({f"extra{kind}": {"team": "a"}, "tls": {"certManager": CERTIFICATE}})
    for manifest in rendered.values():
        assert manifest["metadata"][kind.lower()]["team"] == "a"


CERTIFICATE = {"enabled": True, "issuerRef": {"name": "ca"}, "dnsNames": ["krkn.example"]}


def test_a_certificate_is_for_the_secret_of_envoy(chart: Chart) -> None:
    certificate = chart.render({"tls": {"certManager": CERTIFICATE}})[
        "Certificate", "krkn-grpc-tls"
    ]
    assert certificate["spec"]["secretName"] == "krkn-grpc-tls"
    assert certificate["spec"]["issuerRef"] == {
        "name": "ca",
        "kind": "Issuer",
        "group": "cert-manager.io",
    }
    names = [f"krkn-grpc.{base.NAMESPACE}.svc", "krkn.example"]
    assert certificate["spec"]["dnsNames"] == names


@pytest.mark.parametrize(
    ("release", "override", "name"),
    [
        ("krkn-grpc", "", "krkn-grpc"),
        ("my-krkn-grpc", "", "my-krkn-grpc"),
        ("chaos", "", "chaos-krkn-grpc"),
        ("chaos", "krkn", "krkn"),
        ("a" * 53, "", f"{'a' * 30}-krkn-grpc"),
    ],
)
def test_names_follow_the_release(chart: Chart, release: str, override: str, name: str) -> None:
    rendered = chart.render({"fullnameOverride": override}, release)
    deployment = rendered["Deployment", name]
    assert {("Service", name), ("ConfigMap", f"{name}-settings")} <= rendered.keys()
    for container in containers():
        *_, kind, own = container.split("/")
        [found] = [c for c in deployment["spec"]["template"]["spec"][kind] if c["name"] == own]
        for source in found.get("envFrom", ()):
            assert source["configMapRef"]["name"] == f"{name}-settings"


def test_every_value_has_a_default_in_the_file_and_a_description_in_the_schema() -> None:
    described = values.values(kustomized())
    written = yaml.safe_load((generate.CHART / "values.yaml").read_text())

    def check(members: Any, found: Manifest) -> None:
        assert [each.name for each in members] == list(found)
        for each in members:
            assert each.description
            if each.members:
                check(each.members, found[each.name])
            else:
                assert found[each.name] == each.default

    check(described, written)
