"""Another provider of targets beside us, which answers requests as krkn-operator-acm does."""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deploy.local.cluster.api import Cluster
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.cluster.kubeconfig import text
from krkn_grpc.resources.adopted import adopted_uuid
from krkn_grpc.resources.meta import API_VERSION
from tests.support.custom_objects import (
    MERGE,
    PROVIDERS,
    REQUESTS,
    TARGETS,
    Manifest,
    collection,
    owner,
)
from tests.support.targets import condition
from tests.support.waiting import eventually

OWN = "krkn-operator"
SECRET_KEY = "managed-clusters"


@dataclass(frozen=True)
class OtherProvider:
    """One provider in a namespace. It alone answers: our own provider is inactive there."""

    cluster: Cluster
    namespace: str
    name: str

    async def register(self) -> None:
        """Announce it; our own provider has been switched off by an administrator."""
        for name, active in ((OWN, False), (self.name, True)):
            path = collection(PROVIDERS, self.namespace)
            manifest = {
                "apiVersion": API_VERSION,
                "kind": "KrknOperatorTargetProvider",
                "metadata": {"name": name},
                "spec": {"operator-name": name, "active": active},
            }
            await self.cluster.apply(
                [manifest | {"metadata": {"name": name, "namespace": self.namespace}}]
            )
            now = datetime.now(UTC).isoformat()
            beat = {"status": {"timestamp": now}}
            await self.cluster.request("PATCH", f"{path}/{name}/status", beat, MERGE)

    async def answer(
        self,
        clusters: Mapping[str, str | None],
        request: Manifest | None = None,
        **changes: Any,
    ) -> Manifest:
        """Answer a request with these clusters' kubeconfigs: Secret first, then all of the status.

        Without `request` there is a new one. Return it. `changes` are of the Secret's metadata.
        """
        request = request or await self.request()
        section = {
            name: {
                "cluster-name": name,
                "cluster-api": "",
                "kubeconfig": base64.b64encode(content.encode()).decode(),
            }
            for name, content in clusters.items()
            if content is not None
        }
        await self.write_secret(request, {self.name: section}, **changes)
        return await self.complete(request, clusters)

    async def request(self) -> Manifest:
        """Make a request, in a second of its own: the later one is the newer one."""
        await self.next_second()
        name = str(uuid.uuid4())
        manifest = {
            "apiVersion": API_VERSION,
            "kind": "KrknTargetRequest",
            "metadata": {"name": name},
            "spec": {"uuid": name},
        }
        return await self.cluster.request("POST", collection(REQUESTS, self.namespace), manifest)

    async def write_secret(self, request: Manifest, content: object, **metadata: Any) -> None:
        """Write the Secret of the request."""
        name = request["metadata"]["name"]
        data = base64.b64encode(json.dumps(content).encode()).decode()
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": name,
                "ownerReferences": [owner(request) | {"controller": True}],
                **metadata,
            },
            "data": {SECRET_KEY: data},
        }
        await self.cluster.request("POST", f"/api/v1/namespaces/{self.namespace}/secrets", manifest)

    async def complete(self, request: Manifest, clusters: Mapping[str, str | None]) -> Manifest:
        """Say in the status which clusters there are, and that this is all."""
        entries = [{"cluster-name": name, "cluster-api-url": ""} for name in clusters]
        status = {
            "status": "Completed",
            "targetData": {self.name: entries},
            "completed": datetime.now(UTC).isoformat(),
        }
        path = f"{collection(REQUESTS, self.namespace)}/{request['metadata']['name']}"
        return await self.cluster.request("PATCH", f"{path}/status", {"status": status}, MERGE)

    async def requests(self) -> list[Manifest]:
        """Return all requests that there are."""
        listed = await self.cluster.request("GET", collection(REQUESTS, self.namespace))
        items: list[Manifest] = listed["items"]
        return items

    def uuid(self, cluster_name: str) -> str:
        """The target that the cluster becomes."""
        return adopted_uuid(self.name, cluster_name)

    async def find(self, cluster_name: str) -> Manifest | None:
        """Return the target of the cluster, None when there is none."""
        listed = await self.cluster.request("GET", collection(TARGETS, self.namespace))
        uuid = self.uuid(cluster_name)
        return next((each for each in listed["items"] if each["metadata"]["name"] == uuid), None)

    async def ready(self, cluster_name: str) -> Manifest:
        """Wait until the target of the cluster is ready, and return it."""
        found = await eventually(
            lambda: self.find(cluster_name), lambda each: each and is_ready(each)
        )
        assert found is not None
        return found

    async def not_ready(self, cluster_name: str, reason: str, kind: str = "Ready") -> Manifest:
        """Wait until the target of the cluster is not ready for this reason, and return it."""

        def holds(target: Manifest | None) -> bool:
            found = condition(target, kind) if target else {}
            return (found.get("status"), found.get("reason")) == ("False", reason)

        found = await eventually(lambda: self.find(cluster_name), holds)
        assert found is not None
        return found

    async def secret_of(self, target: Manifest) -> Manifest:
        """Return the Secret that the target names."""
        name = target["spec"]["secretUUID"]
        return await self.cluster.request(
            "GET", f"/api/v1/namespaces/{self.namespace}/secrets/{name}"
        )

    async def forget(self) -> None:
        """Delete its requests, its targets and itself, as an administrator does."""
        for plural, manifests in (
            (REQUESTS, await self.requests()),
            (TARGETS, await self.targets()),
        ):
            for each in manifests:
                path = f"{collection(plural, self.namespace)}/{each['metadata']['name']}"
                await self.cluster.request("DELETE", path)
        await self.cluster.request("DELETE", f"{collection(PROVIDERS, self.namespace)}/{self.name}")

    async def targets(self) -> list[Manifest]:
        """Return the targets that are adopted from it."""
        listed = await self.cluster.request("GET", collection(TARGETS, self.namespace))
        labelled = [each for each in listed["items"] if each["metadata"].get("labels")]
        label = "krkn.krkn-chaos.dev/provider"
        return [each for each in labelled if each["metadata"]["labels"].get(label) == self.name]

    async def next_second(self) -> None:
        """Wait until the API server's clock shows a second in which no request was made."""
        taken = {each["metadata"]["creationTimestamp"] for each in await self.requests()}

        async def now() -> str:
            # As Kubernetes writes it.
            return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

        await eventually(now, lambda moment: moment > max(taken, default=""))


def is_ready(target: Manifest) -> bool:
    """Whether the target is ready as it is."""
    return condition(target, "Ready").get("status") == "True"


def kubeconfig_for(control_plane: ControlPlane, port: int, token: str) -> str:
    """A kubeconfig for this cluster, at a port of ours that leads to it."""
    url = f"https://127.0.0.1:{port}"
    return text(url=url, ca_pem=control_plane.ca_pem, user={"token": token})
