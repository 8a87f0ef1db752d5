"""What starting a job safely takes, and nothing else: five writes a job and no read.

The bodies are the product's own, made by its pure builders. Nothing is looked up, checked,
watched, repeated or told: what that costs is the difference between this loop and the product.
"""

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from controller.jobs import outcome
from controller.jobs import pod as pods
from controller.jobs.model import Credential
from krkn_grpc.kube import paths
from krkn_grpc.resources import kubeconfig as kubeconfigs
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.meta import Resource
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.trust import submitted_text
from tests.bench.bare import JSON_PATCH, Bare
from tests.bench.bench import Bench
from tests.bench.example import Example

R = TypeVar("R", bound=Resource)
_GRACE_SECONDS = 60


@dataclass(frozen=True)
class BareStart:
    """Starts jobs in the namespace of the bare loops, as the server and as the controller."""

    server: Bare
    controller: Bare
    namespace: str
    example: Example
    credential: Credential

    async def start(self, _: object = None) -> None:
        """Write what one job needs until its pod may be bound."""
        job = await self._create(self.server, self.example.copy(), ChaosJob)
        secret = pods.kubeconfig_secret(job, self.credential)
        await self._create(self.controller, _encoded(secret), Secret)
        new = pods.pod(job, "Always", _GRACE_SECONDS)
        pod = await self._create(self.controller, _encoded(new), Pod)
        named = msgspec.structs.replace(job, status=outcome.named(job, pod))
        path = paths.single(self._path(ChaosJob), job.metadata.name, "status")
        await self.controller.write("PUT", path, _encoded(named))
        gate = [
            {"op": "test", "path": "/metadata/uid", "value": pod.metadata.uid},
            {"op": "remove", "path": "/spec/schedulingGates/0"},
        ]
        path = paths.single(self._path(Pod), pod.metadata.name)
        await self.controller.write("PATCH", path, msgspec.json.encode(gate), JSON_PATCH)

    async def _create(self, writer: Bare, body: bytes, kind: type[R]) -> R:
        written = await writer.write("POST", self._path(kind), body)
        return msgspec.json.decode(written, type=kind)

    def _path(self, kind: type[Resource]) -> str:
        return paths.collection(kind.KIND, self.namespace)


async def credential_of(bench: Bench, uuid: str) -> Credential:
    """Read what a job on a target is given, as the controller does before it starts a job."""
    path = paths.single(paths.collection(Target.KIND, bench.namespace), uuid)
    target = msgspec.convert(await bench.cluster.request("GET", path), Target, strict=False)
    secrets = paths.collection(Secret.KIND, bench.namespace)
    path = paths.single(secrets, target.spec.secret_uuid)
    secret = msgspec.convert(await bench.cluster.request("GET", path), Secret, strict=False)
    return Credential(kubeconfigs.unwrap(submitted_text(secret)))


def _encoded(resource: Resource) -> bytes:
    kind = {"apiVersion": resource.KIND.api_version, "kind": resource.KIND.name}
    return msgspec.json.encode(kind | msgspec.to_builtins(resource))
