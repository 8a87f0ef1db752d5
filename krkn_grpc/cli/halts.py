"""krkn-grpc halt, and krkn-grpc halts: stop everything, and lift what was halted."""

from typing import Annotated

import typer

from krkn_grpc.cli import columns, display
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.v1.halts_pb2 import (
    CreateHaltRequest,
    DeleteHaltRequest,
    Halt,
    ListHaltsRequest,
    ListHaltsResponse,
)

app = typer.Typer(help="List halts and lift them.")


Why = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why, for those whose scenarios are halted.")
]
Which = Annotated[
    str | None,
    typer.Option(
        "--selector",
        "-l",
        metavar="SELECTOR",
        help="Labels of the targets to halt, such as env=prod. Default: all targets.",
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The halt's name.")]


def halt(
    context: typer.Context, reason: Why, selector: Which = None, output: Output = Format.TABLE
) -> None:
    """Stop all scenarios; none starts until the halt is deleted."""
    client: Client = context.obj
    if selector is not None and not selector.strip():
        # That of a variable that is not set would halt everything.
        raise typer.BadParameter("--selector is blank: leave it out to halt all targets")
    request = CreateHaltRequest(reason=reason, target_selector=selector or "")
    # A retry finds the halt of the first attempt.
    made = client.call(client.halts.CreateHalt, request)
    if not output.is_for_people:
        display.show_one(columns.HALTS, made, output)
    else:
        display.print_line(f"Halted: {made.target_selector or 'all targets'}")
        display.print_line(f"To lift it: krkn-grpc halts delete {made.name}")


@app.command("list")
def list_halts(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the halts, newest first."""
    client: Client = context.obj
    found = _all_halts(client)
    display.show_list(columns.HALTS, ListHaltsResponse(halts=found), output)


@app.command("delete")
def delete_halt(context: typer.Context, name: Name, output: Output = Format.TABLE) -> None:
    """Lift a halt; the scenarios that it stopped do not go on."""
    client: Client = context.obj
    # A retry would not find the halt.
    request = DeleteHaltRequest(name=name)
    reply = client.call(client.halts.DeleteHalt, request, is_repeatable=False)
    if output.is_for_people:
        display.print_line(reply.name, reply.message)
    else:
        shown = display.as_json(reply)
        display.print_for_programs(shown, [shown], [reply.name], output)


def _all_halts(client: Client) -> list[Halt]:
    return list(client.pages(client.halts.ListHalts, ListHaltsRequest(), lambda page: page.halts))
