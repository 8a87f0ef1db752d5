"""krkn-grpc access: who the caller is, and what the caller may do."""

from itertools import groupby

import typer

from krkn_grpc.cli import display
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.cli.table import Column
from krkn_grpc.v1.access_pb2 import Access, GetAccessRequest, Permission


def access(context: typer.Context, output: Output = Format.TABLE) -> None:
    """Show who you are to the service, and what you may do."""
    client: Client = context.obj
    found = client.call(client.access.GetAccess, GetAccessRequest())
    if not output.is_for_people:
        names = [f"{each.verb} {each.resource}" for each in found.allowed]
        items = map(display.as_json, found.allowed)
        display.print_for_programs(display.as_json(found), items, names, output)
        return
    display.print_line("User:", found.user or "(the service runs without authentication)")
    display.print_line("Namespace:", found.namespace)
    if not found.allowed:
        display.print_line("You may do nothing; an administrator can bind you to a role.")
    display.print_rows(
        [Column("RESOURCE"), Column("VERBS", least=12)],
        _rows(found),
        is_cut=display.is_terminal() and output is not Format.WIDE,
    )


def _rows(found: Access) -> list[tuple[str, str]]:
    def resource(permission: Permission) -> str:
        return permission.resource

    return [
        (name, ", ".join(each.verb for each in permissions))
        for name, permissions in groupby(found.allowed, resource)
    ]
