"""The local control plane does what a cluster does, as far as the product relies on it."""

import tempfile
import uuid
from pathlib import Path

import pytest

from deploy.local.cluster.api import Manifest
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.errors import StartError
from deploy.local.go.build import Binaries
from tests.integration.local.pods import Pods, pod
from tests.support.waiting import eventually


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
