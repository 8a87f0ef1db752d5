"""Target requests as one makes them with kubectl, and what providers make of them."""

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.cluster.api import Cluster, ClusterError
from krkn_grpc.resources import kubeconfig
from krkn_grpc.resources.meta import API_VERSION
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.target_request import SECRET_KEY
from tests.support.custom_objects import MERGE, PROVIDERS, REQUESTS, Manifest, collection
from tests.support.jobs import Jobs
from tests.support.other_provider_types import section, target_data
from tests.support.other_providers import OtherProviderProcess
from tests.support.requests import canary, unused_name
from tests.support.targets import condition
from tests.support.waiting import SECONDS, eventually

OURS = PROVIDER
TOKEN = canary()
"""The credential of every target."""


@dataclass(frozen=True)
class RealCluster:
    """A server that takes every token for good, so that a target of it is ready."""

    url: str
    ca_pem: str


@dataclass(frozen=True)
class Discovery:
    """The administrator's hand on the target requests and providers of a namespace."""

    jobs: Jobs
    folder: Path

    @property
    def cluster(self) -> Cluster:
        """The administrator's calls."""
        return self.jobs.cluster

    @property
    def namespace(self) -> str:
        """The namespace."""
        return self.jobs.namespace

    async def target(self, real: RealCluster, **spec: Any) -> Manifest:
        """Make a target that becomes ready, and wait until it is."""
        made = await self.jobs.target(
            admitted=False,
            with_secret=False,
            clusterAPIURL=real.url,
            **{"clusterName": unused_name(), **spec},
        )
        text = kubeconfig.to_secret_data(kubeconfig.from_token(real.url, TOKEN, real.ca_pem))
        await self.jobs.credential(made, text)
        # A change, so that it is not a while until the controller looks again.
        await self.jobs.change_target(made, secretType="kubeconfig")
        name = made["metadata"]["name"]
        return await eventually(
            lambda: self.jobs.read_target(name),
            lambda seen: condition(seen, "Ready").get("status") == "True",
        )

    async def request(self, name: str = "") -> str:
        """Make a target request; return its uuid."""
        name = name or str(uuid.uuid4())
        await self.cluster.request(
            "POST",
            collection(REQUESTS, self.namespace),
            {
                "apiVersion": API_VERSION,
                "kind": "KrknTargetRequest",
                "metadata": {"name": name},
                "spec": {"uuid": name},
            },
        )
        return name

    async def names(self) -> set[str]:
        """Return the names of all requests."""
        listed = await self.cluster.request("GET", collection(REQUESTS, self.namespace))
        return {item["metadata"]["name"] for item in listed["items"]}

    async def read(self, name: str) -> Manifest:
        """Return the request."""
        return await self.cluster.request("GET", self.path(name))

    async def status(self, name: str) -> Manifest:
        """Return the request's status."""
        status: Manifest = (await self.read(name)).get("status", {})
        return status

    async def when(
        self, name: str, accept: Callable[[Manifest], object], *, seconds: float = SECONDS
    ) -> Manifest:
        """Return the request's status as soon as it is accepted."""
        return await eventually(lambda: self.status(name), accept, seconds=seconds)

    async def contributed(self, name: str, provider: str = OURS) -> Manifest:
        """Wait until a provider's key is there."""
        return await self.when(name, lambda seen: provider in seen.get("targetData", {}))

    async def completed(self, name: str, *, seconds: float = SECONDS) -> Manifest:
        """Wait until the request is completed."""
        return await self.when(name, is_completed, seconds=seconds)

    async def pending(self, name: str) -> Manifest:
        """Wait until our controller has seen the request."""
        return await self.when(name, lambda seen: seen.get("status"))

    async def condition(
        self, name: str, kind: str, reason: str = "", *, status: str = ""
    ) -> Manifest:
        """Wait until the request has this condition for this reason; return it."""

        def holds(seen: Manifest) -> bool:
            found = condition_of(seen, kind)
            return reason in ("", found.get("reason")) and status in ("", found.get("status"))

        return condition_of(await self.when(name, holds), kind)

    async def gone(self, name: str, *, seconds: float = SECONDS) -> None:
        """Wait until there is no such request."""
        await eventually(lambda: self.exists(name), lambda found: not found, seconds=seconds)

    async def exists(self, name: str) -> bool:
        """Whether there is such a request."""
        try:
            await self.read(name)
        except ClusterError as error:
            if error.status != 404:
                raise
            return False
        return True

    async def merge_status(self, name: str, **status: object) -> None:
        """Merge these fields into the request's status."""
        await self.cluster.request("PATCH", f"{self.path(name)}/status", {"status": status}, MERGE)

    async def secret(self, name: str) -> Manifest | None:
        """Return the request's Secret, None when there is none."""
        return await self.jobs.found(f"secrets/{name}")

    async def sections(self, name: str) -> Manifest:
        """Return what is in the request's Secret, {} when there is none."""
        return sections_of(await self.secret(name))

    async def when_sections(self, name: str, providers: set[str]) -> Manifest:
        """Return what is in the request's Secret as soon as these providers have a section."""
        return await eventually(lambda: self.sections(name), lambda seen: set(seen) == providers)

    async def plant(self, name: str, owner: Manifest | None, text: str) -> Manifest:
        """Write a Secret with the request's name; the owner is its controller."""
        owners = []
        if owner is not None:
            owners = [
                {
                    "apiVersion": owner["apiVersion"],
                    "kind": owner["kind"],
                    "name": owner["metadata"]["name"],
                    "uid": owner["metadata"]["uid"],
                    "controller": True,
                }
            ]
        return await self.jobs.secret({"name": name, "ownerReferences": owners}, {SECRET_KEY: text})

    async def set_active(self, provider: str, active: bool) -> None:
        """Activate or deactivate a provider, as an administrator does."""
        path = f"{collection(PROVIDERS, self.namespace)}/{provider}"
        await self.cluster.request("PATCH", path, {"spec": {"active": active}}, MERGE)

    async def registered(self) -> None:
        """Wait until our own provider has its first heartbeat."""
        path = collection(PROVIDERS, self.namespace)

        async def look() -> bool:
            listed = (await self.cluster.request("GET", path))["items"]
            return any(item["metadata"]["name"] == OURS and "status" in item for item in listed)

        await eventually(look)

    def path(self, name: str) -> str:
        """The request's path."""
        return f"{collection(REQUESTS, self.namespace)}/{name}"


def is_completed(status: Manifest) -> bool:
    """Whether the request is completed."""
    return bool(status.get("status") == "Completed")


def condition_of(status: Manifest, kind: str) -> Manifest:
    """Return a condition, {} when there is none."""
    found: list[Manifest] = status.get("conditions", [])
    return next((each for each in found if each["type"] == kind), {})


def sections_of(secret: Manifest | None) -> Manifest:
    """Return the sections in a Secret."""
    if secret is None:
        return {}
    found: Manifest = json.loads(base64.b64decode(secret["data"][SECRET_KEY]))
    return found


def kubeconfig_of(entry: Manifest) -> str:
    """Return the kubeconfig of a Secret's entry."""
    return base64.b64decode(entry["kubeconfig"]).decode()


def assert_untouched(other: OtherProviderProcess, status: Manifest, sections: Manifest) -> None:
    """Assert that what the other provider has written is there, unchanged."""
    assert status["targetData"][other.name] == target_data(other.told.clusters)
    assert sections[other.name] == section(other.told.clusters)
