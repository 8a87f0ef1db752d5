"""The settings of scenario pods: a wrong value stops the controller with a line that names it."""

import pytest
from pydantic import ValidationError

from controller.scenario_pods.rules import PodRules
from controller.settings import Settings
from krkn_grpc.startup import settings_or_exit


def test_without_settings_the_rules_are_the_usual_ones() -> None:
    assert Settings().pod_rules == PodRules()


def test_the_rules_have_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "IMAGE_PULL_POLICY": "IfNotPresent",
        "GRACE_SECONDS": "5",
        "IMAGE_MIRRORS": "quay.io=mirror.example/quay",
        "POD_TEMPLATE": '{"metadata": {"labels": {"team": "chaos"}}}',
        "POD_SERVICE_ACCOUNT": "own",
        "POD_FIXED_UID": "false",
        "POD_HTTPS_PROXY": "http://proxy.example:3128",
        "POD_HTTP_PROXY": "http://[fd00::1]:3129/",
        "POD_NO_PROXY": "10.0.0.0/8,.svc,*.example.com",
        "POD_CA_CONFIG_MAP": "company-ca",
        "POD_CA_KEY": "ca.crt",
    }.items():
        monkeypatch.setenv(f"KRKN_{name}", value)
    rules = Settings().pod_rules
    assert (rules.pull_policy, rules.grace_seconds) == ("IfNotPresent", 5)
    assert rules.pulled_from("quay.io/a:b") == "mirror.example/quay/a:b"
    assert rules.template.labels == {"team": "chaos"}
    assert (rules.service_account, rules.has_fixed_user) == ("own", False)
    assert (rules.ca_config_map, rules.ca_key) == ("company-ca", "ca.crt")
    assert rules.environment["https_proxy"] == "http://proxy.example:3128"
    assert rules.environment["NO_PROXY"] == "10.0.0.0/8,.svc,*.example.com"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("IMAGE_MIRRORS", "quay.io", "'quay.io' is not prefix=replacement"),
        ("POD_TEMPLATE", "spec: {hostNetwork: true}", "spec.hostNetwork is not a field"),
        ("POD_SERVICE_ACCOUNT", "A_B", "'A_B' is not the name of an object"),
        ("POD_CA_CONFIG_MAP", "a/b", "'a/b' is not the name of an object"),
        ("POD_CA_KEY", "../ca", "'../ca' is not a key of a ConfigMap"),
        ("POD_CA_KEY", "..", "'..' is not a key of a ConfigMap"),
        ("POD_HTTPS_PROXY", "proxy.example:3128", "it is not http://host:port"),
        ("POD_HTTP_PROXY", "http://proxy.example/path", "it is not http://host:port"),
        ("POD_NO_PROXY", "a, b", "it is not a list of hosts"),
    ],
)
def test_a_wrong_value_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"KRKN_{name}", value)
    with pytest.raises(SystemExit) as error:
        settings_or_exit(Settings, "controller")
    line = str(error.value.code)
    assert line.startswith(f"controller: KRKN_{name}: {told}")
    assert "\n" not in line


def test_a_proxy_with_a_password_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KRKN_POD_HTTPS_PROXY", f"http://me:{'hunter2'}@proxy.example:3128")
    with pytest.raises(SystemExit) as error:
        settings_or_exit(Settings, "controller")
    assert "KRKN_POD_HTTPS_PROXY" in str(error.value.code)
    assert "hunter2" not in str(error.value.code)
    with pytest.raises(ValidationError):
        Settings()
