"""What is printed: tables for people, JSON for programs (the same as REST prints)."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table
from rich.text import Text

from krkn_grpc.cli.watch import Change
from krkn_grpc.v1.scenario_runs_pb2 import Job, RunScenarioResponse
from krkn_grpc.v1.targets_pb2 import Target

JsonObject: TypeAlias = dict[str, object]

# Wide enough for any row: what goes into a pipe is never cut or folded.
_ENDLESS = 10_000
_STYLES = {
    "Succeeded": "green",
    "Failed": "red",
    "Deleted": "red",
    "Unknown": "red",
    "Running": "cyan",
    "Stopping": "yellow",
    "Stopped": "yellow",
}


class Format(StrEnum):
    """How a reply is printed."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", "-o", help="How the reply is printed.")]


def as_json(message: Message) -> JsonObject:
    """Return what REST prints: zero values too, but not what is left out."""
    read: JsonObject = MessageToDict(message, always_print_fields_with_no_presence=True)
    return read


def print_json(value: JsonObject, *, is_line: bool = False) -> None:
    """Print JSON; `is_line`: as one line, at once."""
    text = json.dumps(value, indent=None if is_line else 2, ensure_ascii=False)
    print(text, flush=is_line)  # noqa: T201  # this is what it prints


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their columns."""
    is_terminal = sys.stdout.isatty()
    table = Table(*columns, box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in table.columns:
        column.overflow, column.no_wrap = "fold", not is_terminal
    for row in rows:
        table.add_row(*map(cell, row))
    Console(width=None if is_terminal else _ENDLESS).print(table)


def cell(text: str) -> Text:
    """Return a text as it is: no markup, and nothing that a terminal would obey."""
    shown = "".join(each if each.isprintable() else " " for each in text)
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


def print_jobs(jobs: Iterable[Job], names: Mapping[str, str]) -> None:
    """Print jobs as a table; `names` are those of the targets that are known, by uuid."""
    columns = ("JOB", "TARGET", "SCENARIO", "STATUS", "EXIT", "REASON", "CREATED", "MESSAGE")
    print_table(
        columns,
        (
            (
                job.job_id,
                names.get(job.target_uuid, job.target_uuid),
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


def print_run(reply: RunScenarioResponse, names: Mapping[str, str]) -> None:
    """Print what became of a run on each target."""
    print_table(
        ("TARGET", "JOB", "STATUS", "ERROR"),
        (
            (names.get(each.target_uuid, each.target_uuid), each.job_id, each.status, each.error)
            for each in reply.jobs
        ),
    )


def print_one(message: Message, output: Format) -> None:
    """Print one thing: as a table, a field a line; what is empty is left out."""
    if output is Format.JSON:
        print_json(as_json(message))
        return
    for name, value in as_json(message).items():
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
        if value not in ("", {}):
            print_line(f"{name}:", text)


def print_change(change: Change, names: Mapping[str, str]) -> None:
    """Print one change of a watch as a line."""
    job = change.job or Job()
    target = names.get(job.target_uuid, job.target_uuid)
    what = [job.reason, f"exit code {job.exit_code}" if job.HasField("exit_code") else ""]
    print_line(f"{change.kind:9}{job.job_id:37}{job.status:10}", target, job.scenario_name, *what)


def print_line(*words: str) -> None:
    """Print words as they are, at once."""
    print(cell(" ".join(word for word in words if word)).plain, flush=True)  # noqa: T201
