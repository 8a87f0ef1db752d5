"""Services with traces: what they run, and the spans that they send."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.trace_context import Traceparent
from tests.support.collector import Collector
from tests.support.custom_objects import JOBS, collection
from tests.support.rest import RUNS, Rest
from tests.support.running import Running


@dataclass(frozen=True)
class Traced:
    """Services that send their spans to a collector, and trust the traces of callers."""

    services: Running
    kept: Collector

    @property
    def rest(self) -> Rest:
        return Rest(self.services.rest)

    async def run(self, caller: Traceparent, body: object, **headers: str) -> str:
        """Run a scenario in the trace of a caller; return the jobId."""
        given = {"traceparent": str(caller), **headers}
        async with self.services.rest.post(RUNS, json=body, headers=given) as reply:
            assert reply.status == 201, await reply.text()
            [job] = (await reply.json())["jobs"]
            job_id: str = job["jobId"]
            return job_id

    async def job(self, job_id: str) -> ChaosJob:
        """Return the job as it is stored."""
        path = f"{collection(JOBS, self.services.namespace)}/{job_id}"
        stored = await self.services.cluster.request("GET", path)
        return msgspec.json.decode(json.dumps(stored), type=ChaosJob)

    async def pod(self, job_id: str) -> dict[str, Any]:
        """Return the job's pod."""
        path = f"/api/v1/namespaces/{self.services.namespace}/pods/krkn-job-{job_id}"
        pod: dict[str, Any] = await self.services.cluster.request("GET", path)
        return pod
