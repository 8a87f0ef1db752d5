"""What the catalogue makes of a request to run."""

from functools import partial
from typing import Any

import pytest

from krkn_grpc.catalogue.model import Catalogue
from krkn_grpc.resources import images
from krkn_grpc.server.errors import InvalidRequest
from krkn_grpc.server.runs import validate
from krkn_grpc.server.runs.idempotency_record import identity
from krkn_grpc.server.runs.known_scenario import CheckMode
from krkn_grpc.server.runs.model import Run
from tests.unit.catalogue.entries import a_catalogue, a_field, a_scenario, some_parameters
from tests.unit.server.runs.requests import ALL_IMAGES, EVERYWHERE, a_file, a_request, violated

ENTRY = "registry.example/hub:disk-fill"
CATALOGUE = a_catalogue(
    a_scenario(
        a_field("SIZE", type="number"),
        a_field("FLAVOUR", secret="true"),
        a_field("PLAN", type="file", mount_path="/mnt/plan"),
        kubeconfigPath="/mnt/config",
    ),
    a_scenario(name="nothing-given", image=""),
    a_scenario(a_field("MUST", required="true"), name="needy"),
    a_scenario(name="internal", isScenario="false"),
    of_all=some_parameters(a_field("SHARED", secret="true")),
)


def a_run(mode: CheckMode = "auto", catalogue: Catalogue = CATALOGUE, **changes: Any) -> Run:
    """The checked run of a request for the catalogue's scenario."""
    request = a_request(**({"scenario_name": "disk-fill", "scenario_image": ""} | changes))
    return validate.run(request, ALL_IMAGES, EVERYWHERE, catalogue, mode)


def test_the_name_alone_has_an_image_and_a_path() -> None:
    run = a_run()
    assert (run.scenario_image, run.kubeconfig_path) == (ENTRY, "/mnt/config")
    run = a_run(scenario_image="other", kubeconfig_path="/mnt/other")
    assert (run.scenario_image, run.kubeconfig_path) == ("other", "/mnt/other")


@pytest.mark.parametrize("name", ["unknown", "nothing-given", "internal", "Disk-Fill"])
def test_another_name_needs_an_image(name: str) -> None:
    assert violated(lambda: a_run(scenario_name=name)) == ["scenarioImage"]
    run = a_run(scenario_name=name, scenario_image="i")
    assert run.kubeconfig_path == "/home/krkn/.kube/config"


def test_the_image_of_an_entry_must_be_allowed_too() -> None:
    request = a_request(scenario_name="disk-fill", scenario_image="")

    def run(allowed: str) -> Run:
        return validate.run(request, (allowed,), EVERYWHERE, CATALOGUE, "off")

    assert violated(lambda: run("quay.io")) == ["scenarioImage"]
    assert run("registry.example/hub").scenario_image == ENTRY


WRONG = {"SIZ": "1", "SIZE": "much"}


@pytest.mark.parametrize("mode", ["auto", "off", "warn", "enforce"])
@pytest.mark.parametrize(
    ("image", "is_known"),
    [
        ("", True),
        ("registry.example/hub:another-tag", True),
        (f"registry.example/hub@sha256:{'0' * 64}", True),
        *((f"{repository}:x", True) for repository in images.DEFAULT),
        ("registry.example/other:disk-fill", False),
        ("quay.io/krkn-chaos/krkn-hub/below:x", False),
    ],
)
def test_which_images_are_checked(mode: CheckMode, image: str, is_known: bool) -> None:
    run = partial(a_run, mode, scenario_image=image, environment=WRONG)
    if mode == "enforce" or (mode == "auto" and is_known):
        assert violated(run) == ["environment[SIZE]"]
    else:
        assert bool(run().warning) == (mode == "warn")


def test_a_warning_tells_what_is_wrong_and_no_value() -> None:
    run = a_run(
        "warn", environment={"SIZE": "much", "FLAVOR": "x"}, secret_environment={"SHARE": "y"}
    )
    assert run.warning == (
        "By the catalogue of scenarios, these inputs are wrong: environment[FLAVOR] is not a "
        "parameter of this scenario; did you mean FLAVOUR?; environment[SIZE] must be a number; "
        "secretEnvironment[SHARE] is not a parameter of this scenario; did you mean SHARED?"
    )
    assert not a_run("warn", environment={"SIZE": "1"}).warning


@pytest.mark.parametrize("mode", ["off", "enforce"])
def test_what_the_catalogue_calls_secret_is_secret(mode: CheckMode) -> None:
    given = {"FLAVOUR": "a", "SHARED": "b", "SIZE": "1"}
    run = a_run(mode, environment=given)
    assert run.environment == {"SIZE": "1"}
    assert run.secret_environment == {"FLAVOUR": "a", "SHARED": "b"}
    # The global ones are secret for every scenario.
    other = a_run(mode, scenario_name="unknown", scenario_image="i", environment=given)
    assert other.environment == {"FLAVOUR": "a", "SIZE": "1"}


def test_a_violation_names_the_field_that_the_caller_used() -> None:
    catalogue = a_catalogue(a_scenario(a_field("MY_TOKEN", type="number")))
    run, wrong = partial(a_run, catalogue=catalogue), {"MY_TOKEN": "x"}
    assert violated(partial(run, environment=wrong)) == ["environment[MY_TOKEN]"]
    assert violated(partial(run, secret_environment=wrong)) == ["secretEnvironment[MY_TOKEN]"]


def test_what_is_required_is_missed_by_name() -> None:
    run = partial(a_run, scenario_name="needy")
    assert violated(run) == ["environment[MUST]"]
    assert run(secret_environment={"MUST": "x"}).scenario_image == ENTRY


@pytest.mark.parametrize(
    ("path", "said", "is_taken"),
    [
        ("", "/mnt/config", True),
        ("/mnt/other", "/mnt/other", True),
        ("", "/home/krkn/.kube/config", False),
        ("/mnt/other", "/mnt/config", False),
        ("", "", False),
    ],
)
def test_the_path_of_the_kubeconfig_as_a_variable(path: str, said: str, is_taken: bool) -> None:
    environment = {"KRKN_KUBE_CONFIG": said, "SIZE": "1"}
    run = partial(a_run, kubeconfig_path=path, environment=environment)
    if is_taken:
        checked = run()
        assert (checked.environment, checked.secret_environment) == ({"SIZE": "1"}, {})
    else:
        assert violated(run) == ["environment[KRKN_KUBE_CONFIG]"]


def test_the_same_request_is_the_same_call_whatever_the_catalogue_says() -> None:
    calls = [
        identity(
            a_run("off", catalogue, request_id="6f1c1a52-5d0c-4b1e-9a51-7a4f0f8f3a10"), "c", "x"
        )
        for catalogue in (
            CATALOGUE,
            a_catalogue(a_scenario(image="registry.example/new:1", kubeconfigPath="/mnt/new")),
        )
    ]
    assert calls[0] == calls[1]
    named = a_run("off", scenario_image=ENTRY, request_id="6f1c1a52-5d0c-4b1e-9a51-7a4f0f8f3a10")
    assert identity(named, "c", "x") != calls[0]


def test_wrong_inputs_of_both_kinds_are_told_together() -> None:
    with pytest.raises(InvalidRequest) as refused:
        a_run(environment={"1": "x", "SIZE": "x"}, files=[a_file(mount_path="relative")])
    fields = [each.field for each in refused.value.violations]
    assert fields == ["environment[1]", "files[0].mountPath", "environment[SIZE]"]
