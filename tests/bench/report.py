"""What was measured, for people and for programs: a table, JSON and a chart."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from tests.bench import chart
from tests.bench.row import Row

_WIDTH = 150


def table(rows: Sequence[Row]) -> Table:
    """Return the one table of all figures."""
    made = Table(title="krkn-grpc against a bare loop that makes the same writes")
    for heading in ("group", "figure"):
        made.add_column(heading)
    for heading in ("value", "bare loop", "ratio", "goal"):
        made.add_column(heading, justify="right")
    made.add_column("note")
    for index, row in enumerate(rows):
        last = index + 1 == len(rows) or rows[index + 1].group != row.group
        made.add_row(
            row.group,
            row.name,
            _amount(row.value, row.unit),
            "" if row.bare is None else _amount(row.bare, row.unit),
            "" if row.ratio is None else f"{row.ratio:.2f}",
            _goal(row),
            row.note,
            end_section=last,
        )
    return made


def show(rows: Sequence[Row], folder: Path) -> None:
    """Print the table, and write bench.json and bench.svg into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_bytes(msgspec.json.format(msgspec.json.encode(rows)))
    (folder / "bench.svg").write_text(chart.svg(rows))
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(table(rows))
    console.print(f"also in {folder}: bench.json, bench.svg")


def _amount(value: float, unit: str) -> str:
    text = f"{value:.0f}" if value >= 100 else f"{value:.3g}"
    return f"{text} {unit}"


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    return f"{row.goal} {'[green]met[/]' if row.is_met else '[red]missed[/]'}"
