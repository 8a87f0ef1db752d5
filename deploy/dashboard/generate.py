"""Writes the dashboard as Grafana reads it, into the component that installs it.

python -m deploy.dashboard.generate            writes it
python -m deploy.dashboard.generate --check    writes nothing; fails when it is not fresh
"""

import json
import sys
from collections.abc import Collection
from typing import Any

from deploy.dashboard.grafana import dashboard
from deploy.dashboard.rows import ROWS
from deploy.local.services import REPOSITORY

FILE = REPOSITORY / "deploy" / "components" / "monitoring" / "krkn-grpc.json"


def text() -> str:
    """Return the content of the file: JSON with a line for each panel."""
    return f"{_lines(dashboard(ROWS))}\n"


def _lines(value: Any) -> str:
    """Break lines in what has panels, and nowhere else."""
    if isinstance(value, list) and any("gridPos" in each for each in value):
        return "[\n" + ",\n".join(map(_lines, value)) + "\n]"
    if isinstance(value, dict) and value.get("panels"):
        return "{" + ",\n".join(f'"{key}": {_lines(each)}' for key, each in value.items()) + "}"
    return json.dumps(value)


def main(arguments: Collection[str]) -> int:
    """Write the file, or with --check compare; the exit code says whether all is well."""
    if "--check" not in arguments:
        FILE.write_text(text())
        return 0
    if FILE.exists() and FILE.read_text() == text():
        return 0
    sys.stderr.write(f"{FILE.relative_to(REPOSITORY)} is not fresh: run make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
