"""Turns --param into the inputs of a run, by what the catalogue says of its scenario."""

import base64
import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer

from krkn_grpc.cli import sources
from krkn_grpc.cli.client import Client
from krkn_grpc.client.errors import NotFound
from krkn_grpc.v1.scenario_runs_pb2 import ScenarioFile
from krkn_grpc.v1.scenarios_pb2 import (
    GetScenarioGlobalsRequest,
    GetScenarioRequest,
    ScenarioField,
)


@dataclass
class Inputs:
    """The inputs that parameters become."""

    environment: dict[str, str] = field(default_factory=dict)
    secret_environment: dict[str, str] = field(default_factory=dict, repr=False)
    files: list[ScenarioFile] = field(default_factory=list)


def fields_of(client: Client, scenario: str) -> list[ScenarioField]:
    """Return all parameters of a scenario, its own first; raises KrknError."""
    own = client.call(client.scenarios.GetScenario, GetScenarioRequest(name=scenario))
    shared = client.call(
        client.scenarios.GetScenarioGlobals, GetScenarioGlobalsRequest(name=scenario)
    )
    return [*own.fields, *shared.fields]


def inputs(client: Client, scenario: str, given: Sequence[str]) -> Inputs:
    """Return the inputs for NAME=VALUE parameters; NAME is a parameter's name or its variable.

    For NAME alone the value is the variable of the command's own environment. The value of a file
    is the path of a local one.
    """
    if not given:
        return Inputs()
    try:
        known = fields_of(client, scenario)
    except NotFound:
        raise typer.BadParameter(
            f"the catalogue has no scenario {scenario!r}: give its variables with --env",
            param_hint="--param",
        ) from None
    by_name = {each.name: each for each in reversed(known)}
    by_name |= {each.variable: each for each in reversed(known)}
    read = Inputs()
    for text in given:
        name, equals, value = text.partition("=")
        found = by_name.get(name)
        if found is None:
            raise typer.BadParameter(_unknown(name, scenario, by_name), param_hint="--param")
        _add(read, found, value if equals else sources.own_variable(found.variable))
    return read


def _unknown(name: str, scenario: str, known: dict[str, ScenarioField]) -> str:
    alike = {each.lower(): each for each in known}
    guess = difflib.get_close_matches(name.lower(), alike, n=1)
    meant = f"; did you mean {alike[guess[0]]}?" if guess else ""
    return f"{scenario} has no parameter {name!r}{meant}"


def _add(read: Inputs, parameter: ScenarioField, value: str) -> None:
    variable = parameter.variable
    if parameter.type == "file" and parameter.mount_path:
        if any(each.mount_path == parameter.mount_path for each in read.files):
            raise typer.BadParameter(f"{variable} is given twice", param_hint="--param")
        content = base64.b64encode(_content(value)).decode()
        name = os.fsencode(Path(value).name).decode("utf-8", "replace")
        read.files.append(ScenarioFile(name=name, content=content, mount_path=parameter.mount_path))
        return
    if variable in read.environment or variable in read.secret_environment:
        raise typer.BadParameter(f"{variable} is given twice", param_hint="--param")
    if parameter.type == "file_base64":
        value = base64.b64encode(_content(value)).decode()
    into = read.secret_environment if parameter.secret else read.environment
    into[variable] = value


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint="--param") from None
