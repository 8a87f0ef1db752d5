"""Finished jobs by the ten thousand, as the service itself leaves them.

One job is run to its end; all others are copies of it and of its pod, with ids of their own. The
controller must not run meanwhile: it would start what is not finished yet.
"""

import json
import uuid
from dataclasses import dataclass
from typing import Any, Self

from krkn_grpc.resources import names
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bare import each
from tests.bench.bench import Bench
from tests.support.custom_objects import JOBS, Manifest, collection
from tests.support.requests import a_run
from tests.support.waiting import eventually

TARGETS = 1_000
"""The jobs are spread over so many targets, none of which is registered any more."""
# Kubernetes itself deletes the oldest finished pods beyond these.
_MOST_PODS = 12_500
_AT_ONCE = 64
_GIVEN = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")


def target(number: int) -> str:
    """Return the uuid of the target that every thousandth job ran on."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"bench-{number % TARGETS}"))


@dataclass
class Filling:
    """So many finished jobs so far, and the one that they are copies of."""

    bench: Bench
    job: Manifest
    pod: Manifest
    jobs: list[str]

    @classmethod
    async def begin(cls, bench: Bench) -> Self:
        """Run one job through the service."""
        targets = await bench.targets.first(1)
        body = a_run(*targets)
        request = pb.RunScenarioRequest(
            target_uuids=targets,
            scenario_image=body["scenarioImage"],
            scenario_name=body["scenarioName"],
            environment={"NAMESPACE": "shop", "POD_LABEL": "app=web", "DISRUPTION_COUNT": "1"},
            request_id=str(uuid.uuid4()),
        )
        reply = await ScenarioRunServiceStub(bench.channel).RunScenario(request)
        job_id = reply.jobs[0].job_id
        path = f"{collection(JOBS, bench.namespace)}/{job_id}"
        job = await eventually(
            lambda: bench.cluster.request("GET", path),
            lambda seen: seen.get("status", {}).get("phase") == "Succeeded",
        )
        path = f"{_pods(bench)}/{names.pod_for(job_id)}"
        pod = await eventually(
            lambda: bench.cluster.request("GET", path),
            lambda seen: not seen["metadata"].get("finalizers"),
        )
        return cls(bench, job, pod, [job_id])

    async def up_to(self, count: int) -> None:
        """Write finished jobs until there are so many."""
        await each(range(len(self.jobs), count), self._write, _AT_ONCE)

    async def pending(self, scenario: str, number: int) -> Manifest:
        """Write a job that has not been started, and return it."""
        job = self._copy(self.job, str(uuid.uuid4()), number)
        job["spec"]["scenarioName"] = scenario
        return await self._create(collection(JOBS, self.bench.namespace), job)

    async def _write(self, number: int) -> None:
        job_id = str(uuid.uuid4())
        job = self._copy(self.job, job_id, number)
        made = await self._create(collection(JOBS, self.bench.namespace), job)
        await self._finish(collection(JOBS, self.bench.namespace), made, job["status"])
        if number < _MOST_PODS:
            pod = self._copy(self.pod, job_id, number)
            pod["metadata"]["ownerReferences"][0]["uid"] = made["metadata"]["uid"]
            # No scheduler takes it, so that nobody plays it again.
            pod["spec"] |= {"nodeName": "", "schedulerName": "nobody"}
            await self._finish(
                _pods(self.bench), await self._create(_pods(self.bench), pod), pod["status"]
            )
        self.jobs.append(job_id)

    def _copy(self, manifest: Manifest, job_id: str, number: int) -> Manifest:
        text = json.dumps(manifest)
        spec = self.job["spec"]
        text = text.replace(self.job["metadata"]["name"], job_id)
        text = text.replace(spec["targetUUID"], target(number))
        for unique in (spec["requestId"], self.job["status"]["podUID"]):
            text = text.replace(unique, str(uuid.uuid4()))
        copy: Manifest = json.loads(text)
        for field in _GIVEN:
            copy["metadata"].pop(field, None)
        return copy

    async def _create(self, path: str, manifest: Manifest) -> Manifest:
        return await self.bench.cluster.request("POST", path, manifest)

    async def _finish(self, path: str, made: Manifest, status: Any) -> None:
        path = f"{path}/{made['metadata']['name']}/status"
        await self.bench.cluster.request("PUT", path, made | {"status": status})


def _pods(bench: Bench) -> str:
    return f"/api/v1/namespaces/{bench.namespace}/pods"
