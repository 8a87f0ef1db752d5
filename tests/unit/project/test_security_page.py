"""What docs/security.md promises is what the code does."""

import re

import pytest
import yaml

from deploy.local.services import REPOSITORY
from krkn_grpc.resources import environment, images
from krkn_grpc.server.auth.policy import METHODS, Protected
from krkn_grpc.server.errors import Findings
from krkn_grpc.server.runs import validate_inputs
from krkn_grpc.v1 import scenario_runs_pb2 as runs

PAGE = (REPOSITORY / "docs" / "security.md").read_text()


def section(heading: str) -> str:
    """The text under a heading."""
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


PATTERNS = re.findall(
    r"`([A-Z_]+)`", section("What counts as secret in a request").split(":", 1)[1]
)


def secret_names(*names: str) -> set[str]:
    """Which of these names make an entry of the environment secret."""
    request = runs.RunScenarioRequest(environment=dict.fromkeys(names, "x"))
    return set(validate_inputs.environment(request, "", frozenset(), Findings())[1])


def test_the_names_that_are_secret_are_listed() -> None:
    assert list(environment.SECRET_PARTS) == PATTERNS


def test_the_variables_that_are_refused_are_listed() -> None:
    guarantee = section("Allowed images").split("another configuration:\n")[1]
    refused, _, taken = guarantee.partition("Of these,")
    assert tuple(re.findall(r"`([A-Z_0-9]+[*]?)`", refused)) == environment.LOADERS
    assert tuple(re.findall(r"`([A-Z_0-9]+)`", taken)) == environment.HARMLESS


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_listed_name_is_secret(pattern: str) -> None:
    names = {f"MY{pattern}", f"my{pattern.lower()}2", f"A{pattern}_B"}
    assert secret_names(*names) == names


def test_the_credentials_that_krkn_takes_are_secret() -> None:
    names = {
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AZURE_CLIENT_SECRET",
        "BMC_PASSWORD",
        "ES_PASSWORD",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "IBMC_APIKEY",
        "OS_PASSWORD",
        "PROMETHEUS_BEARER_TOKEN",
        "TELEMETRY_PASSWORD",
        "VSPHERE_PASSWORD",
    }
    assert secret_names(*names, "NAMESPACE", "DURATION") == names


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)`", PAGE))
    assert named
    assert not [path for path in named if not (REPOSITORY / path).is_file()]


def test_the_ready_made_roles_are_listed() -> None:
    manifests = yaml.safe_load_all((REPOSITORY / "deploy/rbac/user-roles.yaml").read_text())
    roles = {manifest["metadata"]["name"] for manifest in manifests}
    assert set(re.findall(r"^\| `(krkn-[\w-]+)` \|", PAGE, re.MULTILINE)) == roles


def test_every_right_that_is_asked_for_is_named() -> None:
    rights = section("Who calls, and how they are known")
    for rule in METHODS.values():
        if isinstance(rule, Protected):
            assert f"`{rule.what}`" in rights
            assert rule.verb in rights


def test_the_default_images_are_named() -> None:
    assert f"the default is `{','.join(images.DEFAULT)}`" in section("Allowed images")
