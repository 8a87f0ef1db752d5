"""Waiting for the end of jobs without taking part in what is measured."""

import asyncio

from krkn_grpc.resources.chaos_job import FINAL_PHASES
from tests.bench.bench import Bench
from tests.support.custom_objects import JOBS, collection

_SECONDS = 600.0
# Seldom: a list of all jobs costs the API server as much as some of their writes.
_PAUSE_SECONDS = 2.0


async def until_ended(bench: Bench, job_ids: list[str]) -> None:
    """Return when all these jobs have a final status, and nothing more is done about them."""
    waiting = set(job_ids)
    async with asyncio.timeout(_SECONDS):
        while waiting:
            await asyncio.sleep(_PAUSE_SECONDS)
            listed = await bench.cluster.request("GET", collection(JOBS, bench.namespace))
            waiting -= {
                job["metadata"]["name"]
                for job in listed["items"]
                if job.get("status", {}).get("phase") in FINAL_PHASES
            }
    await bench.quiet()
