"""`make bench`: measures all groups, or those that are named, and shows what came of it."""

import argparse
import asyncio
import importlib
from pathlib import Path

from tests.bench import growth, report
from tests.bench.bench import running
from tests.bench.groups import GROUPS, MORE
from tests.bench.row import Row

_FOLDER = Path("build/bench")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "groups", nargs="*", choices=[*GROUPS, *MORE, []], default=[], metavar="GROUP"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--most", type=int, default=1000, help="over how many targets at most")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where JSON and chart go")
    options = parser.parse_args()
    groups = options.groups or list(GROUPS)
    rows = asyncio.run(_measure(groups, options.rounds, options.most))
    report.show(rows, options.folder)


async def _measure(groups: list[str], rounds: int, most: int) -> list[Row]:
    rows: list[Row] = []
    async with running(rounds=rounds, most=most) as bench:
        for name in groups:
            bench.progress.note(f"measuring {name}")
            group = importlib.import_module(f"tests.bench.groups.{name}")
            rows += await group.measure(bench)
    return [*rows, *growth.of(rows)]


if __name__ == "__main__":
    main()
