"""How cost grows with the jobs there are: 0, 1,000 and 10,000 of them, all finished."""

from collections.abc import Sequence

from deploy.local.services import CONTROLLER
from tests.bench.bench import Bench
from tests.bench.clearing import clear
from tests.bench.row import Row
from tests.bench.scale import memory, reads, watching
from tests.bench.scale.filling import Filling

SIZES = (0, 1_000, 10_000)
_READ_AT = 1_000
_WATCHED_AT = 10_000


async def measure(bench: Bench) -> list[Row]:
    """Measure at each number of jobs, on the way up."""
    return await measure_at(bench, SIZES)


async def measure_at(bench: Bench, sizes: Sequence[int]) -> list[Row]:
    """Measure at these numbers of jobs."""
    rows: list[Row] = []
    filling = await Filling.begin(bench)
    await clear(bench)
    filling.jobs.clear()
    for size in sizes:
        bench.progress.note(f"writing {size:,} finished jobs")
        await filling.up_to(size)
        rows += await memory.measure(bench, size)
        if size >= _READ_AT:
            rows += await reads.measure(bench, filling)
        if size == _WATCHED_AT:
            await bench.services.child(CONTROLLER).stop()
            rows += await watching.measure(bench, filling)
            bench.services.start_again(CONTROLLER)
            await bench.services.ready()
    return rows
