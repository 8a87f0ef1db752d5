"""Runs a scenario on many targets at once, follows them to the end, and prints a table.

    python -m examples.run_on_many SCENARIO IMAGE TARGET_UUID ...
    python -m examples.run_on_many SCENARIO IMAGE --all

With --all it runs on every registered target. Exits with 1 if a target was refused or its
scenario did not succeed. KRKN_SERVER is the address of the service (default 127.0.0.1:8080),
KRKN_TOKEN the caller's token. This one is written with asyncio: it prints the lines of all logs
while it waits.
"""

import asyncio
import sys

from krkn_grpc.client import Krkn, KrknError, NothingStarted, Run


async def print_logs(run: Run) -> None:
    """Print the lines of all jobs as they come."""
    async for line in run.logs():
        print(f"[{line.cluster_name}] {line.text}", file=sys.stderr)


async def run_on_many(scenario: str, image: str, wanted: list[str]) -> bool:
    """Run the scenario, show its logs, print a table; return whether all succeeded."""
    async with Krkn() as krkn:
        # No targets are not all of them: a list that a script fills may be empty by mistake.
        targets = await krkn.targets.select() if wanted == ["--all"] else wanted
        run = await krkn.run(scenario, targets, image=image)
        async with asyncio.TaskGroup() as tasks:
            outcome = tasks.create_task(run.wait())
            tasks.create_task(print_logs(run))
    print(outcome.result().table())
    return outcome.result().succeeded


def main() -> None:
    """Run with the arguments of the command line."""
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    _, scenario, image, *wanted = sys.argv
    try:
        is_all_well = asyncio.run(run_on_many(scenario, image, wanted))
    except* NothingStarted as nothing:
        sys.exit("; ".join(map(str, nothing.exceptions)))
    except* KrknError as failed:
        sys.exit(f"The call failed: {failed.exceptions[0]}")
    sys.exit(0 if is_all_well else 1)


if __name__ == "__main__":
    main()
