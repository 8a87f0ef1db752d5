"""Contexts: which server is called, and who may see its token."""

from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from krkn_grpc.cli import config, server_choice, times
from krkn_grpc.cli.app import app, with_global_options_first
from krkn_grpc.cli.config import BadConfig, Context
from krkn_grpc.cli.server_choice import Given
from krkn_grpc.client import loop_thread
from krkn_grpc.client.tokens import BadToken

COMMANDS = typer.main.get_command(app)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KRKN_CONFIG", str(tmp_path / "folder" / "config.yaml"))
    for name in ("KRKN_SERVER", "KRKN_CONTEXT", "KRKN_TOKEN", "KRKN_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "folder" / "config.yaml"


def krkn(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["config", *arguments])
    return result.exit_code, result.stdout + result.stderr


def test_the_life_of_contexts(file: Path) -> None:
    assert krkn("current")[0] == 1
    set_one = krkn("set-context", "one", "--server", "one:1", "--token-command", "echo a")
    assert set_one == (0, "Context one: it is used\n")
    assert krkn("set-context", "two", "--server", "https://two")[0] == 0
    assert krkn("current") == (0, "one\n")
    assert krkn("use", "two")[0] == 0
    assert krkn("set-context", "two", "--ca", "ca.pem")[0] == 0
    assert config.load(file).chosen() == Context(server="https://two", ca="ca.pem")
    assert krkn("list")[1].splitlines()[1].split() == ["one", "one:1", "echo", "a"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert krkn("delete-context", "two")[0] == 0
    assert krkn("current")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["use", "none"], "there is no context 'none'; known: none"),
        (["set-context", "a"], "a context needs a --server"),
        (["set-context", "a", "--server", "ftp://a"], "ftp:// is not http:// or https://"),
        (
            ["set-context", "a", "--server", "a", "--token-file", "f", "--token-command", "c"],
            "give --token-file or --token-command, not both",
        ),
    ],
)
def test_what_is_wrong_is_said(file: Path, arguments: list[str], said: str) -> None:
    code, text = krkn(*arguments)
    assert (code, said in text) == (2, True), text
    assert not file.exists()


@pytest.mark.parametrize("text", ["a: [", "- a", "contexts: {a: {sever: x}}", "contexts: [a]"])
def test_a_file_that_is_none_is_refused(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(BadConfig, match=r"config\.yaml"):
        config.load(file)


def token_of(given: Given) -> tuple[str, str]:
    """The server that is called, and the token that it gets."""
    client = server_choice.client(given, retries=0)
    try:
        token = loop_thread.shared().result(client.connection.way.token.token())
    finally:
        client.close()
    return client.server, token


def test_a_token_goes_to_the_server_of_its_context_alone(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.save(
        file, config.Config().with_context("one", Context("one:1", token_command="echo secret"))
    )
    assert token_of(Given()) == ("one:1", "secret")
    assert token_of(Given(context="one")) == ("one:1", "secret")
    assert token_of(Given(server="other:1")) == ("other:1", "")
    with pytest.raises(BadConfig, match="not both"):
        token_of(Given(server="other:1", context="one"))
    monkeypatch.setenv("KRKN_TOKEN", "own")
    assert token_of(Given()) == ("one:1", "own")


def test_a_token_command_is_words_and_no_shell(file: Path) -> None:
    def use(command: str) -> None:
        context = Context("one:1", token_command=command)
        config.save(file, config.Config().with_context("one", context))

    use("echo 'a b' | cat")
    with pytest.raises(BadToken, match="holds no bearer token"):
        token_of(Given())
    use("'")
    with pytest.raises(BadToken, match="No closing quotation"):
        token_of(Given())


def test_options_of_the_whole_command_may_stand_anywhere() -> None:
    given = ["jobs", "list", "--server", "a", "-l", "b", "--no-tls", "--retries=3"]
    first = ["--server", "a", "--no-tls", "--retries=3", "jobs", "list", "-l", "b"]
    assert with_global_options_first(given, COMMANDS) == first
    for chosen in (["--context", "a"], ["--context=a"]):
        given = ["targets", *chosen, "list"]
        assert with_global_options_first(given, COMMANDS) == [*chosen, "targets", "list"]
        given = ["jobs", "list", "-l", "b", *chosen]
        assert with_global_options_first(given, COMMANDS) == [*chosen, "jobs", "list", "-l", "b"]
    of_config = ["config", "set-context", "a", "--server", "b"]
    # A context of the kubeconfig.
    of_import = ["targets", "import", "--context", "a", "--context=b"]
    for unmoved in (of_config, of_import, ["stop", "--", "--server", "x"]):
        assert with_global_options_first(unmoved, COMMANDS) == unmoved


@pytest.mark.parametrize(
    "given",
    [
        ["run", "pod-scenarios", "-t", "--server=evil"],
        ["run", "pod-scenarios", "--target", "--server=evil", "--yes"],
        ["jobs", "list", "-l", "--no-tls"],
        ["run", "pod-scenarios", "-vt", "--server=evil"],
        ["targets", "wait", "--for", "--tls"],
        ["jobs", "list", "--scenario", "--context=evil"],
        ["targets", "import", "--kubeconfig", "--context=evil"],
    ],
)
def test_the_value_of_another_option_chooses_no_server(given: list[str]) -> None:
    assert with_global_options_first(given, COMMANDS) == given


def test_a_value_that_is_attached_has_no_second_one() -> None:
    given = ["run", "pod-scenarios", "-tdemo-1", "--server", "a", "--target=x", "--retries", "1"]
    first = ["--server", "a", "--retries", "1", "run", "pod-scenarios", "-tdemo-1", "--target=x"]
    assert with_global_options_first(given, COMMANDS) == first


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5_400), ("7d", 604_800)]
)
def test_durations(text: str, seconds: int) -> None:
    assert times.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "1x", "h", "-1", "1m1h", "1.5h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        times.seconds(text)


@pytest.mark.parametrize("text", ["2147483648", "99999d", "9" * 40])
def test_a_duration_that_no_message_can_hold(text: str) -> None:
    assert times.option("2147483647") == 2**31 - 1
    with pytest.raises(typer.BadParameter, match="is too long: at most 2147483647 seconds"):
        times.option(text)
