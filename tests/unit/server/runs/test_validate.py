"""What a run must be, rule by rule: each table has what passes and what does not."""

import uuid
from typing import Any

import pytest

from krkn_grpc.server.errors import InvalidRequest
from krkn_grpc.server.runs import validate
from krkn_grpc.server.runs.model import RegistryLogin
from tests.unit.server.runs.requests import ALL_IMAGES, EVERYWHERE, a_request, a_run, violated

# Ideographic and no-break space, zero-width joiner and non-joiner, soft hyphen, byte order mark,
# left-to-right mark, a character of the latest Unicode and one that is not assigned.
UNUSUAL = "a\u3000b\xa0c\u200dd\u200ce\xadf\ufeffg\u200eh\U0001fae9i\U000e01ff"
LONGEST_IMAGE = f"{'h' * 55}.example/{'a' * 255}:{'t' * 120}@sha256:{'0' * 64}"
REGISTRY = {"registry_url": "registry.example"}


def test_what_is_left_out_has_its_default() -> None:
    run = a_run()
    assert run.target_uuids == ("a",)
    assert (run.scenario_image, run.scenario_name) == ("i", "n")
    assert run.kubeconfig_path == "/home/krkn/.kube/config"
    assert (run.timeout_seconds, run.ttl_seconds_after_finished) == (3600, None)
    assert (run.environment, run.secret_environment, run.files, run.labels) == ({}, {}, (), {})
    assert (run.registry, run.request_id, run.ignored) == (None, "", {})
    assert (run.validate_only, run.require_ready) == (False, False)
    assert (run.max_parallel, run.max_failures) == (0, None)
    assert (run.abort_running, run.abort_on) == (False, ())


PASSES: dict[str, dict[str, Any]] = {
    "a string that is no uuid": {"target_uuids": ["anything", "else", "../x"]},
    "1000 targets": {"target_uuids": [str(number) for number in range(1000)]},
    "targets that differ in case": {"target_uuids": ["a", "A"]},
    "the longest image": {"scenario_image": LONGEST_IMAGE},
    "an image of a port, a tag and a digest": {
        "scenario_image": f"host:5000/a/b__c-d:V1.0@sha256:{'0' * 64}"
    },
    "the longest name": {"scenario_name": "a" * 253},
    "a name for people": {"scenario_name": "Pod scenarios: näher dran (2)"},
    "a name with wide and invisible characters": {"scenario_name": UNUSUAL},
    "the shortest time": {"timeout_seconds": 1},
    "the longest time": {"timeout_seconds": 86_400},
    "no time to keep it": {"ttl_seconds_after_finished": 0},
    "a long time to keep it": {"ttl_seconds_after_finished": 2**31 - 1},
    "one after the other, none may fail": {"max_parallel": 1, "max_failures": 0},
    "all at once, any may fail": {"max_parallel": 2**31 - 1, "max_failures": 2**31 - 1},
    "the longest conditions to abort on": {"abort_on": [f'{{a="{"x" * 1018}"}}'] * 16},
    "64 labels": {"labels": {f"l{number}": "" for number in range(64)}},
    "the longest label": {"labels": {f"{'a' * 253}/{'b' * 63}": "c" * 63}},
    "a label like ours": {"labels": {"krkn-job-id-2": "x", "a.krkn.krkn-chaos.dev/x": "x"}},
    "a registry without a user": REGISTRY,
}


@pytest.mark.parametrize("case", PASSES)
def test_what_is_in_order_passes(case: str) -> None:
    a_run(**PASSES[case])


REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no targets": ({"target_uuids": []}, ["targetUUIDs"]),
    "1001 targets": ({"target_uuids": [str(n) for n in range(1001)]}, ["targetUUIDs"]),
    "an empty target": ({"target_uuids": ["a", ""]}, ["targetUUIDs[1]"]),
    "a target twice": ({"target_uuids": ["a", "b", "a"]}, ["targetUUIDs[2]"]),
    "a target thrice": ({"target_uuids": ["a", "a", "a"]}, ["targetUUIDs[1]", "targetUUIDs[2]"]),
    "no image": ({"scenario_image": ""}, ["scenarioImage"]),
    "an image that is too long": ({"scenario_image": "a" * 513}, ["scenarioImage"]),
    "an image with a space": ({"scenario_image": "a b"}, ["scenarioImage"]),
    "an image with a line break": ({"scenario_image": "a\n"}, ["scenarioImage"]),
    "an image with a NUL": ({"scenario_image": "a\0"}, ["scenarioImage"]),
    "an image with a scheme": ({"scenario_image": "https://quay.io/a"}, ["scenarioImage"]),
    "an image with an empty tag": ({"scenario_image": "quay.io/a:"}, ["scenarioImage"]),
    "an image with an empty part": ({"scenario_image": "quay.io//a"}, ["scenarioImage"]),
    "an image in capitals": ({"scenario_image": "quay.io/Team/a"}, ["scenarioImage"]),
    "an image with a short digest": ({"scenario_image": "a@sha256:0"}, ["scenarioImage"]),
    "no name": ({"scenario_name": ""}, ["scenarioName"]),
    "a name of white space": ({"scenario_name": " \u2003"}, ["scenarioName"]),
    "a name that is too long": ({"scenario_name": "a" * 254}, ["scenarioName"]),
    "a name with a line break": ({"scenario_name": "a\nb"}, ["scenarioName"]),
    "a name with a line separator": ({"scenario_name": "a\u2028b"}, ["scenarioName"]),
    "a name that is shown backwards": ({"scenario_name": "a\u202eb"}, ["scenarioName"]),
    "a name with an isolate": ({"scenario_name": "a\u2066b"}, ["scenarioName"]),
    "fewer than none at once": ({"max_parallel": -1}, ["maxParallel"]),
    "fewer failures than none": ({"max_failures": -1}, ["maxFailures"]),
    "17 conditions to abort on": ({"abort_on": ['{a="b"}'] * 17}, ["abortOn"]),
    "empty and too long conditions": (
        {"abort_on": ["", f'{{a="{"x" * 1019}"}}']},
        ["abortOn[0]", "abortOn[1]"],
    ),
    "conditions that are none": (
        {"abort_on": ['{a="b"}', "X", '{a=~"("}', '{a=~"(a{1000}){1000}"}']},
        ["abortOn[1]", "abortOn[2]", "abortOn[3]"],
    ),
    "no time": ({"timeout_seconds": 0}, ["timeoutSeconds"]),
    "negative time": ({"timeout_seconds": -1}, ["timeoutSeconds"]),
    "too long a time": ({"timeout_seconds": 86_401}, ["timeoutSeconds"]),
    "negative time to keep it": (
        {"ttl_seconds_after_finished": -1},
        ["ttlSecondsAfterFinished"],
    ),
    "65 labels": ({"labels": {f"l{number}": "" for number in range(65)}}, ["labels"]),
    "a label without a name": ({"labels": {"a.example/": "x"}}, ["labels[a.example/]"]),
    "a label without a prefix": ({"labels": {"/a": "x"}}, ["labels[/a]"]),
    "a label with two slashes": ({"labels": {"a/b/c": "x"}}, ["labels[a/b/c]"]),
    "an upper-case prefix": ({"labels": {"A/b": "x"}}, ["labels[A/b]"]),
    "a label name that is too long": (
        {"labels": {"a" * 64: "x"}},
        [f"labels[{'a' * 64}]"],
    ),
    "a label value that is too long": ({"labels": {"a": "x" * 64}}, ["labels[a]"]),
    "a label value with a dash at the end": ({"labels": {"a": "x-"}}, ["labels[a]"]),
    "a label of ours": ({"labels": {"krkn-target-uuid": "x"}}, ["labels[krkn-target-uuid]"]),
    "a label in our group": (
        {"labels": {"krkn.krkn-chaos.dev/a": "x"}},
        ["labels[krkn.krkn-chaos.dev/a]"],
    ),
    "a registry without a login, with a user in it": (
        {"registry_url": "u:p@registry.example"},
        ["registryUrl"],
    ),
    "several": (
        {"target_uuids": [], "scenario_image": "", "timeout_seconds": 0, "request_id": "x"},
        ["targetUUIDs", "scenarioImage", "requestId", "timeoutSeconds"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_in_order_is_refused_by_its_json_name(case: str) -> None:
    changes, fields = REFUSED[case]
    assert violated(lambda: a_run(**changes)) == fields


@pytest.mark.parametrize("text", ["x", "{}", str(uuid.uuid4()) + "0", uuid.uuid4().hex, "urn:uuid"])
def test_a_request_id_is_a_uuid(text: str) -> None:
    assert violated(lambda: a_run(request_id=text)) == ["requestId"]


def test_a_request_id_means_the_same_in_upper_case() -> None:
    request_id = str(uuid.uuid4())
    assert a_run(request_id=request_id.upper()).request_id == request_id


@pytest.mark.parametrize(
    ("given", "login"),
    [
        pytest.param(
            {"username": "u", "password": "p"},
            RegistryLogin("registry.example", "u", "p"),
            id="user and password",
        ),
        pytest.param(
            {"token": "t"}, RegistryLogin("registry.example", "oauth2", "t"), id="token alone"
        ),
        pytest.param(
            {"username": "u", "token": "t"},
            RegistryLogin("registry.example", "u", "t"),
            id="token of a user",
        ),
        pytest.param(
            {"username": "_json_key", "password": '{\n\t"a": "b"\r\n}'},
            RegistryLogin("registry.example", "_json_key", '{\n\t"a": "b"\r\n}'),
            id="a cloud's key, of some lines",
        ),
        pytest.param(
            {"username": "u", "password": "p", "token": "t"},
            RegistryLogin("registry.example", "u", "t"),
            id="token before password",
        ),
    ],
)
def test_a_registry_login(given: dict[str, str], login: RegistryLogin) -> None:
    assert a_run(**(REGISTRY | given)).registry == login


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        pytest.param({"registry_url": "", "token": "t"}, ["registryUrl"], id="no registry"),
        pytest.param({"username": "u"}, ["password"], id="no password"),
        pytest.param({"password": "p"}, ["username"], id="no user"),
        pytest.param({"username": "a:b", "password": "p"}, ["username"], id="colon in the user"),
        pytest.param({"registry_url": "u:p@r", "token": "t"}, ["registryUrl"], id="user in it"),
        pytest.param({"registry_url": "a b", "token": "t"}, ["registryUrl"], id="space"),
        pytest.param({"registry_url": "a\nb", "token": "t"}, ["registryUrl"], id="line break"),
        pytest.param({"registry_url": "https://", "token": "t"}, ["registryUrl"], id="no host"),
        pytest.param({"registry_url": "https:///a", "token": "t"}, ["registryUrl"], id="only path"),
        pytest.param({"registry_url": "/a", "token": "t"}, ["registryUrl"], id="path"),
        pytest.param({"registry_url": "https://[::1", "token": "t"}, ["registryUrl"], id="bracket"),
        pytest.param({"registry_url": "r" * 5000, "token": "t"}, ["registryUrl"], id="long"),
        pytest.param({"token": "t" * 100_000}, ["token"], id="long token"),
        pytest.param(
            {"username": "u", "password": "p" * 100_000}, ["password"], id="long password"
        ),
        pytest.param({"username": "u" * 100_000, "token": "t"}, ["username"], id="long user"),
        pytest.param(
            {"username": "u", "password": "p\n"}, ["password"], id="line break at the end"
        ),
        pytest.param({"username": "u", "password": "\r\np"}, ["password"], id="and at the start"),
        pytest.param({"token": "t\r\n"}, ["token"], id="line break after a token"),
        pytest.param({"username": "u\n", "token": "t"}, ["username"], id="line break after a user"),
        pytest.param({"username": "u\nv", "token": "t"}, ["username"], id="line break in a user"),
        pytest.param({"username": "u", "password": "p\0"}, ["password"], id="NUL"),
    ],
)
def test_a_registry_login_that_is_not_in_order(given: dict[str, str], fields: list[str]) -> None:
    assert violated(lambda: a_run(**(REGISTRY | given))) == fields


def test_options_without_effect_are_named() -> None:
    run = a_run(scenario_repository="x", skip_tls=True, insecure=True)
    assert list(run.ignored) == ["scenarioRepository", "skipTls", "insecure"]


def test_an_image_must_be_allowed() -> None:
    request = a_request(scenario_image="evil.example/x")
    assert violated(lambda: validate.run(request, ("good.example/",), EVERYWHERE)) == [
        "scenarioImage"
    ]
    assert validate.run(request, ("evil.example/",), EVERYWHERE).scenario_image == "evil.example/x"


def test_the_message_names_the_first_fault_and_how_many_more_there_are() -> None:
    request = a_request(target_uuids=[""] * 30)
    with pytest.raises(InvalidRequest) as refused:
        validate.run(request, ALL_IMAGES, EVERYWHERE)
    assert str(refused.value) == "targetUUIDs[0]: must not be empty (and 29 more, 30 in all)"


def test_no_credential_shows_when_a_run_is_printed() -> None:
    secret = "hidden-text"
    run = a_run(
        registry_url="r",
        username="u",
        password=secret,
        secret_environment={"A": secret},
        environment={"A_PASSWORD": secret},
        files=[{"name": "f", "content": "aGlkZGVuLXRleHQ=", "mount_path": "/f"}],
    )
    assert secret not in repr(run)
