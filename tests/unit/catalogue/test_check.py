"""What is wrong with the inputs of a run."""

from typing import Any

import pytest

from krkn_grpc.catalogue.check import Inputs, violations
from krkn_grpc.resources.violation import Violation
from tests.unit.catalogue.entries import a_catalogue, a_field, a_scenario, some_parameters

SCENARIO = a_scenario(
    a_field("NAMESPACE", required="true"),
    a_field("COUNT", type="number", default="1"),
    a_field("FORCE", type="boolean"),
    a_field("MODE", type="enum", allowed_values="serial; parallel", separator=";"),
    a_field("PORTS", validator=r"^\d+(,\d+)*$", validation_message="ports with commas"),
    a_field("LABEL", validator="^a=.+$"),
    a_field("KEY_FILE", type="file", mount_path="/mnt/key"),
    a_field("PLAN", type="file_base64"),
    a_field("DEFAULTED", required=True, default="x"),
    a_field("ODD", validator="^$", default="odd"),
)
CATALOGUE = a_catalogue(SCENARIO, of_all=some_parameters(a_field("ITERATIONS", type="number")))


def found(environment: dict[str, str], **others: Any) -> dict[str, str]:
    """What is wrong, by field, with these variables beside what is required."""
    inputs = Inputs({"NAMESPACE": "shop"} | environment, **others)
    listed = list(violations(CATALOGUE, SCENARIO, inputs))
    assert all(isinstance(each, Violation) for each in listed)
    return {each.field: each.description for each in listed}


@pytest.mark.parametrize(
    ("variable", "values"),
    [
        ("COUNT", ["1", "-3", "0.5", "+7", "007"]),
        ("FORCE", ["true", "false", "True", "FALSE"]),
        ("MODE", ["serial", "parallel"]),
        ("PORTS", ["80", "80,443"]),
        ("LABEL", ["a=b"]),
        ("PLAN", ["YWJj", "YWJj\nYWJj", "eA=="]),
        ("ODD", ["odd"]),
        ("ITERATIONS", ["3"]),
        ("KEY_FILE", ["/anything"]),
        ("UNKNOWN_TO_US", ["x"]),
    ],
)
def test_what_is_right(variable: str, values: list[str]) -> None:
    # An empty value is as good as none.
    for value in [*values, ""]:
        assert found({variable: value}) == {}


@pytest.mark.parametrize(
    ("variable", "value", "rule"),
    [
        ("COUNT", "many", "must be a number"),
        ("COUNT", "1e3", "must be a number"),
        ("COUNT", "\u0661", "must be a number"),  # a digit of another alphabet
        ("COUNT", "1\n", "must be a number"),
        ("FORCE", "yes", "must be true or false"),
        ("MODE", "Serial", "must be one of serial, parallel"),
        ("MODE", "serial; parallel", "must be one of serial, parallel"),
        ("PORTS", "80,", "ports with commas"),
        ("LABEL", "b=a", "must match ^a=.+$"),
        ("PLAN", "not base64!", "must be the content of a file in base64"),
        ("ITERATIONS", "x", "must be a number"),
        ("NAMESPCE", "x", "is not a parameter of this scenario; did you mean NAMESPACE?"),
        ("iterations", "x", "is not a parameter of this scenario; did you mean ITERATIONS?"),
    ],
)
def test_what_is_wrong(variable: str, value: str, rule: str) -> None:
    assert found({variable: value}) == {f"environment[{variable}]": rule}
    secret = found({}, secret_environment={variable: value})
    assert secret == {f"secretEnvironment[{variable}]": rule}


@pytest.mark.parametrize("value", ["canary-value", "canary\nvalue"])
def test_no_text_repeats_a_value(value: str) -> None:
    names = [*SCENARIO.parameters.by_variable, "NAMESPCE", "iterations"]
    wrong = found(dict.fromkeys(names, value))
    assert len(wrong) >= 8
    assert "canary" not in str(wrong)


def test_what_is_required_must_be_there() -> None:
    for given in ({}, {"NAMESPACE": ""}):
        [only] = violations(CATALOGUE, SCENARIO, Inputs(given))
        assert only == Violation("environment[NAMESPACE]", "is required by this scenario")
    assert not list(violations(CATALOGUE, SCENARIO, Inputs({}, {"NAMESPACE": "x"})))


def test_a_required_file_is_one_that_is_mounted() -> None:
    scenario = a_scenario(a_field("KEY", type="file", mount_path="/mnt/key", required="true"))
    catalogue = a_catalogue(scenario)
    [only] = violations(catalogue, scenario, Inputs({}, {}, frozenset({"/mnt/other"})))
    assert only.description == "is required by this scenario, as a file at /mnt/key"
    assert not list(violations(catalogue, scenario, Inputs({}, {}, frozenset({"/mnt/key"}))))


PAIR = a_scenario(
    a_field("USER_NAME", requires="password"),
    a_field("PASSWORD"),
    a_field("BY_LABEL", default="all", mutually_excludes="BY_NAME,BY_AGE"),
    a_field("BY_NAME"),
    a_field("BY_AGE", default="0"),
)


@pytest.mark.parametrize(
    ("environment", "wrong"),
    [
        ({}, {}),
        ({"USER_NAME": "u"}, {"environment[USER_NAME]": "requires PASSWORD"}),
        ({"USER_NAME": "u", "PASSWORD": "p"}, {}),
        ({"PASSWORD": "p"}, {}),
        (
            {"BY_LABEL": "a", "BY_NAME": "n"},
            {"environment[BY_LABEL]": "cannot be given together with BY_NAME"},
        ),
        # Consoles send the defaults of all parameters.
        ({"BY_LABEL": "all", "BY_NAME": "n", "BY_AGE": "0"}, {}),
        ({"BY_LABEL": "a", "BY_NAME": "", "BY_AGE": "0"}, {}),
    ],
)
def test_parameters_that_need_or_exclude_others(
    environment: dict[str, str], wrong: dict[str, str]
) -> None:
    listed = violations(a_catalogue(PAIR), PAIR, Inputs(environment))
    assert {each.field: each.description for each in listed} == wrong


def test_a_scenarios_own_parameter_goes_before_the_global_one() -> None:
    scenario = a_scenario(a_field("ITERATIONS", type="boolean"))
    catalogue = a_catalogue(scenario, of_all=CATALOGUE.of_all)
    assert not list(violations(catalogue, scenario, Inputs({"ITERATIONS": "true"})))


def test_a_pattern_that_other_engines_never_finish() -> None:
    scenario = a_scenario(a_field("TEXT", validator="^(a+)+$"))
    inputs = Inputs({"TEXT": "a" * 60_000 + "b"})
    [only] = violations(a_catalogue(scenario), scenario, inputs)
    assert only.description == "must match ^(a+)+$"
