"""Output: tables for people, and JSON (the same as REST), YAML or names for programs."""

import io
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, TypeAlias

import typer
import yaml
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table
from rich.text import Text

from krkn_grpc.cli import columns, table, times
from krkn_grpc.cli.columns import Kind, M

JsonObject: TypeAlias = dict[str, object]

# Wide enough for any row: output into a pipe is never cut or folded.
_ENDLESS = 10_000
# Control characters, two more line separators, and characters that change text direction.
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
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
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    JSONL = "jsonl"
    NAME = "name"

    @property
    def is_for_people(self) -> bool:
        """Whether it is a table, and not for programs."""
        return self in (Format.TABLE, Format.WIDE)


Output = Annotated[
    Format,
    typer.Option(
        "--output",
        "-o",
        metavar="FORMAT",
        help="Output format: table, wide (nothing is cut), json, yaml, jsonl or name.",
    ),
]


def as_json(message: Message) -> JsonObject:
    """Return the JSON that REST returns: with zero values, without absent optional fields."""
    read: JsonObject = MessageToDict(message, always_print_fields_with_no_presence=True)
    return read


def replace_missing_streams() -> None:
    """Read and write nothing where this process was started without a standard stream.

    A run goes on then, as it does with its output thrown away, and its exit code tells the result.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # as long as the process


def replace_what_cannot_be_printed() -> None:
    """Make standard output and error print `?` for characters that they cannot encode.

    A pipe on Windows, or a plain container, can encode only a few hundred.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def show_list(kind: Kind[M], reply: Message, output: Format) -> None:
    """Print the things of a reply: as a table, as the reply, one per line, or their names."""
    things: Sequence[M] = getattr(reply, kind.plural)
    if output.is_for_people:
        print_things(kind, things, is_wide=output is Format.WIDE)
        if not things:
            typer.echo(kind.none, err=True)
        return
    print_for_programs(as_json(reply), map(as_json, things), map(kind.name, things), output)


def show_one(kind: Kind[M], thing: M, output: Format) -> None:
    """Print one thing; for people: one line per field, without empty fields."""
    if output.is_for_people:
        words = {name: text(thing) for name, text in kind.in_words.items() if thing.HasField(name)}
        describe(thing, words)
        return
    shown = as_json(thing)
    print_for_programs(shown, [shown], [kind.name(thing)], output)


def most(limit: int | None, usual: int, output: Format) -> int:
    """Return how many things to list, 0 for all: a table has the newest, programs get all."""
    return limit if limit is not None else usual if output.is_for_people else 0


def say_if_more(count: int, shown: int, limit: int | None) -> None:
    """Say that there are more than are shown, unless so many were asked for."""
    if limit is None and shown and count > shown:
        typer.echo(f"These are the {shown} newest; --limit 0 shows all.", err=True)


def print_for_programs(
    whole: JsonObject, items: Iterable[JsonObject], names: Iterable[str], output: Format
) -> None:
    """Print a reply as JSON or YAML, its items as a line each, or the items' names."""
    match output:
        case Format.YAML:
            text = yaml.safe_dump(whole, sort_keys=False, allow_unicode=_can_print_all())
            print(text, end="")  # noqa: T201  # this is what it prints
        case Format.JSONL:
            for item in items:
                print_json(item, is_line=True)
        case Format.NAME:
            for name in names:
                print_line(name)
        case _:
            print_json(whole)
    # A full disk is found out here, and not when Python ends.
    sys.stdout.flush()


def print_json(value: JsonObject, *, is_line: bool = False) -> None:
    """Print JSON; with `is_line` as one line, flushed. The encoding changes no value."""
    indent = None if is_line else 2
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeError:
        text = json.dumps(value, indent=indent)
    print(text, flush=is_line)  # noqa: T201  # this is what it prints


def print_things(kind: Kind[M], things: Iterable[M], *, is_wide: bool = False) -> None:
    """Print a table with one line per thing, on a terminal no wider than it is unless `is_wide`."""
    is_cut = sys.stdout.isatty() and not is_wide
    head, rows = columns.cells(kind, things, is_wide=is_wide, has_whole_ids=not is_cut)
    print_rows(head, rows, is_cut=is_cut)


def print_rows(
    head: Sequence[table.Column], rows: Sequence[Sequence[str]], *, is_cut: bool
) -> None:
    """Print a table with one line per row; `is_cut` to the width of the terminal."""
    if not rows:
        return
    width = terminal_width() if is_cut else None
    shown = [[printable(text) for text in row] for row in rows]
    fitted = table.fitted(head, shown, width)
    console = Console(width=_ENDLESS, highlight=False)
    gap = " " * table.GAP
    console.print(Text(_line_of(gap.join(fitted.head), width), style="bold"))
    for row in fitted.rows:
        line = Text(gap).join(Text(text, style=_STYLES.get(text.strip(), "")) for text in row)
        if width is not None:
            line.truncate(width)
        line.rstrip()
        console.print(line)


def print_wrapped(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, wrapped: Sequence[str]
) -> None:
    """Print a table of texts; on a terminal those of the columns `wrapped` have several lines."""
    is_terminal = sys.stdout.isatty()
    made = Table(*head, box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in made.columns:
        is_whole = not is_terminal or column.header not in wrapped
        column.overflow, column.no_wrap = "fold", is_whole
    for row in rows:
        made.add_row(*map(cell, row))
    Console(width=terminal_width() if is_terminal else _ENDLESS).print(made)


def is_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def terminal_width() -> int:
    """Return the width of the terminal in cells; 80 where it does not say."""
    return shutil.get_terminal_size((80, 24)).columns


def printable(text: str) -> str:
    """Return the text with control characters as spaces."""
    return _NOT_SHOWN.sub(" ", text)


def cell(text: str) -> Text:
    """Return a text without markup; control characters become spaces."""
    shown = printable(text)
    return Text(shown, style=_STYLES.get(shown, ""))


def describe(message: Message, in_words: Mapping[str, str] = MappingProxyType({})) -> None:
    """Print one line per field, without what is empty or 0; times also say how long ago they were.

    A number that can be left out is shown when it is 0: an exit code, say. `in_words` are texts for
    fields that have more than a line.
    """
    said = {
        name: in_words.get(name) or _in_words(value)
        for name, value in as_json(message).items()
        if value not in ("", {}, []) and not _is_zero(message, name, value)
    }
    widest = max(map(len, said), default=0) + 1
    for name, text in said.items():
        print_line(f"{name + ':':<{widest}} {text}")


def _is_zero(message: Message, name: str, value: object) -> bool:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    field = message.DESCRIPTOR.fields_by_camelcase_name.get(name)
    return is_number and value == 0 and field is not None and not field.has_presence


def _in_words(value: object) -> str:
    """Return a value as people write it: `a=b, c=d` for a map, `3 total, 2 failed` for counts."""
    match value:
        case bool():
            return "yes" if value else "no"
        case dict() if value and all(type(each) is int for each in value.values()):
            return ", ".join(f"{each} {key}" for key, each in value.items() if each)
        case dict():
            return ", ".join(f"{key}={_in_words(each)}" for key, each in sorted(value.items()))
        case list():
            return ", ".join(_in_words(each) for each in value)
        case str() if _TIME.fullmatch(value):
            return f"{value} ({times.age(value, datetime.now(UTC))} ago)"
        case _:
            return str(value)


def print_paragraph(text: str) -> None:
    """Print a text, on a terminal wrapped at its width."""
    Console(width=terminal_width() if sys.stdout.isatty() else _ENDLESS).print(cell(text))


def print_line(*words: str) -> None:
    """Print the non-empty words on one line, flushed; control characters become spaces."""
    print(cell(" ".join(word for word in words if word)).plain, flush=True)  # noqa: T201


def _line_of(text: str, width: int | None) -> str:
    return text if width is None else table.cut(text, width)


def _can_print_all() -> bool:
    return (sys.stdout.encoding or "utf-8").lower().replace("-", "") == "utf8"
