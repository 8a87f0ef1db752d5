"""krkn-grpc scenarios: what there is to run, and its parameters."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from krkn_grpc.cli import columns, completion, display
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.v1.scenarios_pb2 import (
    GetScenarioGlobalsRequest,
    GetScenarioRequest,
    ListScenariosRequest,
    Scenario,
    ScenarioField,
    ScenarioGlobals,
)

app = typer.Typer(help="List the scenarios of the catalogue and show their parameters.")

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="The scenario's name.", autocompletion=completion.scenario_names
    ),
]
_COLUMNS = ("VARIABLE", "TYPE", "DESCRIPTION")


@app.command("list")
def list_scenarios(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the scenarios by name."""
    client: Client = context.obj
    reply = client.call(client.scenarios.ListScenarios, ListScenariosRequest())
    display.show_list(columns.SCENARIOS, reply, output)


@app.command("show")
def show_scenario(
    context: typer.Context,
    name: Name,
    of_all: Annotated[
        bool, typer.Option("--globals", help="Show the parameters that every scenario has.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show a scenario and its parameters; give them to `run` with --param."""
    client: Client = context.obj
    if of_all:
        shared = client.call(
            client.scenarios.GetScenarioGlobals, GetScenarioGlobalsRequest(name=name)
        )
        if not output.is_for_people:
            _print_for_programs(shared, name, output)
            return
        display.print_paragraph(shared.description)
        _print_fields(shared.fields)
        return
    shown = client.call(client.scenarios.GetScenario, GetScenarioRequest(name=name))
    if not output.is_for_people:
        _print_for_programs(shown, name, output)
        return
    display.print_line(f"{shown.name}:", shown.title)
    display.print_paragraph(shown.description)
    display.print_line("Image:", shown.image or "(each run names one)")
    display.print_line("Rollback:", "yes" if shown.rollback else "no")
    display.print_line("Source:", shown.source)
    display.print_paragraph("")
    _print_fields(shown.fields)
    display.print_paragraph("")
    display.print_line(
        f"Parameters of every scenario: krkn-grpc scenarios show {shown.name} --globals"
    )


def _print_for_programs(shown: Scenario | ScenarioGlobals, name: str, output: Format) -> None:
    whole = display.as_json(shown)
    display.print_for_programs(whole, [whole], [name], output)


def _print_fields(fields: Iterable[ScenarioField]) -> None:
    rows = [row for each in fields for row in _rows(each)]
    if rows:
        display.print_wrapped(_COLUMNS, rows, wrapped=("DESCRIPTION",))
    else:
        display.print_line("It has no parameters of its own.")


def _rows(field: ScenarioField) -> Iterator[tuple[str, str, str]]:
    """Yield the row of a parameter, and a row for each of its properties.

    With columns of their own, the texts would be too narrow to read at 80 characters.
    """
    yield field.variable, field.type, field.short_description or field.description
    if field.required and not field.default:
        yield "", "", "required"
    if field.default:
        yield "", "", f"default: {field.default}"
    if field.allowed_values:
        values = field.allowed_values.split(field.separator or ",")
        yield "", "", f"one of: {', '.join(values)}"
    if field.mount_path:
        yield "", "", f"in the container: {field.mount_path}"
    if field.secret:
        yield "", "", "kept as a secret"
