"""krkn-grpc logs: the log of one job, or of all jobs of a run, each line with its target's name."""

import re
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Annotated, TypeVar

import typer
from google.api.httpbody_pb2 import HttpBody
from rich.console import Console
from rich.text import Text

from krkn_grpc.cli import completion, display, failures, lookup, sources
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.v1.runs_pb2 import (
    StreamRunLogsAsTextRequest,
    StreamRunLogsRequest,
    StreamRunLogsResponse,
)
from krkn_grpc.v1.scenario_runs_pb2 import StreamLogsRequest

M = TypeVar("M")
# Colours and movements of the cursor, as krkn writes them.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "red")

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Keep printing until the end.")]
Tail = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=0, max=sources.LARGEST, help="Only the last N lines of each log."
    ),
]
Failed = Annotated[bool, typer.Option("--failed", help="Only of jobs that failed.")]


def logs(
    context: typer.Context,
    job: Annotated[
        str,
        typer.Argument(
            metavar="JOB",
            help="The job: RUN/TARGET, its id or an end of it.",
            autocompletion=completion.job_names,
        ),
    ] = "",
    run: Annotated[
        str,
        typer.Option(
            metavar="RUN",
            help="All jobs of this run instead.",
            autocompletion=completion.run_names,
        ),
    ] = "",
    follow: Follow = False,
    tail: Tail = None,
    failed: Failed = False,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", help="Prefix each line with its time; of one job only.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Print the log of a job, or with --run those of a whole run."""
    client: Client = context.obj
    if bool(job) == bool(run):
        raise typer.BadParameter("name one job, RUN/TARGET, or a run with --run RUN")
    if run:
        if timestamps:
            raise typer.BadParameter("--timestamps is for the log of one job")
        print_run_logs(client, run, follow=follow, tail=tail, failed=failed, output=output)
        return
    if failed or not output.is_for_people:
        raise typer.BadParameter("--failed and --output are for the logs of a run: --run RUN")
    request = StreamLogsRequest(
        job_id=lookup.job_id(client, job), follow=follow, tail_lines=tail, timestamps=timestamps
    )
    print_chunks(client, lambda: client.stream(client.runs.StreamLogs, request, _tell_kept))


def print_run_logs(
    client: Client, run: str, *, follow: bool, tail: int | None, failed: bool, output: Format
) -> None:
    """Print the logs of a run's jobs: on a terminal each target in its colour, else as they are."""
    run_id = lookup.run_id(client, run)
    if output.is_for_people and not sys.stdout.isatty():
        request = StreamRunLogsAsTextRequest(
            run_id=run_id, follow=follow, tail_lines=tail, only_failed=failed
        )
        print_chunks(client, lambda: client.stream(client.runs.StreamRunLogsAsText, request))
        return
    wanted = StreamRunLogsRequest(run_id=run_id, follow=follow, tail_lines=tail, only_failed=failed)
    first, rest = _opened(client, lambda: client.stream(client.runs.StreamRunLogs, wanted))
    printer = _Terminal() if output.is_for_people else _print_as_json
    if first is not None:
        printer(first)
    for line in rest:
        printer(line)


def print_chunks(client: Client, call: Callable[[], Iterator[HttpBody]]) -> None:
    """Print the content of a stream, unchanged."""
    first, rest = _opened(client, call)
    if first is not None:
        _write(first.data)
    for chunk in rest:
        _write(chunk.data)


def _opened(client: Client, call: Callable[[], Iterator[M]]) -> tuple[M | None, Iterator[M]]:
    """Return the first message and the stream of the rest; a retry here prints nothing twice."""

    def opened() -> tuple[M | None, Iterator[M]]:
        messages = call()
        return next(messages, None), messages

    return client.repeated(failures.left_unanswered, opened)


def _tell_kept(source: str) -> None:
    typer.echo(f"{_kept(source)}.", err=True)


def _kept(source: str) -> str:
    left = ", and only its end" if "truncated" in source else ""
    return f"The pod is gone: this is the log that was kept{left}"


def _print_as_json(line: StreamRunLogsResponse) -> None:
    display.print_json(display.as_json(line), is_line=True)


class _Terminal:
    """Prints lines after the names of their targets, each target in its colour."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._told: set[str] = set()

    def __call__(self, line: StreamRunLogsResponse) -> None:
        # The same colour in each call.
        colour = _COLOURS[zlib.crc32(line.cluster_name.encode()) % len(_COLOURS)]
        name = display.printable(line.cluster_name)
        if line.source and line.job_id not in self._told:
            self._told.add(line.job_id)
            said = display.printable(line.note) or _kept(line.source)
            self._console.print(Text.assemble((f"# {name}: ", colour), (said, "dim")))
        if not line.note:
            text = display.printable(_ESCAPES.sub("", line.line))
            self._console.print(Text.assemble((f"[{name}] ", colour), text))


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
