"""The catalogue of the release: whole, consistent with itself, and consistent with krkn."""

from pathlib import Path

import pytest
import yaml

from krkn_grpc.catalogue import built_in
from krkn_grpc.catalogue.check import wrong_value
from krkn_grpc.catalogue.model import Parameter
from krkn_grpc.resources import environment, images, mounts

FACTS = Path(__file__).parents[1] / "resources" / "krkn_variables.yaml"
KRKN = yaml.safe_load(FACTS.read_text())
CATALOGUE = built_in.catalogue()
SETS_OF_PARAMETERS = {
    "globals": CATALOGUE.of_all,
    **{name: each.parameters for name, each in CATALOGUE.scenarios.items()},
}
ALL = [
    pytest.param(parameter, id=f"{where}-{parameter.variable}")
    for where, parameters in SETS_OF_PARAMETERS.items()
    for parameter in parameters.listed
]


def test_it_has_27_scenarios_and_the_rollback_that_is_none() -> None:
    assert len(CATALOGUE.listed) == 27
    assert CATALOGUE.scenarios.keys() - {each.name for each in CATALOGUE.listed} == {"rollback"}
    assert CATALOGUE.find("rollback") is None
    assert sum(len(each.parameters.listed) for each in CATALOGUE.scenarios.values()) == 275


def test_it_has_every_variable_of_krkn() -> None:
    known = {p.variable for parameters in SETS_OF_PARAMETERS.values() for p in parameters.listed}
    wanted = {*KRKN["secret"], *KRKN["files"], *KRKN["other"]} - environment.RESERVED
    assert wanted <= known


def test_what_krkn_calls_secret_is_secret() -> None:
    secret = frozenset[str]().union(*(each.secret for each in SETS_OF_PARAMETERS.values()))
    assert {*KRKN["secret"]} <= secret


def test_files_are_where_krkn_reads_them() -> None:
    found = {
        p.variable: p.mount_path
        for parameters in SETS_OF_PARAMETERS.values()
        for p in parameters.listed
        if p.type == "file"
    }
    assert found == KRKN["files"]
    assert all(mounts.is_allowed(path, mounts.DEFAULT) for path in found.values())


@pytest.mark.parametrize("scenario", CATALOGUE.listed, ids=lambda scenario: scenario.name)
def test_a_scenario_can_be_run_by_its_name(scenario: object) -> None:
    assert scenario in CATALOGUE.listed
    [found] = [each for each in CATALOGUE.listed if each is scenario]
    assert images.is_allowed(found.image, images.DEFAULT)
    assert found.title
    assert found.description
    assert mounts.is_allowed_for_kubeconfig(found.kubeconfig_path, ())


@pytest.mark.parametrize("parameter", ALL)
def test_a_parameter_is_explained_and_takes_its_own_default(parameter: Parameter) -> None:
    assert parameter.short_description
    assert parameter.description
    # The default itself is never checked: this is what it would be without that.
    if parameter.default:
        assert parameter.pattern is None or parameter.pattern.search(parameter.default)
        assert not parameter.values or parameter.default in parameter.values


@pytest.mark.parametrize(
    ("scenario", "variable", "right", "wrong"),
    [
        ("pod-network-filter", "PORTS", ["80", "80,443"], ["80,", "http", "80 443"]),
        ("node-memory-hog", "MEMORY_CONSUMPTION_PERCENTAGE", ["90%", "2g"], ["%", "90 %"]),
        ("vmi-network", "LATENCY", ["50ms", "1s"], ["50", "fast"]),
        ("container-scenarios", "ACTION", ["1", "9"], ["0", "15", "kill"]),
        ("node-scenarios", "NODE_NAME", ["a", "a,b", "worker-1.example"], ["a,", "a b"]),
        ("network-chaos", "TRAFFIC_TYPE", ["ingress"], ["both", "INGRESS"]),
    ],
)
def test_what_a_parameter_takes(
    scenario: str, variable: str, right: list[str], wrong: list[str]
) -> None:
    parameter = CATALOGUE.scenarios[scenario].parameters.by_variable[variable]
    assert [value for value in right if wrong_value(parameter, value)] == []
    assert [value for value in wrong if not wrong_value(parameter, value)] == []
