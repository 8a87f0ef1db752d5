"""Reads user input (NAME=VALUE, files, secrets) into parts of a request.

A secret comes from a file, from standard input (`-`) or from the environment, never from the
command line, which every process on the machine can read.
"""

import base64
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

from krkn_grpc.v1.scenario_runs_pb2 import ScenarioFile

STANDARD_INPUT = Path("-")

LARGEST = 2**31 - 1
"""The largest number that a field of a message can hold."""


def as_utf8(given: str) -> str:
    """Return an argument decoded as UTF-8 if possible, regardless of the locale's encoding."""
    try:
        return os.fsencode(given).decode()
    except UnicodeError:
        return given


def text_of(file: Path) -> str:
    """Return the text of a file, or of standard input for `-`."""
    try:
        return sys.stdin.read() if file == STANDARD_INPUT else file.read_text("utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file}: is not UTF-8 text") from None


def secret(file: Path | None, variable: str) -> str:
    """Return a secret from a file, else from an environment variable; "" when neither is set.

    A final line break, as editors and `echo` add it, is removed.
    """
    if file is None:
        return os.environ.get(variable, "")
    text = text_of(file).removesuffix("\n").removesuffix("\r")
    if not text:
        raise typer.BadParameter(f"{file}: is empty")
    return text


def certificates(file: Path | None) -> str:
    """Return the CA bundle of a file, "" without one.

    An empty file is refused: nobody who names one means that no certificate is verified.
    """
    text = text_of(file) if file else ""
    if file and not text.strip():
        raise typer.BadParameter(f"{file}: is empty")
    return text


def pairs(given: Iterable[str]) -> dict[str, str]:
    """Parse NAME=VALUE; for NAME alone the value comes from the command's own environment."""
    read: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        _add(read, name, value if equals else own_variable(name))
    return read


def own_variables(names: Iterable[str]) -> dict[str, str]:
    """Return variables of the command's own environment, for values that are secret."""
    read: dict[str, str] = {}
    for name in names:
        if "=" in name:
            message = (
                f"give {name.partition('=')[0]} alone: its value is taken from the environment"
            )
            raise typer.BadParameter(message)
        _add(read, name, own_variable(name))
    return read


def own_variable(name: str) -> str:
    """Return a variable of the command's own environment."""
    if name not in os.environ:
        raise typer.BadParameter(f"{name} is not set in the environment of this command")
    return os.environ[name]


def lines_of_pairs(file: Path | None) -> dict[str, str]:
    """Parse NAME=VALUE lines, values unchanged; empty lines and # comments are skipped."""
    read: dict[str, str] = {}
    for number, line in enumerate(text_of(file).splitlines() if file else (), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            # Not the line itself: it may be a secret.
            raise typer.BadParameter(f"{file}: line {number} is not NAME=VALUE")
        _add(read, name.strip(), value)
    return read


def merged(*parts: dict[str, str]) -> dict[str, str]:
    """Merge the parts; a name may be in only one of them."""
    read: dict[str, str] = {}
    for part in parts:
        for name, value in part.items():
            _add(read, name, value)
    return read


def labels(given: Iterable[str]) -> dict[str, str]:
    """Read KEY=VALUE labels."""
    read: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text} is not KEY=VALUE")
        _add(read, key, value)
    return read


def scenario_files(given: Sequence[str]) -> list[ScenarioFile]:
    """Parse FILE:PATH: a local file and its path in the scenario's container."""
    return [_scenario_file(text) for text in given]


def _scenario_file(text: str) -> ScenarioFile:
    # The last colon: the path in the container has none; the service refuses one with a colon.
    local, colon, mount_path = text.rpartition(":")
    if not (colon and local and mount_path):
        raise typer.BadParameter(f"{text} is not FILE:PATH")
    try:
        content = Path(local).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{local}: {error.strerror}") from None
    encoded = base64.b64encode(content).decode()
    # The name of a local file may not be valid UTF-8.
    name = os.fsencode(Path(local).name).decode("utf-8", "replace")
    return ScenarioFile(name=name, content=encoded, mount_path=mount_path)


def _add(read: dict[str, str], name: str, value: str) -> None:
    if not name:
        raise typer.BadParameter("a name is missing before =")
    if name in read:
        raise typer.BadParameter(f"{name} is given twice")
    read[name] = value
