"""Runs as the server writes them, with their jobs, for tests of the controller alone."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from krkn_grpc.resources.chaos_run import FINAL_RUN_PHASES
from krkn_grpc.resources.ids import new_id
from krkn_grpc.resources.meta import API_VERSION
from tests.support.custom_objects import MERGE, RUNS, Manifest, collection
from tests.support.jobs import Jobs
from tests.support.requests import IMAGE
from tests.support.waiting import SECONDS, eventually


@dataclass(frozen=True)
class ChaosRun:
    """A run in the namespace of `jobs`, and the ids of its jobs, in its order."""

    jobs: Jobs
    manifest: Manifest
    job_ids: list[str]

    @property
    def name(self) -> str:
        name: str = self.manifest["metadata"]["name"]
        return name

    @property
    def path(self) -> str:
        return f"{collection(RUNS, self.jobs.namespace)}/{self.name}"

    async def read(self) -> Manifest:
        return await self.jobs.cluster.request("GET", self.path)

    async def status(self) -> Manifest:
        status: Manifest = (await self.read())["status"]
        return status

    async def when(
        self, accept: Callable[[Manifest], object], *, seconds: float = SECONDS
    ) -> Manifest:
        """Return the run's status as soon as it is accepted."""
        return await eventually(self.status, accept, seconds=seconds)

    async def finished(self, *, seconds: float = SECONDS) -> Manifest:
        return await self.when(lambda status: status["phase"] in FINAL_RUN_PHASES, seconds=seconds)

    async def stop(self, reason: str = "StopRequested", message: str = "") -> None:
        stop = {"reason": reason, "message": message}
        await self.jobs.cluster.request("PATCH", self.path, {"spec": {"stop": stop}}, MERGE)

    async def delete(self) -> None:
        await self.jobs.cluster.request("DELETE", self.path)

    async def job(self, number: int, target: Manifest, behaviour: str = "", **spec: Any) -> str:
        """Make the job of this number."""
        metadata = self.manifest["metadata"]
        return await self.jobs.job(
            target,
            behaviour,
            jobId=self.job_ids[number],
            runId=metadata["name"],
            runUID=metadata["uid"],
            **spec,
        )


async def a_run(
    jobs: Jobs, targets: Sequence[Manifest], job_ids: list[str] | None = None, **spec: Any
) -> ChaosRun:
    """Make a run without its jobs."""
    name = str(uuid.uuid4())
    job_ids = job_ids or sorted(new_id() for _ in targets)
    made = await jobs.cluster.request(
        "POST",
        collection(RUNS, jobs.namespace),
        {
            "apiVersion": API_VERSION,
            "kind": "KrknChaosRun",
            "metadata": {"name": name},
            "spec": {
                "targets": [
                    {"targetUUID": target["metadata"]["name"], "jobId": job_id}
                    for target, job_id in zip(targets, job_ids, strict=True)
                ],
                "fingerprint": "a call",
                "scenarioName": "a scenario",
                "scenarioImage": IMAGE,
                **spec,
            },
        },
    )
    return ChaosRun(jobs, made, job_ids)


async def a_run_of(
    jobs: Jobs, target: Manifest, behaviours: Sequence[str], **spec: Any
) -> ChaosRun:
    """Make a run with a job for each behaviour, all on one target: it takes any number at once."""
    made = await a_run(jobs, [target] * len(behaviours), **spec)
    await asyncio.gather(
        *(made.job(number, target, behaviour) for number, behaviour in enumerate(behaviours))
    )
    return made
