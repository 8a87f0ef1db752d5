"""The local control plane does what a cluster does, as far as the product relies on it."""

import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy.local.cluster.api import Cluster, ClusterError, Manifest
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.errors import StartError
from deploy.local.go.build import Binaries
from tests.support.waiting import eventually

GATE = "krkn.krkn-chaos.dev/start"
FINALIZER = "krkn.krkn-chaos.dev/outcome"
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


@pytest.fixture
def pods(control_plane: ControlPlane, namespace: str) -> Pods:
    return Pods(control_plane.cluster, namespace)


def container_state(seen: Manifest) -> dict[str, Any]:
    state: dict[str, Any] = seen["status"]["containerStatuses"][0]["state"]
    return state


async def test_a_gated_pod_runs_only_after_its_gate_is_taken_off(
    control_plane: ControlPlane, pods: Pods
) -> None:
    gated = await pods.create(pod("any", gated=True))
    # A pod that was made later and already ended: by then the gated one would have run, too.
    await pods.until_phase(await pods.create(pod("any")), "Succeeded")
    held = await pods.get(gated)
    assert held is not None
    assert held["status"]["phase"] == "Pending"
    assert "nodeName" not in held["spec"]
    assert "containerStatuses" not in held["status"]

    uid = held["metadata"]["uid"]
    remove = {"op": "remove", "path": "/spec/schedulingGates"}
    with pytest.raises(ClusterError, match="422"):
        await pods.patch(gated, {"op": "test", "path": "/metadata/uid", "value": "no"}, remove)
    await pods.patch(gated, {"op": "test", "path": "/metadata/uid", "value": uid}, remove)

    running = await pods.until_phase(gated, "Running", "Succeeded")
    assert running["spec"]["nodeName"] == "local"
    ended = await pods.until_phase(gated, "Succeeded")
    assert container_state(ended)["terminated"]["exitCode"] == 0


@pytest.mark.parametrize(
    ("image", "phase", "reason", "code", "why"),
    [
        pytest.param("exit-3", "Failed", None, 3, "Error", id="exit code"),
        pytest.param("lasts-0s", "Succeeded", None, 0, "Completed", id="at once"),
        pytest.param("oom-killed", "Failed", None, 137, "OOMKilled", id="out of memory"),
        pytest.param("evicted", "Failed", "Evicted", 137, "Error", id="evicted"),
    ],
)
async def test_the_image_says_how_a_pod_ends(
    pods: Pods, image: str, phase: str, reason: str | None, code: int, why: str
) -> None:
    ended = await pods.until_phase(await pods.create(pod(image)), "Succeeded", "Failed")
    assert ended["status"]["phase"] == phase
    assert ended["status"].get("reason") == reason
    terminated = container_state(ended)["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (code, why)
    assert terminated["startedAt"] <= terminated["finishedAt"]


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("never-starts", "ContainerCreating"),
        ("invalid-image-name", "InvalidImageName"),
        ("image-pull-error", "ImagePullBackOff"),
    ],
)
async def test_the_image_says_why_a_pod_waits(pods: Pods, image: str, reason: str) -> None:
    name = await pods.create(pod(image))

    def waits(seen: Manifest | None) -> bool:
        statuses = seen["status"].get("containerStatuses", []) if seen else []
        return any(status["state"]["waiting"]["reason"] == reason for status in statuses)

    seen = await eventually(lambda: pods.get(name), waits)
    assert seen is not None
    assert seen["status"]["phase"] == "Pending"


async def test_the_deadline_ends_a_pod(pods: Pods) -> None:
    manifest = pod("never-ends")
    manifest["spec"]["activeDeadlineSeconds"] = 1
    ended = await pods.until_phase(await pods.create(manifest), "Failed")
    assert ended["status"]["reason"] == "DeadlineExceeded"
    assert container_state(ended)["terminated"]["exitCode"] == 143


@pytest.mark.parametrize(
    ("image", "code"),
    [
        pytest.param("never-ends", 143, id="ends on SIGTERM"),
        pytest.param("ignores-sigterm", 137, id="is killed after its grace period"),
        pytest.param("never-starts", 137, id="had not started"),
    ],
)
async def test_a_deleted_pod_is_terminal_before_it_goes(pods: Pods, image: str, code: int) -> None:
    manifest = pod(image, finalizers=[FINALIZER])
    manifest["spec"]["terminationGracePeriodSeconds"] = 2
    name = await pods.create(manifest)
    await eventually(lambda: pods.get(name), lambda p: p and "startTime" in p["status"])
    await pods.delete(name)

    # Terminal, and the kubelet is through with it; only the finalizer still holds it.
    released = await eventually(
        lambda: pods.get(name), lambda p: p and p["metadata"]["deletionGracePeriodSeconds"] == 0
    )
    assert released is not None
    assert released["status"]["phase"] == "Failed"
    assert container_state(released)["terminated"]["exitCode"] == code

    await pods.patch(name, {"op": "remove", "path": "/metadata/finalizers"})
    assert await pods.get(name) is None


async def test_what_an_object_owns_goes_with_it(
    control_plane: ControlPlane, namespace: str
) -> None:
    cluster, name = control_plane.cluster, str(uuid.uuid4())
    api = "krkn.krkn-chaos.dev/v1alpha1"
    targets = f"/apis/{api}/namespaces/{namespace}/krknoperatortargets"
    owner = await cluster.request(
        "POST",
        targets,
        {
            "apiVersion": api,
            "kind": "KrknOperatorTarget",
            "metadata": {"name": name},
            "spec": {
                "uuid": name,
                "clusterName": "owner",
                "clusterAPIURL": "https://owner.example",
                "secretType": "kubeconfig",
                "secretUUID": str(uuid.uuid4()),
            },
        },
    )
    reference = {
        "apiVersion": api,
        "kind": "KrknOperatorTarget",
        "name": name,
        "uid": owner["metadata"]["uid"],
    }
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    await cluster.request(
        "POST",
        secrets,
        {"metadata": {"name": "owned", "ownerReferences": [reference]}, "kind": "Secret"},
    )
    await cluster.request("DELETE", f"{targets}/{name}")

    async def names() -> list[str]:
        return [s["metadata"]["name"] for s in (await cluster.request("GET", secrets))["items"]]

    await eventually(names, lambda seen: "owned" not in seen)


async def test_tokens_are_for_their_audience(control_plane: ControlPlane, namespace: str) -> None:
    cluster = control_plane.cluster
    token = await cluster.token(namespace, "krkn-grpc-server", seconds=600, audiences=["krkn-grpc"])

    async def review(audience: str) -> Manifest:
        answer = await cluster.request(
            "POST",
            "/apis/authentication.k8s.io/v1/tokenreviews",
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenReview",
                "spec": {"token": token, "audiences": [audience]},
            },
        )
        status: Manifest = answer["status"]
        return status

    known = await review("krkn-grpc")
    assert known["user"]["username"] == f"system:serviceaccount:{namespace}:krkn-grpc-server"
    assert known["audiences"] == ["krkn-grpc"]
    assert not (await review("another")).get("authenticated")


async def test_a_target_cluster_stands_on_its_own(
    control_plane: ControlPlane, target_cluster: ControlPlane
) -> None:
    assert target_cluster.url != control_plane.url
    version = await target_cluster.cluster.request("GET", "/version")
    assert (
        version["gitVersion"]
        == (await control_plane.cluster.request("GET", "/version"))["gitVersion"]
    )
    listed = await target_cluster.cluster.request("GET", "/apis")
    assert "krkn.krkn-chaos.dev" not in [group["name"] for group in listed["groups"]]


async def test_an_api_server_that_was_killed_comes_back_with_all_that_it_had(
    binaries: Binaries,
) -> None:
    async with ControlPlane(binaries) as own:
        pods = Pods(own.cluster, "default")
        running, gated = await pods.create(pod("lasts-3s")), await pods.create(pod("x", gated=True))
        await pods.until_phase(running, "Running")
        await own.kill("kube-apiserver")
        assert not await own.cluster.is_ready()

        await own.start("kube-apiserver")
        await pods.until_phase(running, "Succeeded")
        await pods.patch(gated, {"op": "remove", "path": "/spec/schedulingGates"})
        await pods.until_phase(gated, "Succeeded")


async def test_a_paused_component_does_nothing_until_it_goes_on(binaries: Binaries) -> None:
    async with ControlPlane(binaries) as own:
        own.pause("kube-scheduler")
        pods = Pods(own.cluster, "default")
        waiting = await pods.create(pod("any"))
        # Bound by hand, so it needs no scheduler: when it is through, the other would be, too.
        bound = pod("any")
        bound["spec"]["nodeName"] = "local"
        await pods.until_phase(await pods.create(bound), "Succeeded")
        seen = await pods.get(waiting)
        assert seen is not None
        assert "nodeName" not in seen["spec"]
        own.resume("kube-scheduler")
        await pods.until_phase(waiting, "Succeeded")


async def test_a_component_that_cannot_start_shows_its_log(binaries: Binaries) -> None:
    broken = {**binaries, "kube-apiserver": Path("/bin/false")}
    with pytest.raises(StartError, match="kube-apiserver ended with exit code 1"):
        async with ControlPlane(broken):
            pass


async def test_its_folder_may_have_a_long_path(
    binaries: Binaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / ("x" * 100)).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    broken = {**binaries, "kube-apiserver": Path("/bin/false")}
    # It is started once etcd answers, on a socket in that folder.
    with pytest.raises(StartError, match="kube-apiserver ended with exit code 1"):
        async with ControlPlane(broken):
            pass
