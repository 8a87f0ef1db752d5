"""A target cluster: a control plane of its own that pods reach, and an account for scenarios."""

import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.cluster.api import Cluster, ClusterError, Manifest
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from deploy.local.node.namespaces import SERVICE_ADDRESS
from deploy.local.relay import Relay
from tests.support.waiting import eventually

ACCOUNT = "chaos"
LABEL = "app=victim"
_RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class TargetCluster:
    """What a test does in a target cluster, as its administrator."""

    name: str
    cluster: Cluster
    kubeconfig: str
    """What it is registered with."""
    token: str
    """The secret in it."""

    async def namespace(self, name: str) -> None:
        """Make a namespace."""
        await self.cluster.apply(
            [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}]
        )

    async def start_pods(self, namespace: str, app: str, *names: str) -> None:
        """Start pods and wait until they run."""
        for name in names:
            await self.cluster.request(
                "POST", f"/api/v1/namespaces/{namespace}/pods", a_pod(name, app)
            )
        await eventually(lambda: self.running(namespace), lambda found: found >= set(names))

    async def running(self, namespace: str) -> set[str]:
        """Return the names of the pods that run."""
        listed = await self.cluster.request("GET", f"/api/v1/namespaces/{namespace}/pods")
        return {
            pod["metadata"]["name"]
            for pod in listed["items"]
            if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
        }

    async def has_config_map(self, namespace: str, name: str) -> bool:
        """Say whether a ConfigMap is there."""
        try:
            await self.cluster.request("GET", f"/api/v1/namespaces/{namespace}/configmaps/{name}")
        except ClusterError as error:
            if error.status != 404:
                raise
            return False
        return True

    async def make_config_map(self, namespace: str, name: str) -> None:
        """Write a ConfigMap."""
        await self.cluster.request(
            "POST", f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": name}}
        )


@contextlib.asynccontextmanager
async def target_cluster(name: str, binaries: Binaries, logs: Path) -> AsyncIterator[TargetCluster]:
    """Start a target cluster, in which a fake node plays the pods."""
    async with (
        ControlPlane(binaries, logs=logs) as control_plane,
        Relay(control_plane.port, SERVICE_ADDRESS) as relay,
    ):
        cluster = control_plane.cluster
        await cluster.apply(_account())
        path = logs / f"{uuid.uuid4().hex}.kubeconfig"
        url = f"https://{SERVICE_ADDRESS}:{relay.port}"
        await cluster.write_account_kubeconfig(path, "default", ACCOUNT, url=url)
        kubeconfig = path.read_text()
        path.unlink()
        [token] = [line.split()[1] for line in kubeconfig.splitlines() if "token:" in line]
        yield TargetCluster(name, cluster, kubeconfig, token)


def a_pod(name: str, app: str, **spec: object) -> Manifest:
    """A pod with the label app."""
    container = {"name": "app", "image": "registry.example/app:never-ends"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": app}},
        "spec": {"containers": [container], **spec},
    }


def _account() -> list[Manifest]:
    """What scenarios may do: with pods and ConfigMaps, and no more."""
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": "default"}
    rules = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch", "delete"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create"]},
    ]
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": ACCOUNT, "namespace": "default"},
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": ACCOUNT},
            "rules": rules,
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": ACCOUNT},
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": ACCOUNT},
            "subjects": [subject],
        },
    ]
