"""What a person gives, and what it becomes."""

from pathlib import Path

import pytest
import typer

from krkn_grpc.cli import sources


def test_pairs_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN", "v=w")
    assert sources.pairs(["A=1=2", "B=", "OWN"]) == {"A": "1=2", "B": "", "OWN": "v=w"}


def test_a_file_of_pairs(tmp_path: Path) -> None:
    file = tmp_path / "pairs"
    file.write_text("# a comment\n\nA=1 # not one\n B=  2\r\nC=\n")
    assert sources.lines_of_pairs(file) == {"A": "1 # not one", "B": "  2", "C": ""}


def test_a_secret_ends_without_its_line_break(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b" two\nlines\r\n")
    assert sources.secret(file, "UNUSED") == " two\nlines"


def test_a_file_keeps_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a:b"
    file.write_bytes(b"\xff\x00")
    [read] = sources.scenario_files([f"{file}:/etc/x"])
    assert (read.name, read.content, read.mount_path) == ("a:b", "/wA=", "/etc/x")


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda _: sources.pairs(["A=1", "A=2"]), id="twice"),
        pytest.param(lambda _: sources.pairs(["=1"]), id="no name"),
        pytest.param(lambda _: sources.pairs(["NOT_SET_ANYWHERE"]), id="not set"),
        pytest.param(lambda _: sources.own_variables(["A=secret"]), id="a secret as an argument"),
        pytest.param(lambda _: sources.labels(["a"]), id="a label without a value"),
        pytest.param(lambda _: sources.merged({"A": "1"}, {"A": "1"}), id="in two places"),
        pytest.param(lambda _: sources.scenario_files(["file"]), id="no mount path"),
        pytest.param(lambda _: sources.scenario_files(["/nonexistent:/a"]), id="no file"),
        pytest.param(sources.text_of, id="a folder"),
        pytest.param(lambda folder: sources.lines_of_pairs(folder / "secret"), id="no pair"),
        pytest.param(lambda folder: sources.text_of(folder / "binary"), id="not text"),
        pytest.param(lambda folder: sources.secret(folder / "empty", "HOME"), id="empty"),
        pytest.param(lambda folder: sources.certificates(folder / "empty"), id="no certificate"),
    ],
)
def test_wrong_usage_is_said_and_no_secret_with_it(wrong: object, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret\n")
    (tmp_path / "binary").write_bytes(b"\xff")
    (tmp_path / "empty").write_text("\n")
    assert callable(wrong)
    with pytest.raises(typer.BadParameter) as refused:
        wrong(tmp_path)
    assert "secret" not in refused.value.message.replace(str(tmp_path / "secret"), "")
