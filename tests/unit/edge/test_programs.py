"""What the API's reference shows for other programs is there: each command and each method."""

import json
import re
import typing
from functools import reduce
from typing import Any

import pytest
import typer.main
import yaml

from krkn_grpc.cli.app import app
from krkn_grpc.client import plain
from krkn_grpc.edge.direct_responses import DOCUMENT
from krkn_grpc.edge.files import FOLDER

PROGRAMS: dict[str, dict[str, str]] = json.loads((FOLDER / "page" / "programs.json").read_text())
COMMANDS = [each["cli"] for each in PROGRAMS.values() if "cli" in each]
CALLS = [each["python"] for each in PROGRAMS.values() if "python" in each]


def test_every_operation_is_there() -> None:
    document = yaml.safe_load(DOCUMENT.read_text())
    operations = {
        call["operationId"].removesuffix("ByPost")
        for calls in document["paths"].values()
        for call in calls.values()
    }
    assert set(PROGRAMS) == operations


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_has_it(line: str) -> None:
    program, *words = line.split()
    assert program == "krkn-grpc"
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("call", CALLS)
def test_the_client_has_it(call: str) -> None:
    [path] = re.findall(r"krkn((?:\.\w+)+)\(", call)

    def part(of: Any, name: str) -> Any:
        return typing.get_type_hints(of).get(name) or getattr(of, name)

    assert callable(reduce(part, path.strip(".").split("."), plain.Krkn))
