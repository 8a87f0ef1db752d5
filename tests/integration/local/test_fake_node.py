"""Pods of the local control plane: a node that nobody has, whose pods live as their image says."""

import uuid
from typing import Any

import pytest

from deploy.local.cluster.api import ClusterError, Manifest
from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.local.pods import Pods, pod
from tests.support.waiting import eventually

FINALIZER = "krkn.krkn-chaos.dev/outcome"


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


async def test_a_pod_fails_on_one_target_alone(pods: Pods) -> None:
    targets = [str(uuid.uuid4()) for _ in range(2)]
    names = []
    for target in targets:
        manifest = pod(f"exit-3-on-{targets[0]}")
        manifest["metadata"]["labels"] = {"krkn-target-uuid": target}
        names.append(await pods.create(manifest))
    ended = [await pods.until_phase(name, "Succeeded", "Failed") for name in names]
    codes = [container_state(each)["terminated"]["exitCode"] for each in ended]
    assert codes == [3, 0]


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
