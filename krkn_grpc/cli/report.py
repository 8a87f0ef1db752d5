"""krkn-grpc runs report: a run as a file for CI systems, for people and for programs."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from krkn_grpc.cli import failures, lookup
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.reports import as_json, gather, junit, markdown, page
from krkn_grpc.cli.reports.gather import Logs, Wanted
from krkn_grpc.cli.reports.model import Report
from krkn_grpc.cli.runs import RunId

_MOST_LINES = 1_000
_STANDARD_OUTPUT = Path("-")


class ReportFormat(StrEnum):
    """The form of a report."""

    JUNIT = "junit"
    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"


_RENDERED: dict[ReportFormat, Callable[[Report], str]] = {
    ReportFormat.JUNIT: junit.rendered,
    ReportFormat.HTML: page.rendered,
    ReportFormat.MARKDOWN: markdown.rendered,
    ReportFormat.JSON: as_json.rendered,
}
_BY_NAME = {
    ".xml": ReportFormat.JUNIT,
    ".html": ReportFormat.HTML,
    ".htm": ReportFormat.HTML,
    ".md": ReportFormat.MARKDOWN,
    ".json": ReportFormat.JSON,
}


def report(
    context: typer.Context,
    run: RunId,
    output: Annotated[
        ReportFormat | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FORMAT",
            help=(
                "junit, html, markdown or json. Default: by the file's name "
                "(.xml, .html, .md, .json), else markdown."
            ),
        ),
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="File to write, - for standard output; may be given more than once.",
        ),
    ] = None,
    logs: Annotated[
        Logs,
        typer.Option(
            metavar="WHICH",
            help="Ends of logs: none, failed (of scenarios that ran and did not succeed) or all.",
        ),
    ] = Logs.FAILED,
    lines: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=_MOST_LINES, help="The last N lines of each log."),
    ] = 50,
    fail: Annotated[
        bool, typer.Option("--fail", help="Exit with 1 unless all targets succeeded.")
    ] = False,
) -> None:
    """Write a report of a run, also of one that has not ended.

    A log has what the scenario printed, which may be more than the report's readers should see:
    --logs none leaves logs out.
    """
    client: Client = context.obj
    wanted = [(path, output or _format_of(path)) for path in file or [_STANDARD_OUTPUT]]
    made = gather.report(client, lookup.run_id(client, run), Wanted(logs, lines))
    for problem in made.log_problems:
        typer.echo(f"Not all logs are in the report: {problem}", err=True)
    for path, form in wanted:
        _write(path, _RENDERED[form](made))
    if fail and not made.is_all_well:
        raise typer.Exit(failures.ExitCode.NOT_ALL_WELL)


def _format_of(path: Path) -> ReportFormat:
    if path == _STANDARD_OUTPUT:
        return ReportFormat.MARKDOWN
    try:
        return _BY_NAME[path.suffix.lower()]
    except KeyError:
        known = ", ".join(_BY_NAME)
        raise typer.BadParameter(
            f"{path}: give the format with --output, or a name that ends with one of {known}",
            param_hint="--file",
        ) from None


def _write(path: Path, text: str) -> None:
    if path == _STANDARD_OUTPUT:
        # In UTF-8, as the XML says it is.
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
        return
    try:
        path.write_text(text, "utf-8", newline="\n")
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint="--file") from None
