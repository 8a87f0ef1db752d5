"""What starting a job safely takes, and nothing else: five writes a job and no read.

The bodies are the product's own, made by its pure builders. Nothing is looked up, checked,
watched, repeated or told. `BareStart` writes as anybody would; `LeanStart` asks as little of the
API server for each write as the product does, so that what is between the two is the price of the
promises.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from controller.jobs import pod as pods
from controller.jobs import statuses
from controller.scenario_pods.rules import PodRules
from krkn_grpc.kube import paths
from krkn_grpc.resources import kubeconfig as kubeconfigs
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.credential_secret import Credential, submitted_text
from krkn_grpc.resources.meta import ObjectMeta, Resource
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import Target
from tests.bench.bare import JSON, JSON_PATCH, Bare
from tests.bench.bench import Bench
from tests.bench.example import Example

R = TypeVar("R", bound=Resource)
_GRACE_SECONDS = 60
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class _Metadata(msgspec.Struct):
    metadata: ObjectMeta


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
        new = pods.pod(job, PodRules(grace_seconds=_GRACE_SECONDS))
        pod = await self._create(self.controller, _encoded(new), Pod)
        named = msgspec.structs.replace(job, status=statuses.named(job, pod, datetime.now(UTC)))
        path = paths.single(self._path(ChaosJob), job.metadata.name, "status")
        await self._write(self.controller, "PUT", path, _encoded(named))
        path = paths.single(self._path(Pod), pod.metadata.name)
        gate = msgspec.json.encode(self._lifted(pod))
        await self._write(self.controller, "PATCH", path, gate, JSON_PATCH)

    async def _create(self, writer: Bare, body: bytes, kind: type[R]) -> R:
        written = await self._write(writer, "POST", self._path(kind), body)
        return msgspec.json.decode(written, type=kind)

    async def _write(
        self, writer: Bare, method: str, path: str, body: bytes, content_type: str = JSON
    ) -> bytes:
        return await writer.write(method, path, body, content_type)

    def _lifted(self, pod: Pod) -> list[dict[str, Any]]:
        return [
            {"op": "test", "path": "/metadata/uid", "value": pod.metadata.uid},
            {"op": "remove", "path": "/spec/schedulingGates/0"},
        ]

    def _path(self, kind: type[Resource]) -> str:
        return paths.collection(kind.KIND, self.namespace)


class LeanStart(BareStart):
    """The same writes, each answered with metadata only, and no note of a pod's field managers."""

    async def _create(self, writer: Bare, body: bytes, kind: type[R]) -> R:
        written = await self._write(writer, "POST", self._path(kind), body)
        metadata = msgspec.json.decode(written, type=_Metadata).metadata
        return msgspec.structs.replace(msgspec.json.decode(body, type=kind), metadata=metadata)

    async def _write(
        self, writer: Bare, method: str, path: str, body: bytes, content_type: str = JSON
    ) -> bytes:
        lean = f"{path}?fieldValidation=Ignore"
        return await writer.write(method, lean, body, content_type, _METADATA)

    def _lifted(self, pod: Pod) -> list[dict[str, Any]]:
        forget = {"op": "add", "path": "/metadata/managedFields", "value": [{}]}
        return [*super()._lifted(pod), forget]


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
