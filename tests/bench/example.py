"""A job as the server writes one, to be written again by the bare loops under other names."""

import uuid
from dataclasses import dataclass
from typing import Any

import msgspec

from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bench import Bench
from tests.support.custom_objects import JOBS, Manifest, collection
from tests.support.requests import a_run

_WRITTEN = ("labels", "annotations", "finalizers")
IMAGE = "registry.example/krkn-hub:never-ends"
"""A scenario that lasts: none ends while others still start, as is so with real ones."""
SHORT_IMAGE = a_run()["scenarioImage"]
"""A scenario that ends by itself after a second, and well."""


def request(targets: list[str], image: str = IMAGE) -> pb.RunScenarioRequest:
    """Return the request for a run on these targets."""
    return pb.RunScenarioRequest(
        target_uuids=targets, scenario_image=image, scenario_name=a_run()["scenarioName"]
    )


@dataclass(frozen=True)
class Example:
    """What the server sent to the API server for one job."""

    manifest: Manifest

    @classmethod
    async def ask_for(cls, bench: Bench, target: str) -> "Example":
        """Let the server write a job, and take off what the API server added to it."""
        service: Any = ScenarioRunServiceStub(bench.channel)
        reply = await service.RunScenario(request([target]), metadata=bench.metadata)
        path = f"{collection(JOBS, bench.namespace)}/{reply.jobs[0].job_id}"
        stored = await bench.cluster.request("GET", path)
        metadata = stored["metadata"]
        return cls(
            {
                "apiVersion": stored["apiVersion"],
                "kind": stored["kind"],
                "metadata": {key: metadata[key] for key in _WRITTEN if key in metadata},
                "spec": stored["spec"],
            }
        )

    def copy(self, name: str = "") -> bytes:
        """Return the body of another job like it."""
        name = name or str(uuid.uuid4())
        return msgspec.json.encode(
            {
                **self.manifest,
                "metadata": {**self.manifest["metadata"], "name": name},
                "spec": {**self.manifest["spec"], "jobId": name},
            }
        )
