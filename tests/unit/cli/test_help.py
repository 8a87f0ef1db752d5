"""The help that the command prints, on a terminal of 80 columns."""

from collections.abc import Iterator
from typing import Any

import typer

from krkn_grpc.cli.app import app

COLUMNS = 78
"""Those of a terminal of 80 that help is written into."""
BESIDE = 6
"""Before the names of commands, and between them and what they do."""


def listed(group: Any, path: str = "krkn-grpc") -> Iterator[tuple[str, str]]:
    """Give each command that a list has, and what the list says of it."""
    room = COLUMNS - BESIDE - max(map(len, group.commands))
    for name, command in group.commands.items():
        yield f"{path} {name}", command.get_short_help_str(room)
        if hasattr(command, "commands"):
            yield from listed(command, f"{path} {name}")


def test_no_list_of_commands_cuts_what_they_do() -> None:
    lines = dict(listed(typer.main.get_command(app)))
    assert "krkn-grpc targets add" in lines
    assert [command for command, text in lines.items() if not text or text.endswith("...")] == []
