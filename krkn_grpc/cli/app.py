"""Puts the command together: its options for all, its commands, and how it fails."""

import os
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer
from typer.core import TyperGroup

from krkn_grpc.cli import connection, failures, jobs, targets
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.run import run


class Commands(TyperGroup):
    """Turns the failure of a call into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (grpc.RpcError, failures.WatchEnded, connection.BadToken) as error:
            client: Client = ctx.obj
            typer.echo(f"Error: {failures.explanation(error, client.server)}", err=True)
            raise typer.Exit(failures.exit_code(error)) from None


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
app.add_typer(jobs.app, name="jobs")
app.command()(run)
app.command()(jobs.logs)
app.command()(jobs.stop)


@app.callback()
def connect(
    context: typer.Context,
    server: Annotated[
        str,
        typer.Option(
            envvar="KRKN_SERVER",
            metavar="ADDRESS",
            help="HOST:PORT, or a URL: https:// is TLS, http:// is not.",
        ),
    ] = connection.DEFAULT_SERVER,
    tls: Annotated[
        bool | None,
        typer.Option("--tls/--no-tls", help="By default TLS, but not to this machine itself."),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(
            envvar="KRKN_CA", metavar="FILE", help="PEM certificates to know the server by; TLS."
        ),
    ] = None,
    cert: Annotated[
        Path | None,
        typer.Option(
            envvar="KRKN_CERT",
            metavar="FILE",
            help="The caller's own certificate, PEM; with --key.",
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(envvar="KRKN_KEY", metavar="FILE", help="The key of --cert, PEM."),
    ] = None,
    retries: Annotated[
        int,
        typer.Option(
            envvar="KRKN_RETRIES",
            metavar="N",
            min=0,
            help="How often to ask again while there is no answer; 15 is about a minute.",
        ),
    ] = 15,
) -> None:
    """Run krkn chaos scenarios on many Kubernetes clusters."""
    uses_tls = True if tls is None and (ca or cert) else tls
    if (cert is None) != (key is None):
        raise typer.BadParameter("--cert and --key are given together")
    try:
        where = connection.address(server, uses_tls)
        channel = connection.connect(where, connection.Certificates(ca, cert, key))
        token = connection.bearer_token(os.environ)
        token()
    except connection.BadAddress as error:
        raise typer.BadParameter(f"{server!r}: {error}", param_hint="--server") from None
    except connection.BadToken as error:
        raise typer.BadParameter(str(error)) from None
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}") from None
    context.call_on_close(channel.close)
    context.obj = Client(channel, where.target, token, retries)
