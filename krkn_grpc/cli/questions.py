"""Asks before something happens to many clusters, where somebody can answer."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from krkn_grpc.cli import display, failures

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it starts.")]

# So many names fit into a question.
_MOST = 3


def is_anyone_there() -> bool:
    """Whether a person is at a terminal who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Ask on a terminal, and end the command unless the answer is yes; elsewhere go on."""
    if yes or not is_anyone_there():
        return
    # Not typer's own: it prints the last blank to standard output, before what programs read.
    typer.echo(f"{display.printable(question)} [y/N]: ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        typer.echo("Nothing was done.", err=True)
        raise typer.Exit(failures.ExitCode.NOT_ALL_WELL)


def some_of(names: Sequence[str]) -> str:
    """Return a few of the names."""
    return ", ".join(names[:_MOST]) + (", ..." if len(names) > _MOST else "")
