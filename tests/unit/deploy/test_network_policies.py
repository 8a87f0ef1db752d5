"""The component that lets scenario pods out to their own targets alone fits the base."""

import yaml

from controller.settings import Settings
from deploy.local.cluster import manifests
from deploy.local.services import REPOSITORY
from krkn_grpc.resources import well_known

BASE = manifests.load(REPOSITORY / "deploy" / "base")
COMPONENT = REPOSITORY / "deploy" / "components" / "target-policies"


def test_the_component_takes_a_policy_away_that_is_there() -> None:
    removed = yaml.safe_load((COMPONENT / "anywhere.yaml").read_text())
    assert removed.pop("$patch") == "delete"
    [there] = [
        policy
        for policy in manifests.of_kind(BASE, "NetworkPolicy")
        if removed["metadata"].items() <= policy["metadata"].items()
    ]
    assert there["spec"]["policyTypes"] == ["Egress"], "and no rule on who comes in"


def test_the_component_sets_what_the_controller_reads() -> None:
    patch = yaml.safe_load((COMPONENT / "settings.yaml").read_text())
    [settings] = manifests.of_kind(BASE, "ConfigMap")
    assert patch["metadata"].items() <= settings["metadata"].items()
    assert patch["data"] == {"KRKN_NETWORK_POLICIES": "true"}
    assert "network_policies" in Settings.model_fields


def test_each_policy_selects_pods_of_ours() -> None:
    [deployment] = manifests.of_kind(BASE, "Deployment")
    ours = deployment["spec"]["template"]["metadata"]["labels"]
    for policy in manifests.of_kind(BASE, "NetworkPolicy"):
        wanted = policy["spec"]["podSelector"]["matchLabels"]
        assert wanted
        assert wanted.items() <= (ours | {well_known.APP: well_known.APP_SCENARIO}).items()
