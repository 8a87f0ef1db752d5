"""A job of a run of its own."""

from typing import Any

from tests.integration.runs.conftest import Site
from tests.support.requests import IMAGE


async def a_job(site: Site, behaviour: str = "lasts-1s", **changes: Any) -> str:
    """Start a job of its own target."""
    [target] = await site.some_targets(1)
    [job_id] = await site.runs.run(target, scenarioImage=f"{IMAGE}-{behaviour}", **changes)
    return job_id
