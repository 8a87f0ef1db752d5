"""Assembles the command line: global options, commands, and the handling of failures."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer
from typer.core import TyperGroup

from krkn_grpc.cli import (
    connection,
    display,
    failures,
    halts,
    jobs,
    runs,
    scenarios,
    sources,
    targets,
)
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.run import run


class Commands(TyperGroup):
    """The command group; it prints the failure of a call as one line and sets the exit code."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> Any:
        """Run the command line, with arguments and output of any characters."""
        display.replace_what_cannot_be_printed()
        given = sys.argv[1:] if args is None else args
        return super().main([*map(sources.as_utf8, given)], *others, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the selected command."""
        try:
            return super().invoke(ctx)
        except (grpc.RpcError, failures.WatchEnded, connection.BadToken) as error:
            client: Client = ctx.obj
            typer.echo(f"Error: {failures.explanation(error, client.server)}", err=True)
            raise typer.Exit(failures.exit_code(error)) from None
        except UnicodeEncodeError:
            # It is not shown: it may be a secret of the environment.
            typer.echo("Error: what was given is no text in UTF-8", err=True)
            raise typer.Exit(failures.ExitCode.USAGE) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    # Plain text: errors are one line, and help can be searched.
    rich_markup_mode=None,
    # Local variables may hold credentials.
    pretty_exceptions_enable=False,
    epilog=(
        "The caller's token is taken from KRKN_TOKEN_FILE or KRKN_TOKEN, never from the command "
        f"line. {failures.EXPLAINED}"
    ),
)
app.add_typer(targets.app, name="targets")
app.add_typer(scenarios.app, name="scenarios")
app.add_typer(runs.app, name="runs")
app.add_typer(jobs.app, name="jobs")
app.add_typer(halts.app, name="halts")
app.command()(run)
app.command()(jobs.logs)
app.command()(jobs.stop)
app.command()(halts.halt)


@app.callback()
def connect(
    context: typer.Context,
    server: Annotated[
        str,
        typer.Option(
            envvar="KRKN_SERVER",
            metavar="ADDRESS",
            help="HOST:PORT, or a URL: https:// for TLS, http:// without.",
        ),
    ] = connection.DEFAULT_SERVER,
    tls: Annotated[
        bool | None,
        typer.Option("--tls/--no-tls", help="Default: TLS, except to this machine itself."),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(
            envvar="KRKN_CA",
            metavar="FILE",
            help="CA bundle (PEM) to verify the server with; implies TLS.",
        ),
    ] = None,
    cert: Annotated[
        Path | None,
        typer.Option(
            envvar="KRKN_CERT",
            metavar="FILE",
            help="Client certificate (PEM); needs --key.",
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(envvar="KRKN_KEY", metavar="FILE", help="Private key (PEM) of --cert."),
    ] = None,
    retries: Annotated[
        int,
        typer.Option(
            envvar="KRKN_RETRIES",
            metavar="N",
            min=0,
            help="Retries while the server is unreachable (15 is about a minute).",
        ),
    ] = 15,
) -> None:
    """Run krkn chaos scenarios on many Kubernetes clusters."""
    if (cert is None) != (key is None):
        raise typer.BadParameter("--cert and --key are given together")
    try:
        client = Client.connected(
            server=server,
            tls=tls,
            certificates=connection.Certificates(ca, cert, key),
            retries=retries,
        )
    except connection.BadAddress as error:
        raise typer.BadParameter(f"{server!r}: {error}", param_hint="--server") from None
    except connection.BadToken as error:
        raise typer.BadParameter(str(error)) from None
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}") from None
    context.call_on_close(client.close)
    context.obj = client
