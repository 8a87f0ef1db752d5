"""Reads the settings of a process at its start, or ends it with one line per wrong setting."""

import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

from pydantic import ValidationError

S = TypeVar("S")


def settings_or_exit(read: Callable[[], S], program: str) -> S:
    """Return the settings that `read` returns; end the process with status 1 if they are wrong."""
    try:
        return read()
    except ValidationError as error:
        lines = []
        for fault in error.errors(include_url=False, include_input=False):
            variable = "".join(f"{_variable(str(part))}: " for part in fault["loc"][:1])
            lines.append(f"{program}: {variable}{fault['msg'].removeprefix('Value error, ')}")
        sys.exit("\n".join(lines))


def cannot_listen(program: str, setting: str, address: str, why: str) -> NoReturn:
    """End the process with status 1 and one line, which names the setting of the port."""
    sys.exit(f"{program}: {setting}: cannot listen on {address}: {why}")


def _variable(field: str) -> str:
    # A setting that others share has their name.
    name = field.upper()
    return name if name.startswith("OTEL_") else f"KRKN_{name}"
