"""Finished jobs by the ten thousand, as the service itself leaves them, ten of them in each run.

One run goes to its end; all others are copies of it, of one of its jobs and of that job's pod, with
ids of their own.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from krkn_grpc.resources import names
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bench import Bench
from tests.bench.scale import stored as etcd
from tests.bench.scale.stored import stored
from tests.support.custom_objects import JOBS, RUNS, Manifest, collection
from tests.support.requests import a_run
from tests.support.waiting import eventually

TARGETS = 1_000
"""The jobs are spread over so many targets, none of which is registered any more."""
_JOBS_OF_A_RUN = 10
# Kubernetes itself deletes the oldest finished pods beyond these.
_MOST_PODS = 12_500
_A_SECOND = 100
_MOST = 100_000
_GIVEN = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")


def target(number: int) -> str:
    """Return the uuid of the target that every thousandth job ran on."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"bench-{number % TARGETS}"))


@dataclass
class Filling:
    """So many finished jobs so far, and the one that they are copies of."""

    bench: Bench
    run: Manifest
    job: Manifest
    pod_uid: str
    run_value: bytes
    job_value: bytes
    pod_value: bytes
    jobs: list[str] = field(default_factory=list)
    # What the jobs of the latest copy of the run have in the place of the run's own ids.
    _of_run: dict[str, str] = field(default_factory=dict)
    _next: list[str] = field(default_factory=list)

    @classmethod
    async def begin(cls, bench: Bench) -> Self:
        """Let the service run ten jobs to their end."""
        targets = await bench.targets.first(_JOBS_OF_A_RUN)
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
        run_path = f"{collection(RUNS, bench.namespace)}/{reply.run_id}"
        run = await eventually(
            lambda: bench.cluster.request("GET", run_path),
            lambda seen: seen.get("status", {}).get("phase") == "Succeeded",
        )
        path = f"{collection(JOBS, bench.namespace)}/{job_id}"
        job = await bench.cluster.request("GET", path)
        pod_name = names.pod_for(job_id)
        pod = await eventually(
            lambda: bench.cluster.request(
                "GET", f"/api/v1/namespaces/{bench.namespace}/pods/{pod_name}"
            ),
            lambda seen: not seen["metadata"].get("finalizers"),
        )
        async with stored(bench) as store:
            return cls(
                bench,
                run,
                job,
                pod["metadata"]["uid"],
                await store.get(f"{etcd.RUNS}/{bench.namespace}/{reply.run_id}"),
                await store.get(f"{etcd.JOBS}/{bench.namespace}/{job_id}"),
                await store.get(f"{etcd.PODS}/{bench.namespace}/{pod_name}"),
            )

    async def up_to(self, count: int) -> None:
        """Let there be so many finished jobs."""
        async with stored(self.bench) as store:
            await store.put(
                pair for number in range(len(self.jobs), count) for pair in self._copies(number)
            )

    async def pending(self, scenario: str, number: int) -> Manifest:
        """Write a job that has not been started, and return it."""
        text = json.dumps(self.job).replace(self.job["metadata"]["name"], str(uuid.uuid4()))
        job: Manifest = json.loads(text.replace(self.job["spec"]["targetUUID"], target(number)))
        job["spec"]["scenarioName"] = scenario
        for given in _GIVEN:
            job["metadata"].pop(given, None)
        return await self.bench.cluster.request("POST", collection(JOBS, self.bench.namespace), job)

    def _copies(self, number: int) -> Iterator[tuple[str, bytes]]:
        """Return keys and values of one more job and of its pod; before some of them, of a run."""
        if number % _JOBS_OF_A_RUN == 0:
            yield self._copied_run(number)
        job_id, metadata, spec = self._next.pop(0), self.job["metadata"], self.job["spec"]
        others = self._of_run | {metadata["name"]: job_id, spec["targetUUID"]: target(number)}
        for unique in (metadata["uid"], self.pod_uid):
            others[unique] = str(uuid.uuid4())
        # As if so many had been asked for in a second, and the last one just now.
        created = datetime.fromisoformat(metadata["creationTimestamp"])
        created -= timedelta(seconds=(_MOST - number) // _A_SECOND)
        at = f'"creationTimestamp":"{metadata["creationTimestamp"]}"'
        changed = f'"creationTimestamp":"{created.strftime("%Y-%m-%dT%H:%M:%SZ")}"'
        value = _with(self.job_value, others | {at: changed})
        yield f"{etcd.JOBS}/{self.bench.namespace}/{job_id}", value
        if number < _MOST_PODS:
            key = f"{etcd.PODS}/{self.bench.namespace}/{names.pod_for(job_id)}"
            yield key, _with(self.pod_value, others)
        self.jobs.append(job_id)

    def _copied_run(self, number: int) -> tuple[str, bytes]:
        """Return key and value of one more run, whose jobs are the next ones."""
        metadata, spec = self.run["metadata"], self.run["spec"]
        of_run = (metadata["name"], metadata["uid"], spec["requestId"])
        self._of_run = {unique: str(uuid.uuid4()) for unique in of_run}
        self._next = [str(uuid.uuid4()) for _ in spec["targets"]]
        listed = {
            each["targetUUID"]: target(number + place) for place, each in enumerate(spec["targets"])
        }
        jobs = {each["jobId"]: job for each, job in zip(spec["targets"], self._next, strict=True)}
        key = f"{etcd.RUNS}/{self.bench.namespace}/{self._of_run[metadata['name']]}"
        return key, _with(self.run_value, self._of_run | listed | jobs)


def _with(value: bytes, others: dict[str, str]) -> bytes:
    for old, new in others.items():
        assert len(old) == len(new), "the encoding says how long each text is"
        value = value.replace(old.encode(), new.encode())
    return value
