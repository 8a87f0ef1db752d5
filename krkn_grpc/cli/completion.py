"""Completes names of scenarios and parameters in a shell, by asking the service.

A completion says nothing when it fails: the shell would show it within the command line.
"""

import os
from typing import Any

import grpc
import typer

from krkn_grpc.cli import connection, parameters
from krkn_grpc.cli.client import Client
from krkn_grpc.v1.scenarios_pb2 import ListScenariosRequest

# A shell waits for it.
_SECONDS = 2.0
_FAILURES = (grpc.RpcError, connection.BadAddress, connection.BadToken, OSError)


def scenario_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the scenarios whose names begin so, each with its title."""
    try:
        client = _client(ctx)
        reply = client.call(client.scenarios.ListScenarios, ListScenariosRequest())
    except _FAILURES:
        return []
    return [(s.name, s.title) for s in reply.scenarios if s.name.startswith(incomplete)]


def parameter_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the parameters of the command's scenario that begin so, each with a `=` after it."""
    # While the value of an option is missing, an argument is not read yet.
    unread = next((each for each in ctx.args if not each.startswith("-")), "")
    scenario = ctx.params.get("name") or ctx.params.get("scenario") or unread
    if not scenario or "=" in incomplete:
        return []
    try:
        known = parameters.fields_of(_client(ctx), scenario)
    except _FAILURES:
        return []
    return [
        (f"{name}=", each.short_description)
        for each in known
        for name in (each.variable, each.name)
        # Of the two names of a parameter, the one that the user has begun.
        if name.startswith(incomplete) and (incomplete or name == each.variable)
    ]


def variable_names(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the variables alone, as --env takes them."""
    return [each for each in parameter_names(ctx, incomplete) if each[0].isupper()]


def _client(ctx: typer.Context) -> Client:
    """Return a client of the server that the command line so far names."""
    given: dict[str, Any] = ctx.find_root().params
    return Client.connected(
        server=given.get("server") or os.environ.get("KRKN_SERVER", connection.DEFAULT_SERVER),
        tls=given.get("tls"),
        certificates=connection.Certificates(given.get("ca"), given.get("cert"), given.get("key")),
        retries=0,
        seconds=_SECONDS,
    )
