"""Which entries are read, and why others are not."""

import json
from typing import Any

import pytest

from krkn_grpc.catalogue import entry
from krkn_grpc.catalogue.entry import Unreadable
from krkn_grpc.catalogue.model import Parameters
from tests.unit.catalogue.entries import a_catalogue, a_field, a_scenario, some_parameters


def read(content: object, name: str = "mine") -> Any:
    return entry.scenario(name, json.dumps(content).encode(), is_built_in=False)


def test_a_plain_array_is_an_entry_without_an_image() -> None:
    scenario = read([a_field("A"), a_field("B", default=3, required=True)])
    assert (scenario.name, scenario.title, scenario.image) == ("mine", "mine", "")
    assert (scenario.is_scenario, scenario.is_built_in, scenario.has_rollback) == (
        True,
        False,
        False,
    )
    assert scenario.kubeconfig_path == "/home/krkn/.kube/config"
    first, second = scenario.parameters.listed
    assert (first.variable, first.default, first.is_required) == ("A", None, False)
    assert (second.variable, second.default, second.is_required) == ("B", "3", True)


def test_all_that_an_entry_may_have() -> None:
    scenario = read(
        {
            "title": "Mine",
            "description": "Does things.",
            "image": "registry.example/mine:1",
            "kubeconfigPath": "/mnt/config",
            "rollback": "true",
            "isScenario": True,
            "of the future": {"is": ["ignored"]},
            "fields": [
                {"name": "g", "type": "Group"},
                a_field(
                    "A",
                    type="enum",
                    allowed_values="a, b",
                    requires="b, c",
                    mutually_excludes="d",
                    secret="true",
                    group="g",
                    unknown=1,
                ),
            ],
        }
    )
    assert scenario.title == "Mine"
    assert scenario.has_rollback
    [only] = scenario.parameters.listed
    assert (only.values, only.requires, only.excludes) == (("a", "b"), ("b", "c"), ("d",))
    assert (only.is_secret, only.group) == (True, "g")
    assert scenario.parameters.secret == {"A"}


def test_what_the_service_sets_itself_and_what_is_refused_is_no_parameter() -> None:
    names = ["KUBECONFIG", "KRKN_KUBE_CONFIG", "LD_PRELOAD", "PATH", "MINE"]
    assert [p.variable for p in some_parameters(*map(a_field, names)).listed] == ["MINE"]


@pytest.mark.parametrize("variable", ["AWS_SECRET_ACCESS_KEY", "ES_USERNAME", "MY_PASSWORD"])
def test_a_name_of_a_secret_makes_one(variable: str) -> None:
    assert some_parameters(a_field(variable, secret="false")).secret == {variable}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "format"),
        (b"{", "format"),
        (b"null", "format"),
        (b"{}", "format"),
        (b'"text"', "format"),
        (b"[1]", "format"),
        (b"\xff\xfe", "format"),
        (b"[" * 100_000, "format"),
        (b" " * (entry.LARGEST + 1), "bytes"),
        ([a_field()] * (entry.MOST_FIELDS + 1), "format"),
        ([a_field(), a_field()], "same variable"),
        ([a_field("", name="x")], "not a name"),
        ([a_field("A B")], "not a name"),
        ([a_field("A=B")], "not a name"),
        ([a_field(name="")], "no name"),
        ([a_field(type="integer")], "type"),
        ([a_field(type="enum")], "allowed_values"),
        ([a_field(type="enum", allowed_values=" , ")], "allowed_values"),
        ([a_field(mount_path="../x")], "mount_path"),
        ([a_field(validator="(")], "RE2"),
        ([a_field(validator="(?=a)b")], "RE2"),
        ([a_field(validator=r"(a)\1")], "RE2"),
        ([a_field(validator="((a{1,100}){1,100}){1,100}")], "RE2"),
        ([a_field(validator="a" * (entry.LONGEST_PATTERN + 1))], "pattern"),
        ([a_field(description="x" * 10_000)], "format"),
        ({"fields": [], "image": "not an image"}, "image"),
        ({"fields": [], "image": "r.example/" + "a" * 600}, "format"),
        ({"fields": [], "kubeconfigPath": "relative"}, "kubeconfigPath"),
    ],
)
def test_what_is_no_entry(content: object, why: str) -> None:
    encoded = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(Unreadable, match=why):
        entry.scenario("mine", encoded, is_built_in=False)


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "..", "ä", "a" * 129, "a\n"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(Unreadable):
        read([], name)


def test_the_text_repeats_no_value() -> None:
    for content in ([a_field(default=["canary"])], {"fields": "canary"}, [a_field(default={})]):
        with pytest.raises(Unreadable) as refused:
            read(content)
        assert "canary" not in str(refused.value)


def test_what_replaces_an_entry_makes_nothing_public() -> None:
    old = a_scenario(a_field("ONE", secret=True), a_field("TWO"))
    new = a_scenario(a_field("ONE", secret=False), a_field("TWO", secret=True))
    gone = a_scenario(a_field("TWO"))
    catalogue = a_catalogue(old)
    for scenario, secret in ((new, {"ONE", "TWO"}), (gone, {"ONE"})):
        merged = catalogue.merged({scenario.name: scenario}, None)
        found = merged.find(scenario.name)
        assert found is not None
        assert merged.secret_variables(found) == secret
        shown = {p.variable for p in found.parameters.listed if p.is_secret}
        assert shown == secret & {p.variable for p in found.parameters.listed}


def test_global_parameters_are_replaced_as_a_whole_and_stay_secret() -> None:
    catalogue = a_catalogue(of_all=some_parameters(a_field("A", secret=True), a_field("B")))
    merged = catalogue.merged({}, some_parameters(a_field("A"), a_field("C")))
    assert [p.variable for p in merged.of_all.listed] == ["A", "C"]
    assert merged.secret_variables(None) == {"A"}
    assert catalogue.merged({}, Parameters()).secret_variables(None) == {"A"}
