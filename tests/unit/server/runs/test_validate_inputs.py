"""Environment and files of a run: what is a secret, what is refused, and how large all may be."""

import base64
from typing import Any

import pytest

from krkn_grpc.server.errors import InvalidRequest
from krkn_grpc.server.runs import validate
from krkn_grpc.server.runs.model import Run
from tests.unit.server.runs.requests import ALL_IMAGES, a_file, a_request, a_run, violated


def content(size: int) -> str:
    """So many bytes, in base64."""
    return base64.b64encode(bytes(size)).decode()


# --- environment ---


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "ES_PASSWORD",
        "PROMETHEUS_BEARER_TOKEN",
        "db_passwd",
        "SSH_PRIVATE",
        "API_KEY",
        "apikey",
        "MY_CREDENTIALS",
        "PASSPHRASE",
        "GITHUB_TOKEN_2",
        "Secret",
        "MONKEY_KEYS",
    ],
)
def test_a_name_that_looks_secret_makes_the_value_a_secret(name: str) -> None:
    run = a_run(environment={name: "v", "PLAIN": "w"})
    assert run.environment == {"PLAIN": "w"}
    assert run.secret_environment == {name: "v"}


@pytest.mark.parametrize("name", ["NAMESPACE", "KEY", "MONKEY", "KEYBOARD", "POD_LABEL", "PASS"])
def test_any_other_name_stays_public(name: str) -> None:
    run = a_run(environment={name: "v"})
    assert (run.environment, run.secret_environment) == ({name: "v"}, {})


def test_what_is_given_as_a_secret_stays_one() -> None:
    run = a_run(secret_environment={"PLAIN": "v"}, environment={"A_TOKEN": "w"})
    assert run.environment == {}
    assert run.secret_environment == {"PLAIN": "v", "A_TOKEN": "w"}


@pytest.mark.parametrize("name", ["A", "_", "a.b-c_d", "-x", ".x", "A" * 200])
@pytest.mark.parametrize("field", ["environment", "secret_environment"])
def test_a_variable_may_have_any_name_that_kubernetes_allows(field: str, name: str) -> None:
    a_run(**{field: {name: "v"}})


@pytest.mark.parametrize(
    "name",
    # Kubernetes before 1.34 refuses all that starts with two dots.
    ["", "1A", "A B", "A=B", "A\n", "Ä", "A\0", ".", "..", "..A", "A" * 201, "KUBECONFIG"],
)
@pytest.mark.parametrize("field", ["environment", "secretEnvironment"])
def test_no_other_name_is_a_variables(field: str, name: str) -> None:
    argument = {"environment": "environment", "secretEnvironment": "secret_environment"}[field]
    assert violated(lambda: a_run(**{argument: {name: "v"}})) == [f"{field}[{name[:200]}]"]


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PATH", "BASH_ENV", "PYTHONPATH", "GIT_SSH"])
@pytest.mark.parametrize("field", ["environment", "secretEnvironment"])
def test_no_variable_makes_a_program_load_code(field: str, name: str) -> None:
    argument = {"environment": "environment", "secretEnvironment": "secret_environment"}[field]
    assert violated(lambda: a_run(**{argument: {name: "v"}})) == [f"{field}[{name}]"]


def test_values_are_taken_as_they_are() -> None:
    environment = {"A": "$(B) $$ ${C} `x`\n\t\N{ROCKET} ", "B": ""}
    assert a_run(environment=environment).environment == environment


def test_no_value_has_a_nul() -> None:
    assert violated(lambda: a_run(environment={"A": "a\0b"})) == ["environment[A]"]


def test_no_name_is_in_both() -> None:
    both = {"environment": {"A": "1", "B": "2"}, "secret_environment": {"B": "3"}}
    assert violated(lambda: a_run(**both)) == ["secretEnvironment[B]"]


@pytest.mark.parametrize("text", ["x", "\N{ROCKET}"], ids=["ASCII", "four bytes each"])
def test_names_and_values_have_64_kib_in_all(text: str) -> None:
    half = text * ((32 * 1024 - 4) // len(text.encode()))
    fits = {"environment": {"AAAA": half}, "secret_environment": {"BBBB": half}}
    a_run(**fits)
    fits["environment"] = {"AAAA": f"{half}x"}
    assert violated(lambda: a_run(**fits)) == ["environment"]


# --- files ---


def test_a_file_keeps_its_bytes_whatever_they_are() -> None:
    every_byte = bytes(range(256))
    encoded = base64.encodebytes(every_byte).decode()
    assert "\n" in encoded
    [file] = a_run(files=[a_file(content=encoded)]).files
    assert (file.name, file.mount_path, file.content) == ("f", "/etc/f", every_byte)


def test_a_file_may_be_empty() -> None:
    [file] = a_run(files=[a_file(content="")]).files
    assert file.content == b""


@pytest.mark.parametrize("text", ["a", "abc", "abcde===", "ab-_", "a!==", "äöü=", "aGk=x"])
def test_content_is_base64_with_its_padding(text: str) -> None:
    assert violated(lambda: a_run(files=[a_file(content=text)])) == ["files[0].content"]


@pytest.mark.parametrize(
    "name",
    ["a", "A-b_c.d", "x" * 253, "..", ".hidden", "my scenario.yaml", "a/b", "ä", "本\u3000番", " "],
)
def test_names_of_files(name: str) -> None:
    a_run(files=[a_file(name=name)])


@pytest.mark.parametrize("name", ["", "x" * 254, "a\n", "a\x85", "a\u2029", "a\u202e"])
def test_what_is_no_name_of_a_file(name: str) -> None:
    assert violated(lambda: a_run(files=[a_file(name=name)])) == ["files[0].name"]


PATHS = [
    "/a",
    "/a/b.c",
    "/tmp/a",
    "/process",
    "/devices/x",
    "/home/krkn/.kube/other",
    "/ä b",
    "/本\u3000番",
]
NO_PATHS = [
    "",
    "a",
    "/",
    "//a",
    "/a/",
    "/a//b",
    "/a/../b",
    "/a/./b",
    "/..",
    "/a/..",
    "/a:b",
    "/a\0",
    "/a\nb",
    "/a\u2028b",
    "/a\u202eb",
    "/tmp",
    "/proc",
    "/proc/1/mem",
    "/sys/kernel",
    "/dev/sda",
    "/" + "a" * 4096,
]


@pytest.mark.parametrize("path", PATHS)
def test_paths_for_files_and_the_kubeconfig(path: str) -> None:
    assert a_run(files=[a_file(mount_path=path)]).files[0].mount_path == path
    assert a_run(kubeconfig_path=path).kubeconfig_path == path


@pytest.mark.parametrize("path", NO_PATHS)
def test_what_is_no_path(path: str) -> None:
    assert violated(lambda: a_run(files=[a_file(mount_path=path)])) == ["files[0].mountPath"]
    if path:
        assert violated(lambda: a_run(kubeconfig_path=path)) == ["kubeconfigPath"]


ALLOWED = ("/files/", "/home/krkn/one.json")


def run_where_allowed(**changes: Any) -> Run:
    return validate.run(a_request(**changes), ALL_IMAGES, ALLOWED)


@pytest.mark.parametrize("path", ["/files/a", "/files/a/b c.yaml", "/home/krkn/one.json"])
def test_a_file_may_be_where_the_settings_say(path: str) -> None:
    assert run_where_allowed(files=[a_file(mount_path=path)]).files[0].mount_path == path
    assert run_where_allowed(kubeconfig_path=path).kubeconfig_path == path


@pytest.mark.parametrize(
    "path", ["/home/krkn/env.sh", "/files", "/files2/a", "/home/krkn/one.json/x", "/home/krkn/one"]
)
def test_a_file_may_be_nowhere_else(path: str) -> None:
    assert violated(lambda: run_where_allowed(files=[a_file(mount_path=path)])) == [
        "files[0].mountPath"
    ]
    assert violated(lambda: run_where_allowed(kubeconfig_path=path)) == ["kubeconfigPath"]


def test_the_refusal_says_where_files_may_be() -> None:
    with pytest.raises(InvalidRequest, match=r"/files/, /home/krkn/one\.json"):
        run_where_allowed(files=[a_file(mount_path="/home/krkn/env.sh")])


def test_the_kubeconfigs_own_place_is_for_nothing_else() -> None:
    run_where_allowed()
    config = [a_file(mount_path="/home/krkn/.kube/config")]
    assert violated(lambda: run_where_allowed(files=config, kubeconfig_path="/files/config")) == [
        "files[0].mountPath"
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [("/a", "/a"), ("/a", "/a/b"), ("/a/b", "/a"), ("/a/b/c", "/a")],
)
def test_no_file_is_in_the_way_of_another(first: str, second: str) -> None:
    files = [a_file(mount_path=first), a_file(mount_path=second)]
    assert violated(lambda: a_run(files=files)) == ["files[1].mountPath"]


@pytest.mark.parametrize(
    "path", ["/home/krkn/.kube/config", "/home/krkn", "/home/krkn/.kube/config/x"]
)
def test_no_file_is_in_the_way_of_the_kubeconfig(path: str) -> None:
    assert violated(lambda: a_run(files=[a_file(mount_path=path)])) == ["files[0].mountPath"]
    a_run(files=[a_file(mount_path=path)], kubeconfig_path="/elsewhere")


def test_paths_that_only_begin_alike_are_apart() -> None:
    a_run(files=[a_file(mount_path="/a"), a_file(mount_path="/ab"), a_file(mount_path="/a.b")])


def test_there_are_at_most_16_files() -> None:
    files = [a_file(mount_path=f"/{number}") for number in range(17)]
    assert len(a_run(files=files[:16]).files) == 16
    assert violated(lambda: a_run(files=files)) == ["files"]


def test_files_have_at_most_256_kib_together() -> None:
    files = [a_file(mount_path=f"/{number}", content=content(128 * 1024)) for number in range(2)]
    a_run(files=files)
    files.append(a_file(mount_path="/more", content=content(1)))
    assert violated(lambda: a_run(files=files)) == ["files"]


def test_files_times_targets_have_at_most_64_mib() -> None:
    arguments: dict[str, Any] = {
        "files": [a_file(content=content(256 * 1024))],
        "target_uuids": [str(number) for number in range(256)],
    }
    a_run(**arguments)
    arguments["target_uuids"].append("one more")
    assert violated(lambda: a_run(**arguments)) == ["files"]
