"""Targets and jobs as one makes them with kubectl, and what becomes of them."""

import base64
import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.resources import kubeconfig, names, well_known
from krkn_grpc.resources.meta import API_VERSION
from tests.support.custom_objects import JOBS, MERGE, TARGETS, Manifest, collection, owner
from tests.support.object_watch import ObjectWatch
from tests.support.requests import IMAGE, canary, unused_name, unused_url
from tests.support.targets import is_fit
from tests.support.waiting import SECONDS, eventually

FINAL = ("Succeeded", "Failed", "Stopped")


@dataclass(frozen=True)
class Jobs:
    """The administrator's hand on the targets and jobs of a namespace."""

    control_plane: ControlPlane
    namespace: str

    @property
    def cluster(self) -> Cluster:
        """The administrator's calls."""
        return self.control_plane.cluster

    def watch(self, *, may_list_anew: bool = False) -> ObjectWatch:
        """Watch everything in the namespace, as long as the context lasts."""
        return ObjectWatch(
            self.control_plane.admin_kubeconfig, self.namespace, may_list_anew=may_list_anew
        )

    async def target(
        self, *, admitted: bool = True, with_secret: bool = True, **spec: Any
    ) -> Manifest:
        """Make a target with its Secret, and wait until the controller lets jobs run on it."""
        name = str(uuid.uuid4())
        url = spec.pop("clusterAPIURL", None) or unused_url()
        made = await self.cluster.request(
            "POST",
            collection(TARGETS, self.namespace),
            {
                "apiVersion": API_VERSION,
                "kind": "KrknOperatorTarget",
                "metadata": {"name": name},
                "spec": {
                    "uuid": name,
                    "clusterName": unused_name(),
                    "clusterAPIURL": url,
                    "secretType": "token",
                    "secretUUID": str(uuid.uuid4()),
                    **spec,
                },
            },
        )
        if with_secret:
            await self.credential(made)
        if not admitted:
            return made
        return await eventually(lambda: self.read_target(name), is_fit)

    async def credential(self, target: Manifest, text: str | None = None) -> None:
        """Write the Secret that the target names."""
        text = text or kubeconfig.to_secret_data(
            kubeconfig.from_token(target["spec"]["clusterAPIURL"], canary())
        )
        metadata = {
            "name": target["spec"]["secretUUID"],
            "labels": {well_known.TARGET_UUID: target["metadata"]["name"]},
            "ownerReferences": [owner(target)],
        }
        await self.secret(metadata, {kubeconfig.SECRET_KEY: text})

    async def secret(
        self, metadata: Manifest, data: dict[str, str], kind: str = "Opaque"
    ) -> Manifest:
        """Write a Secret."""
        return await self.cluster.request(
            "POST",
            f"/api/v1/namespaces/{self.namespace}/secrets",
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": kind,
                "metadata": metadata,
                "data": {
                    key: base64.b64encode(text.encode()).decode() for key, text in data.items()
                },
            },
        )

    async def job(self, target: Manifest, behaviour: str = "", **spec: Any) -> str:
        """Make a job whose image asks the fake node for this behaviour; return its id."""
        name = str(spec.pop("jobId", uuid.uuid4()))
        await self.cluster.request(
            "POST",
            collection(JOBS, self.namespace),
            {
                "apiVersion": API_VERSION,
                "kind": "KrknChaosJob",
                "metadata": {"name": name},
                "spec": {
                    "jobId": name,
                    "targetUUID": target["metadata"]["name"],
                    "targetUID": target["metadata"]["uid"],
                    "targetSecretUUID": target["spec"]["secretUUID"],
                    "clusterAPIURL": target["spec"]["clusterAPIURL"],
                    "scenarioName": "a scenario",
                    "scenarioImage": f"{IMAGE}-{behaviour}" if behaviour else IMAGE,
                    **spec,
                },
            },
        )
        return name

    async def read_target(self, name: str) -> Manifest:
        return await self.cluster.request("GET", f"{collection(TARGETS, self.namespace)}/{name}")

    async def read(self, job: str) -> Manifest:
        return await self.cluster.request("GET", self.path(job))

    async def status(self, job: str) -> Manifest:
        status: Manifest = (await self.read(job)).get("status", {})
        return status

    async def when(
        self, job: str, accept: Callable[[Manifest], object], *, seconds: float = SECONDS
    ) -> Manifest:
        """Return the job's status as soon as it is accepted."""
        return await eventually(lambda: self.status(job), accept, seconds=seconds)

    async def running(self, job: str) -> Manifest:
        return await self.when(job, lambda status: status.get("phase") == "Running")

    async def waiting(self, job: str, reason: str) -> Manifest:
        return await self.when(job, lambda status: status.get("reason") == reason)

    async def named(self, job: str) -> Manifest:
        return await self.when(job, lambda status: status.get("podUID"))

    async def finished(self, job: str, *, seconds: float = SECONDS) -> Manifest:
        return await self.when(job, lambda status: status.get("phase") in FINAL, seconds=seconds)

    async def stop(self, job: str) -> None:
        await self.cluster.request("PATCH", self.path(job), {"spec": {"stop": True}}, MERGE)

    async def delete(self, job: str, policy: str = "Background") -> None:
        await self.cluster.request("DELETE", self.path(job), propagationPolicy=policy)

    async def delete_target(self, target: Manifest) -> None:
        path = f"{collection(TARGETS, self.namespace)}/{target['metadata']['name']}"
        await self.cluster.request("DELETE", path)

    async def change_target(self, target: Manifest, **spec: Any) -> None:
        path = f"{collection(TARGETS, self.namespace)}/{target['metadata']['name']}"
        await self.cluster.request("PATCH", path, {"spec": spec}, MERGE)

    async def say_of_target(self, target: Manifest, reason: str, message: str) -> None:
        """Write what a look at the target would have found, as if it were found just now."""
        path = f"{collection(TARGETS, self.namespace)}/{target['metadata']['name']}"
        seen = (await self.cluster.request("GET", path))["status"]
        [ready] = [one for one in seen["conditions"] if one["type"] == "Ready"]
        others = [one for one in seen["conditions"] if one["type"] != "Ready"]
        found = {**ready, "status": "False", "reason": reason, "message": message}
        change = {"status": {"ready": False, "conditions": [*others, found]}}
        await self.cluster.request("PATCH", f"{path}/status", change, MERGE)

    async def pod(self, job: str) -> Manifest | None:
        return await self.found(f"pods/{names.pod_for(job)}")

    async def make_pod(self, job: str, spec: Manifest | None = None, **metadata: Any) -> Manifest:
        """Make a pod that has the name of the job's."""
        container = {"name": "other", "image": "registry.example/other:never-ends"}
        return await self.cluster.request(
            "POST",
            f"/api/v1/namespaces/{self.namespace}/pods",
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": names.pod_for(job), **metadata},
                "spec": {"containers": [container], **(spec or {})},
            },
        )

    async def delete_pod(self, job: str) -> None:
        path = f"/api/v1/namespaces/{self.namespace}/pods/{names.pod_for(job)}"
        await self.cluster.request("DELETE", path)

    async def tear_pod_out(self, job: str) -> None:
        """Delete the job's pod by force: nobody can tell how it ended."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{names.pod_for(job)}"
        await self.cluster.request("DELETE", path, gracePeriodSeconds="0")

    async def set_container_state(self, job: str, state: Manifest, **status: Any) -> None:
        """Say of the scenario's container what a node would, and of its pod what `status` has."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{names.pod_for(job)}/status"
        [container] = (await self.cluster.request("GET", path))["status"]["containerStatuses"]
        await self.set_pod_status(job, containerStatuses=[{**container, "state": state}], **status)

    async def set_pod_status(self, job: str, **status: Any) -> None:
        """Say of the job's pod what a node would."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{names.pod_for(job)}/status"
        await self.cluster.request("PATCH", path, {"status": status}, MERGE)

    async def delete_pod_if_there(self, job: str) -> None:
        if await self.pod(job) is not None:
            with contextlib.suppress(ClusterError):
                await self.delete_pod(job)

    async def found(self, what: str) -> Manifest | None:
        """Return a built-in object, `secrets/name` say, None when it does not exist."""
        try:
            return await self.cluster.request("GET", f"/api/v1/namespaces/{self.namespace}/{what}")
        except ClusterError as error:
            if error.status != 404:
                raise
            return None

    async def secrets_of(self, job: str) -> set[str]:
        """Return which of the job's Secrets exist."""
        found = [name for name in names.secrets_of(job) if await self.found(f"secrets/{name}")]
        return set(found)

    async def no_secrets(self, job: str, *, seconds: float = SECONDS) -> None:
        """Wait until no Secret of the job exists."""
        await eventually(lambda: self.secrets_of(job), lambda found: not found, seconds=seconds)

    async def no_pod(self, job: str, *, seconds: float = SECONDS) -> None:
        """Wait until the job's pod does not exist."""
        await eventually(lambda: self.pod(job), lambda pod: pod is None, seconds=seconds)

    async def node_has_it(self, job: str) -> None:
        """Wait until a node has said something of the job's container."""
        await eventually(
            lambda: self.pod(job),
            lambda pod: pod and pod["status"].get("containerStatuses"),
        )

    async def started(self, job: str) -> None:
        """Wait until the job's pod runs or has run; the job may not say so yet."""
        await eventually(
            lambda: self.pod(job), lambda pod: pod and pod["status"].get("phase") != "Pending"
        )

    async def ended(self, job: str) -> Manifest:
        """Wait until the job's pod is terminal."""
        pod = await eventually(
            lambda: self.pod(job),
            lambda pod: pod and pod["status"]["phase"] in ("Succeeded", "Failed"),
        )
        assert pod is not None
        return pod

    async def gone(self, job: str) -> None:
        """Wait until the job itself does not exist."""

        async def exists() -> bool:
            try:
                await self.read(job)
            except ClusterError as error:
                if error.status != 404:
                    raise
                return False
            return True

        await eventually(exists, lambda exists: not exists)

    def path(self, job: str) -> str:
        return f"{collection(JOBS, self.namespace)}/{job}"
