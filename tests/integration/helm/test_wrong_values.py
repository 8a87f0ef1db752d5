"""A wrong value of the chart is refused with one line that names it."""

import pytest

from tests.support.helm import Chart, HelmError, Manifest

SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "Never"}


def settings(name: str, value: object) -> Manifest:
    return {"settings": {name: value}}


WRONG: list[tuple[Manifest, str, str]] = [
    ({"replica": 2}, "", "'replica' not allowed"),
    ({"replicas": "two"}, "/replicas", "got string, want integer"),
    ({"replicas": -1}, "/replicas", "minimum: got -1"),
    ({"replicas": 1.5}, "/replicas", "want integer"),
    ({"fullnameOverride": "Not_A_Name"}, "/fullnameOverride", "'Not_A_Name' does not match"),
    ({"image": {"tags": "1"}}, "/image", "'tags' not allowed"),
    ({"image": {"tag": 1.2}}, "/image/tag", "got number, want string"),
    ({"image": {"tag": "a b"}}, "/image/tag", "'a b' does not match"),
    ({"image": {"digest": "sha256:12"}}, "/image/digest", "'sha256:12' does not match"),
    ({"image": {"pullPolicy": "Sometimes"}}, "/image/pullPolicy", "must be one of 'Always'"),
    ({"image": {"pullSecrets": "a"}}, "/image/pullSecrets", "got string, want array"),
    (settings("KRKN_LOGLEVEL", "info"), "/settings", "'KRKN_LOGLEVEL' not allowed"),
    (settings("KRKN_LOG_LEVEL", "loud"), "/settings/KRKN_LOG_LEVEL", "must be one of 'debug'"),
    (settings("KRKN_WORKERS", 0), "/settings/KRKN_WORKERS", "exclusiveMinimum: got 0"),
    (settings("KRKN_WORKERS", "many"), "/settings/KRKN_WORKERS", "'many' does not match"),
    (settings("KRKN_RATE_LIMIT", True), "/settings/KRKN_RATE_LIMIT", "got boolean, want"),
    (settings("KRKN_REFLECTION", "yes"), "/settings/KRKN_REFLECTION", "'yes' does not match"),
    (settings("KRKN_ALLOWED_IMAGES", [1]), "/settings/KRKN_ALLOWED_IMAGES/0", "want string"),
    # These are the pod's own.
    (settings("KRKN_AUTH", "none"), "/settings", "'KRKN_AUTH' not allowed"),
    (settings("KRKN_REST_PORT", 80), "/settings", "'KRKN_REST_PORT' not allowed"),
    (settings("KRKN_NAMESPACE", "a"), "/settings", "'KRKN_NAMESPACE' not allowed"),
    ({"tls": {"mode": "off"}}, "/tls/mode", "must be one of 'envoy'"),
    ({"tls": {"certManager": {"enabled": "no"}}}, "/tls/certManager/enabled", "want boolean"),
    ({"resources": {"sever": {}}}, "/resources", "'sever' not allowed"),
    (
        {"resources": {"server": {"limits": {"memory": "much"}}}},
        "/resources/server/limits/memory",
        "'much' does not match",
    ),
    ({"nodeSelector": {"a": 1}}, "/nodeSelector/a", "got number, want string"),
    ({"tolerations": [{"efect": "NoExecute"}]}, "/tolerations/0", "'efect' not allowed"),
    (
        {"topologySpreadConstraints": [SPREAD]},
        "/topologySpreadConstraints/0/whenUnsatisfiable",
        "must be one of 'DoNotSchedule'",
    ),
    ({"service": {"type": "ExternalName"}}, "/service/type", "must be one of 'ClusterIP'"),
    ({"service": {"port": 65536}}, "/service/port", "maximum: got 65,536"),
    (
        {"podDisruptionBudget": {"minAvailable": "half"}},
        "/podDisruptionBudget/minAvailable",
        "'half' does not match",
    ),
    ({"admission": {"enable": False}}, "/admission", "'enable' not allowed"),
    ({"crds": {"keep": "yes"}}, "/crds/keep", "want boolean"),
    ({"rbac": {"userRole": True}}, "/rbac", "'userRole' not allowed"),
    (
        {"extraLabels": {"app.kubernetes.io/name": "a"}},
        "/extraLabels/app.kubernetes.io~1name",
        "false schema",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "place", "said"), WRONG, ids=[f"{place}-{said}" for _, place, said in WRONG]
)
def test_a_wrong_value_is_named_in_one_line(
    chart: Chart, values: Manifest, place: str, said: str
) -> None:
    with pytest.raises(HelmError) as refused:
        chart.render(values)
    [line] = [each for each in str(refused.value).splitlines() if each.startswith("- ")]
    assert f"at '{place}'" in line
    assert said in line


def test_what_the_schema_cannot_say_is_named_too(chart: Chart) -> None:
    with pytest.raises(HelmError, match=r"tls\.certManager\.issuerRef\.name: the name"):
        chart.render({"tls": {"certManager": {"enabled": True}}})
