"""krkn-grpc config: the contexts of this user, each a server and where its token comes from."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import typer

from krkn_grpc.cli import config, display
from krkn_grpc.cli.config import Config, Context
from krkn_grpc.cli.table import Column
from krkn_grpc.client.address import BadAddress, address

app = typer.Typer(help="Keep servers by name, and choose the one that is used.")


def names(incomplete: str) -> list[str]:
    """Return the contexts whose names begin so, for a shell."""
    try:
        known = config.load(config.path()).contexts
    except config.BadConfig:
        return []
    return [name for name in known if name.startswith(incomplete)]


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The context's name.", autocompletion=names)
]


@app.command("set-context")
def set_context(
    name: Name,
    server: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="As KRKN_SERVER: HOST:PORT, or a URL.")
    ] = None,
    ca: Annotated[
        str | None, typer.Option(metavar="FILE", help="CA bundle (PEM) to verify the server with.")
    ] = None,
    cert: Annotated[
        str | None, typer.Option(metavar="FILE", help="Client certificate (PEM).")
    ] = None,
    key: Annotated[str | None, typer.Option(metavar="FILE", help="Private key (PEM).")] = None,
    token_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="File with the token; read for every call.")
    ] = None,
    token_command: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Command that prints a token; it runs again before the token expires.",
        ),
    ] = None,
) -> None:
    """Add a context, or change what is given of one.

    The first one is used at once.
    """
    given = {
        "server": server,
        "ca": ca,
        "cert": cert,
        "key": key,
        "token_file": token_file,
        "token_command": token_command,
    }

    def changed(before: Config) -> Config:
        context = before.contexts.get(name, Context())
        context = replace(context, **{key: text for key, text in given.items() if text is not None})
        if not context.server:
            raise config.BadConfig("a context needs a --server")
        address(context.server)
        if context.token_file and context.token_command:
            raise config.BadConfig("give --token-file or --token-command, not both")
        return before.with_context(name, context)

    after = _change(changed)
    used = "it is used" if after.current == name else f"to use it: krkn-grpc config use {name}"
    typer.echo(f"Context {name}: {used}", err=True)


@app.command("use")
def use_context(name: Name) -> None:
    """Choose the context that later calls use."""
    _change(lambda before: before.using(name))
    typer.echo(f"Context {name} is used.", err=True)


@app.command("current")
def current_context() -> None:
    """Print the name of the context that is used."""
    current = _load().current
    if not current:
        typer.echo("No context is used. To add one: krkn-grpc config set-context", err=True)
        raise typer.Exit(1)
    display.print_line(current)


@app.command("list")
def list_contexts() -> None:
    """List the contexts; * is the one that is used."""
    known = _load()
    if not known.contexts:
        typer.echo("There are no contexts. To add one: krkn-grpc config set-context", err=True)
    rows = [
        ("*" if name == known.current else "", name, context.server, _token(context))
        for name, context in known.contexts.items()
    ]
    head = (Column(""), Column("NAME"), Column("SERVER", least=20), Column("TOKEN", least=8))
    display.print_rows(head, rows, is_cut=display.is_terminal())


@app.command("delete-context")
def delete_context(name: Name) -> None:
    """Remove a context."""
    _change(lambda before: before.without(name))


def _token(context: Context) -> str:
    return context.token_command or context.token_file


def _load() -> Config:
    try:
        return config.load(config.path())
    except config.BadConfig as error:
        raise typer.BadParameter(str(error)) from None


def _change(change: Callable[[Config], Config]) -> Config:
    try:
        after = change(config.load(config.path()))
        config.save(config.path(), after)
    except (config.BadConfig, BadAddress) as error:
        raise typer.BadParameter(str(error)) from None
    return after
