"""docs/logs.md has every line that server and controller write from level info on."""

import ast
from collections.abc import Iterator
from pathlib import Path

from deploy.local.services import REPOSITORY

PAGE = (REPOSITORY / "docs" / "logs.md").read_text()
LEVELS = {"info", "warning", "error", "critical"}
LOGGERS = {"_log", "_audit"}


def texts(source: str) -> Iterator[str]:
    """The texts of the calls that log, an ellipsis for what is put into them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            is_fixed = isinstance(of, ast.Name) and of.id in LOGGERS
            is_fresh = isinstance(of, ast.Call) and ast.unparse(of.func) == "structlog.get_logger"
            if node.func.attr in LEVELS and (is_fixed or is_fresh):
                yield text(node.args[0])


def text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
        )
    assert isinstance(node, ast.Constant), ast.unparse(node)
    return str(node.value)


def files() -> Iterator[Path]:
    for package in ("krkn_grpc", "controller"):
        yield from (REPOSITORY / package).rglob("*.py")


def test_every_line_is_on_the_page() -> None:
    written = {found for file in files() for found in texts(file.read_text())}
    assert len(written) > 50
    assert sorted(found for found in written if f"`{found}`" not in PAGE) == []


def test_what_is_on_the_page_is_written() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    of_lines = PAGE.partition("## All lines")[2].partition("\n## ")[0]
    sources = "".join(file.read_text() for file in files())
    listed = [name.strip(" `…") for row in rows if row in of_lines for name in row.split("`, `")]
    assert len(listed) > 50
    assert [name for name in listed if name not in sources] == []
