"""Pods of a namespace, as a test makes them and waits for them."""

import uuid
from collections.abc import Mapping
from typing import Any

from deploy.local.cluster.api import Cluster, ClusterError, Manifest
from tests.support.waiting import eventually

GATE = "krkn.krkn-chaos.dev/start"
JSON_PATCH = "application/json-patch+json"


def pod(image: str, *, gated: bool = False, **metadata: object) -> Manifest:
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "containers": [{"name": "scenario", "image": f"quay.io/krkn-chaos/{image}"}],
    }
    if gated:
        spec["schedulingGates"] = [{"name": GATE}]
    name = f"pod-{uuid.uuid4().hex[:8]}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, **metadata},
        "spec": spec,
    }


class Pods:
    """The pods of one namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._path = f"/api/v1/namespaces/{namespace}/pods"

    async def create(self, manifest: Manifest) -> str:
        created = await self._cluster.request("POST", self._path, manifest)
        name: str = created["metadata"]["name"]
        return name

    async def get(self, name: str) -> Manifest | None:
        try:
            return await self._cluster.request("GET", f"{self._path}/{name}")
        except ClusterError as error:
            if error.status != 404:
                raise
            return None

    async def delete(self, name: str) -> None:
        await self._cluster.request("DELETE", f"{self._path}/{name}")

    async def patch(self, name: str, *operations: Mapping[str, object]) -> Manifest:
        return await self._cluster.request(
            "PATCH",
            f"{self._path}/{name}",
            [dict(operation) for operation in operations],
            JSON_PATCH,
        )

    async def until_phase(self, name: str, *phases: str) -> Manifest:
        seen = await eventually(
            lambda: self.get(name), lambda p: p is not None and p["status"]["phase"] in phases
        )
        assert seen is not None
        return seen
