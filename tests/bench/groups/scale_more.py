"""The same as `scale`, up to 50,000 jobs; that takes five to fifteen minutes."""

from tests.bench.bench import Bench
from tests.bench.groups import scale
from tests.bench.row import Row


async def measure(bench: Bench) -> list[Row]:
    """Measure at each number of jobs, on the way up."""
    return await scale.measure_at(bench, (*scale.SIZES, 50_000))
