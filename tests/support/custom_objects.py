"""Objects of our own kinds as one writes them with kubectl: manifests, no typed resource."""

import uuid
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.services import REPOSITORY
from krkn_grpc.resources.meta import API_VERSION

Manifest: TypeAlias = dict[str, Any]

WHOLE = Path(__file__).with_name("whole")
CRDS = REPOSITORY / "deploy" / "crds"
MERGE = "application/merge-patch+json"

PROVIDERS = "krknoperatortargetproviders"
TARGETS = "krknoperatortargets"
REQUESTS = "krkntargetrequests"
HALTS = "krknchaoshalts"
BLACKOUTS = "krknchaosblackouts"
JOBS = "krknchaosjobs"
LOGS = "krknchaosjoblogs"
RUNS = "krknchaosruns"

IDENTITY = {
    PROVIDERS: None,
    HALTS: None,
    BLACKOUTS: None,
    RUNS: None,
    TARGETS: "uuid",
    REQUESTS: "uuid",
    LOGS: None,
    JOBS: "jobId",
}
"""The field that says the object's name again."""

GONE = object()
"""Stands for a field that is taken away."""


def whole(plural: str) -> Manifest:
    """A new object of the kind, of its own name, in which every field of spec and status is set."""
    manifest: Manifest = yaml.safe_load((WHOLE / f"{plural}.yaml").read_text())
    name = manifest["metadata"]["name"] = str(uuid.uuid4())
    if (identity := IDENTITY[plural]) is not None:
        manifest["spec"][identity] = name
    return manifest


def schemas(plural: str) -> Manifest:
    """The schemas of the kind's spec and status, as its CRD has them."""
    crd = yaml.safe_load((CRDS / f"{plural}.yaml").read_text())
    properties: Manifest = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    return properties


def owner(of: Manifest) -> Manifest:
    """Return a reference to an owner."""
    return {
        "apiVersion": of["apiVersion"],
        "kind": of["kind"],
        "name": of["metadata"]["name"],
        "uid": of["metadata"]["uid"],
    }


def collection(plural: str, namespace: str) -> str:
    """The path of all objects of the kind."""
    return f"/apis/{API_VERSION}/namespaces/{namespace}/{plural}"


@dataclass
class Stored:
    """One object that was created, and ways to change it."""

    cluster: Cluster
    path: str
    manifest: Manifest

    async def merge(self, part: Manifest, subresource: str = "") -> Manifest:
        """Apply a merge patch and return the object."""
        return await self.cluster.request("PATCH", self.path + subresource, part, MERGE)

    async def set_status(self, **status: object) -> Manifest:
        """Merge these fields into the status."""
        return await self.merge({"status": status}, "/status")

    async def replace(self, manifest: Manifest, subresource: str = "") -> Manifest:
        """Put the object as it is given, over whatever version is there."""
        return await self.cluster.request("PUT", self.path + subresource, manifest)

    async def read(self) -> Manifest:
        """Return the object as it is."""
        return await self.cluster.request("GET", self.path)


async def store(cluster: Cluster, namespace: str, plural: str, **changes: object) -> Stored:
    """Create a whole object whose spec is changed so; GONE takes a field away."""
    manifest = whole(plural)
    spec = manifest["spec"] | changes
    manifest["spec"] = {name: value for name, value in spec.items() if value is not GONE}
    path = collection(plural, namespace)
    created = await cluster.request("POST", path, manifest)
    return Stored(cluster, f"{path}/{manifest['metadata']['name']}", created)


async def assert_refused(change: Awaitable[object], message: str, status: int = 422) -> None:
    """Await the change, which must be refused, as invalid if nothing else is said."""
    with pytest.raises(ClusterError) as refused:
        await change
    assert message in str(refused.value)
    assert refused.value.status == status
