"""What server and controller have in memory, and how soon they serve, with so many jobs."""

from statistics import median

from deploy.local.services import CONTROLLER, SERVER
from tests.bench.bench import Bench
from tests.bench.row import Goal, Row
from tests.bench.scale.processes import at_rest, memory, start_time

GROUP = "memory"
_GOAL = Goal(150, "at most")
_GOAL_AT = 10_000
_STARTS = 3


async def measure(bench: Bench, count: int) -> list[Row]:
    """Start both anew, so that what they have is of these jobs and of nothing before."""
    rows: list[Row] = []
    for name in (SERVER, CONTROLLER):
        times = [await start_time(bench, name) for _ in range(_STARTS)]
        await at_rest(bench, name)
        now, most = memory(bench.services.child(name).pid)
        rows += [
            Row(
                group=GROUP,
                name=f"{count:,} jobs: {name}",
                value=now,
                unit="MiB",
                goal=_GOAL if count == _GOAL_AT else None,
                note=f"at most {most:.0f} MiB since its start",
                series=name,
                count=count,
            ),
            Row(
                group=GROUP,
                name=f"{count:,} jobs: {name} starts in",
                value=1000 * median(times),
                unit="ms",
                rounds=[1000 * seconds for seconds in times],
                series=f"start of {name}",
                count=count,
            ),
        ]
    return rows
