"""Output: tables for people, JSON for programs (the same JSON as REST)."""

import io
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, TypeAlias

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table
from rich.text import Text

from krkn_grpc.cli.watch import Change
from krkn_grpc.v1.runs_pb2 import Run
from krkn_grpc.v1.scenario_runs_pb2 import Job, RunScenarioResponse
from krkn_grpc.v1.target_requests_pb2 import Cluster
from krkn_grpc.v1.targets_pb2 import Target

JsonObject: TypeAlias = dict[str, object]

# Wide enough for any row: output into a pipe is never cut or folded.
_ENDLESS = 10_000
# Control characters, two more line separators, and characters that change text direction.
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_NO_NAMES: Mapping[str, str] = MappingProxyType({})
_STYLES = {
    "Succeeded": "green",
    "Failed": "red",
    "Deleted": "red",
    "Unknown": "red",
    "Running": "cyan",
    "Stopping": "yellow",
    "Stopped": "yellow",
    "PartiallyFailed": "red",
    "Refused": "red",
}


class Format(StrEnum):
    """The output format of a reply."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", "-o", help="Output format.")]


def as_json(message: Message) -> JsonObject:
    """Return the JSON that REST returns: with zero values, without absent optional fields."""
    read: JsonObject = MessageToDict(message, always_print_fields_with_no_presence=True)
    return read


def replace_what_cannot_be_printed() -> None:
    """Make standard output and error print `?` for characters that they cannot encode.

    A pipe on Windows, or a plain container, can encode only a few hundred.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def print_json(value: JsonObject, *, is_line: bool = False) -> None:
    """Print JSON; with `is_line` as one line, flushed. The encoding changes no value."""
    indent = None if is_line else 2
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeError:
        text = json.dumps(value, indent=indent)
    print(text, flush=is_line)  # noqa: T201  # this is what it prints


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    wrapped: Sequence[str] = (),
    space: int = 3,
) -> None:
    """Print rows under their columns; on a terminal only those `wrapped` have lines, if any.

    There are `space` blanks between two columns.
    """
    is_terminal = sys.stdout.isatty()
    table = Table(*columns, box=None, pad_edge=False, padding=(0, space, 0, 0), header_style="bold")
    for column in table.columns:
        is_whole = not is_terminal or (bool(wrapped) and column.header not in wrapped)
        column.overflow, column.no_wrap = "fold", is_whole
    for row in rows:
        table.add_row(*map(cell, row))
    Console(width=None if is_terminal else _ENDLESS).print(table)


def cell(text: str) -> Text:
    """Return a text without markup; control characters become spaces."""
    shown = _NOT_SHOWN.sub(" ", text)
    return Text(shown, style=_STYLES.get(shown, ""))


def print_targets(targets: Iterable[Target]) -> None:
    """Print targets as a table."""
    columns = ("UUID", "NAME", "API URL", "CREDENTIAL", "READY", "REASON", "CREATED")
    print_table(
        columns,
        (
            (
                target.uuid,
                target.cluster_name,
                target.cluster_api_url,
                target.secret_type,
                "yes" if target.ready else "no",
                target.reason,
                target.created_at,
            )
            for target in targets
        ),
    )


def print_clusters(clusters: Iterable[Cluster]) -> None:
    """Print the clusters of all providers as a table."""
    print_table(
        ("PROVIDER", "CLUSTER", "API URL", "TARGET"),
        (
            (each.provider, each.cluster_name, each.cluster_api_url, each.target_uuid)
            for each in clusters
        ),
    )


def print_jobs(jobs: Iterable[Job], names: Mapping[str, str] = _NO_NAMES) -> None:
    """Print jobs as a table; `names` are the caller's own names of targets, by uuid."""
    columns = ("JOB", "TARGET", "SCENARIO", "STATUS", "EXIT", "REASON", "CREATED", "MESSAGE")
    print_table(
        columns,
        (
            (
                job.job_id,
                names.get(job.target_uuid, target_of(job)),
                job.scenario_name,
                job.status,
                str(job.exit_code) if job.HasField("exit_code") else "",
                job.reason,
                job.created_at,
                job.message,
            )
            for job in jobs
        ),
    )


def print_runs(runs: Iterable[Run]) -> None:
    """Print runs as a table that fits into 80 columns."""
    now = datetime.now(UTC)
    print_table(
        ("RUN", "STATUS", "OK", "AGE", "SCENARIO"),
        (
            (
                run.run_id,
                run.status,
                f"{run.counts.succeeded}/{run.counts.total}",
                age(run.created_at, now),
                run.scenario_name,
            )
            for run in runs
        ),
        wrapped=("SCENARIO",),
        space=2,
    )


def print_outcomes(jobs: Iterable[Job]) -> None:
    """Print the jobs of one run as a table that fits into 80 columns."""
    rows = [(job.job_id, job.status, target_of(job), job.reason) for job in jobs]
    # A reason takes half of what the ids leave: so the column is there only if it says anything.
    count = 4 if any(row[-1] for row in rows) else 3
    print_table(
        ("JOB", "STATUS", "TARGET", "REASON")[:count],
        [row[:count] for row in rows],
        wrapped=("TARGET", "REASON"),
        space=2,
    )


def age(moment: str, now: datetime) -> str:
    """Return how long ago an RFC 3339 time was, in its largest unit: `5s`, `3m`, `2h`, `9d`."""
    if not moment:
        return ""
    seconds = max(0, int((now - datetime.fromisoformat(moment)).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def target_of(job: Job) -> str:
    """Return the name of the job's cluster when it was asked for, its target's uuid without one."""
    return job.cluster_name or job.target_uuid


def print_run(reply: RunScenarioResponse, names: Mapping[str, str]) -> None:
    """Print the result of a run, one row per target."""
    print_table(
        ("TARGET", "JOB", "STATUS", "ERROR"),
        (
            (names.get(each.target_uuid, each.target_uuid), each.job_id, each.status, each.error)
            for each in reply.jobs
        ),
    )


def print_one(message: Message, output: Format) -> None:
    """Print one message; as a table: one line per field, without empty fields."""
    if output is Format.JSON:
        print_json(as_json(message))
        return
    for name, value in as_json(message).items():
        text = (
            value
            if isinstance(value, str)
            else json.dumps(value, ensure_ascii=False, sort_keys=True)
        )
        if value not in ("", {}, []):
            print_line(f"{name}:", text)


def print_change(change: Change) -> None:
    """Print one change of a watch as a line."""
    job = change.job or Job()
    what = [job.reason, f"exit code {job.exit_code}" if job.HasField("exit_code") else ""]
    print_line(
        f"{change.kind:9}{job.job_id:37}{job.status:10}", target_of(job), job.scenario_name, *what
    )


def print_paragraph(text: str) -> None:
    """Print a text, on a terminal wrapped at its width."""
    Console(width=None if sys.stdout.isatty() else _ENDLESS).print(cell(text))


def print_line(*words: str) -> None:
    """Print the non-empty words on one line, flushed; control characters become spaces."""
    print(cell(" ".join(word for word in words if word)).plain, flush=True)  # noqa: T201
