"""Assembles the command line: global options, commands, and the handling of failures."""

import contextlib
import errno
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from grpc import StatusCode
from typer.core import TyperGroup

from krkn_grpc.cli import (
    config,
    contexts,
    display,
    errors,
    failures,
    halts,
    interrupts,
    jobs,
    runs,
    scenarios,
    server_choice,
    sources,
    targets,
)
from krkn_grpc.cli.access import access
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.logs import logs
from krkn_grpc.cli.report import report
from krkn_grpc.cli.run import run
from krkn_grpc.cli.stop import stop
from krkn_grpc.client.address import BadAddress
from krkn_grpc.client.errors import KrknError
from krkn_grpc.client.tokens import BadToken

# Why an output takes nothing more: a full disk or quota, a limit on files, a terminal that is gone,
# a file that is open for reading alone.
_NOT_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)

# Typer does not export it.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]

# Options of the whole command, which may also stand after the name of a command.
_WITH_VALUE = ("--server", "--context", "--ca", "--cert", "--key", "--retries")
_WITHOUT = ("--tls", "--no-tls")


def with_global_options_first(arguments: Sequence[str], command: Any) -> list[str]:
    """Return the arguments with the options of the whole command before all others.

    `command` is click's. What is the value of another option stays where it is, whatever it says:
    a target's name from elsewhere must not choose the server.
    """
    moved: list[str] = []
    others: list[str] = []
    left = list(arguments)
    root = command
    while left:
        argument = left.pop(0)
        # The options of `config` are a context's.
        if argument == "--" or (argument == "config" and not others):
            others += [argument, *left]
            break
        name, is_attached, _ = argument.partition("=")
        # A command may have one of the same name: `targets import --context`.
        is_global = command is root or not _wants_value(command, name)
        if is_global and name in _WITH_VALUE and (is_attached or left):
            moved += [argument] if is_attached else [argument, left.pop(0)]
        elif argument in _WITHOUT:
            moved.append(argument)
        else:
            others.append(argument)
            command = getattr(command, "commands", {}).get(argument, command)
            if left and _wants_value(command, argument):
                others.append(left.pop(0))
    return [*moved, *others]


def _wants_value(command: Any, argument: str) -> bool:
    """Whether the argument is an option of the command whose value is the next argument."""
    with_value = {
        name
        for option in command.params
        if not getattr(option, "is_flag", True) and not getattr(option, "count", False)
        for name in option.opts
    }
    if argument.startswith("--") or len(argument) <= 2:
        return argument in with_value
    # Several letters: flags, and at the end one with a value, which may be attached.
    first = next((index for index, each in enumerate(argument) if f"-{each}" in with_value), 0)
    return argument.startswith("-") and 0 < first == len(argument) - 1


def _print_version(wanted: bool) -> None:  # so a callback is called
    if wanted:
        try:
            typer.echo(f"krkn-grpc {metadata.version('krkn-grpc')}")
        except metadata.PackageNotFoundError:
            typer.echo("krkn-grpc, from a clone")
        raise typer.Exit


@contextlib.contextmanager
def _told_to_programs() -> Iterator[None]:
    """Print wrong usage as programs read it, where they do; click prints it for people."""
    try:
        yield
    except _USAGE_ERROR as error:
        if not errors.are_objects():
            raise
        usage = cast("typer.BadParameter", error)
        said = usage.format_message()
        errors.tell(said, code=StatusCode.INVALID_ARGUMENT, reason="USAGE")
        raise typer.Exit(usage.exit_code) from None


class Commands(TyperGroup):
    """The command group; it prints the failure of a call as one line and sets the exit code."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> Any:
        """Run the command line, with arguments and output of any characters."""
        display.replace_missing_streams()
        display.replace_what_cannot_be_printed()
        given = [*map(sources.as_utf8, sys.argv[1:] if args is None else args)]
        errors.told_as_asked_for(given)
        try:
            return super().main(with_global_options_first(given, self), *others, **options)
        except OSError as error:
            if error.errno not in _NOT_WRITTEN:
                raise
            said = f"the output cannot be written: {error.strerror}"
            errors.tell(said, code=StatusCode.UNKNOWN, reason="OUTPUT")
            sys.exit(failures.ExitCode.NOT_ALL_WELL)

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Read the options of the whole command."""
        with _told_to_programs():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the selected command."""
        try:
            with _told_to_programs():
                return super().invoke(ctx)
        except (
            KrknError,
            failures.NotFound,
            BadToken,
        ) as error:
            client: Client = ctx.obj
            errors.tell_failure(error, client.server)
            raise typer.Exit(failures.exit_code(error)) from None
        except interrupts.Terminated:
            raise typer.Exit(interrupts.EXIT_CODE) from None
        except UnicodeEncodeError:
            # It is not shown: it may be a secret of the environment.
            said = "what was given is no text in UTF-8"
            errors.tell(said, code=StatusCode.INVALID_ARGUMENT, reason="USAGE")
            raise typer.Exit(failures.ExitCode.USAGE) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Plain text: errors are one line, and help can be searched.
    rich_markup_mode=None,
    # Local variables may hold credentials.
    pretty_exceptions_enable=False,
    epilog=(
        "The caller's token is taken from KRKN_TOKEN_FILE, KRKN_TOKEN or the context, never from "
        f"the command line. {failures.EXPLAINED}"
    ),
)
app.add_typer(targets.app, name="targets")
app.add_typer(scenarios.app, name="scenarios")
app.add_typer(runs.app, name="runs")
runs.app.command("report")(report)
app.add_typer(jobs.app, name="jobs")
app.add_typer(halts.app, name="halts")
app.add_typer(contexts.app, name="config")
app.command()(run)
app.command()(logs)
app.command()(stop)
app.command()(halts.halt)
app.command()(access)


@app.callback()
def connect(
    context: typer.Context,
    server: Annotated[
        str,
        typer.Option(
            envvar="KRKN_SERVER",
            metavar="ADDRESS",
            help=(
                "HOST:PORT, or a URL: https:// for TLS, http:// without. "
                "Default: the context's, else this machine at port 8080."
            ),
        ),
    ] = "",
    krkn_context: Annotated[
        str,
        typer.Option(
            "--context",
            envvar="KRKN_CONTEXT",
            metavar="NAME",
            help="A context of `krkn-grpc config`. Default: the one that is used.",
            autocompletion=contexts.names,
        ),
    ] = "",
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
        int | None,
        typer.Option(
            envvar="KRKN_RETRIES",
            metavar="N",
            min=0,
            help=(
                "Retries while the server is unreachable (15 is about a minute). "
                "Default: 15; on a terminal 4 (5 s) until it has answered once."
            ),
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001  # its callback ends the command
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Run krkn chaos scenarios on many Kubernetes clusters."""
    if context.invoked_subcommand == "config":
        # It calls no server, and mends a context that cannot be used.
        return
    if (cert is None) != (key is None):
        raise typer.BadParameter("--cert and --key are given together")
    try:
        given = server_choice.Given(server, krkn_context, tls, ca, cert, key)
        client = server_choice.client(given, retries=retries)
    except BadAddress as error:
        raise typer.BadParameter(f"{server!r}: {error}", param_hint="--server") from None
    except (BadToken, config.BadConfig) as error:
        raise typer.BadParameter(str(error)) from None
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}") from None
    context.call_on_close(client.close)
    context.obj = client
