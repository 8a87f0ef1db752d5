"""At most one start, ever: the protocol, and everything that stands in its way."""

import contextlib
from typing import Any

import pytest

from deploy.local.cluster.api import ClusterError
from krkn_grpc.resources import names, well_known
from tests.integration.jobs.conftest import StartController
from tests.support.custom_objects import MERGE, Manifest, owner
from tests.support.jobs import Jobs


async def test_the_pod_is_named_before_it_may_start(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    async with patient_jobs.watch() as watch:
        job = await patient_jobs.job(target)
        await patient_jobs.finished(job)
        pods = watch.versions_of("pods", names.pod_for(job))
        jobs = watch.versions_of("krknchaosjobs", job)
    gated = [pod for pod in pods if pod["spec"].get("schedulingGates")]
    free = [pod for pod in pods if not pod["spec"].get("schedulingGates")]
    assert gated[0] == pods[0]
    assert not any("finalizers" in pod["metadata"] for pod in pods)
    named = next(each for each in jobs if each.get("status", {}).get("podUID"))
    assert named["status"]["podUID"] == pods[0]["metadata"]["uid"]
    assert version(gated[0]) < version(named) < version(free[0])
    assert {pod["metadata"]["uid"] for pod in pods} == {named["status"]["podUID"]}


async def test_all_secrets_are_the_jobs_before_its_pod_is(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    job = "00000000-aaaa-4aaa-8aaa-000000000001"
    for name, kind, data in (
        (names.inputs_secret_for(job), "Opaque", {"file-0": "x", "env-API_TOKEN": "y"}),
        (
            names.registry_secret_for(job),
            "kubernetes.io/dockerconfigjson",
            {".dockerconfigjson": "{}"},
        ),
    ):
        await patient_jobs.secret(of_job(name, job), data, kind)
    await patient_jobs.job(
        target,
        "never-ends",
        jobId=job,
        files=[{"name": "a", "mountPath": "/mnt/a"}],
        secretEnvironment=["API_TOKEN"],
        pullSecret=True,
    )
    await patient_jobs.running(job)
    expected = [owner(await patient_jobs.read(job))]
    for name in names.secrets_of(job):
        secret = await patient_jobs.found(f"secrets/{name}")
        assert secret is not None
        assert secret["metadata"]["ownerReferences"] == expected
    await patient_jobs.stop(job)
    await patient_jobs.finished(job)
    await patient_jobs.no_secrets(job)


async def test_inputs_that_are_missing(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), secretEnvironment=["API_TOKEN"])
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "InputsMissing")
    await patient_jobs.no_secrets(job)


@pytest.mark.parametrize("name", ["inputs", "registry", "kubeconfig"])
async def test_another_ones_secret_is_not_used_and_not_deleted(
    patient_jobs: Jobs, name: str
) -> None:
    job = f"00000000-bbbb-4bbb-8bbb-{name.encode().hex()[:12]}"
    secret = {
        "inputs": names.inputs_secret_for(job),
        "registry": names.registry_secret_for(job),
        "kubeconfig": names.kubeconfig_secret_for(job),
    }[name]
    specs: dict[str, dict[str, Any]] = {
        "inputs": {"secretEnvironment": ["API_TOKEN"]},
        "registry": {"pullSecret": True},
        "kubeconfig": {},
    }
    target = await patient_jobs.target()
    # It has the right label, but it belongs to someone.
    await patient_jobs.secret(of_job(secret, job) | {"ownerReferences": [owner(target)]}, {})
    await patient_jobs.job(target, jobId=job, **specs[name])
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "NameTaken")
    assert await patient_jobs.pod(job) is None
    assert await patient_jobs.secrets_of(job) == {secret}


async def test_a_secret_without_owner_is_not_the_kubeconfig(patient_jobs: Jobs) -> None:
    job = "00000000-cccc-4ccc-8ccc-000000000001"
    await patient_jobs.secret({"name": names.kubeconfig_secret_for(job)}, {"kubeconfig": "x"})
    await patient_jobs.job(await patient_jobs.target(), jobId=job)
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "NameTaken")
    assert await patient_jobs.secrets_of(job) == {names.kubeconfig_secret_for(job)}


async def test_a_secret_that_only_says_it_is_the_jobs_is_replaced(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """Someone writes the job's kubeconfig Secret first, and names the job as its owner."""
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
    job = await own_jobs.job(target, "never-ends")
    name = names.kubeconfig_secret_for(job)
    metadata = of_job(name, job) | {"ownerReferences": [owner(await own_jobs.read(job))]}
    forged = await own_jobs.secret(metadata, {"kubeconfig": "for another cluster"})
    async with a_controller() as controller:
        await controller.start()
        await own_jobs.running(job)
        secret = await own_jobs.found(f"secrets/{name}")
    assert secret is not None
    assert secret["metadata"]["uid"] != forged["metadata"]["uid"]
    assert secret["data"] != forged["data"]


@pytest.mark.parametrize("has_our_label", [True, False], ids=["with our labels", "without"])
async def test_another_ones_pod_is_not_adopted(patient_jobs: Jobs, has_our_label: bool) -> None:
    job = f"00000000-dddd-4ddd-8ddd-00000000000{int(has_our_label)}"
    ours = {well_known.APP: well_known.APP_SCENARIO, well_known.JOB_ID: job}
    foreign = await patient_jobs.make_pod(job, labels=ours if has_our_label else {})
    await patient_jobs.job(await patient_jobs.target(), jobId=job)
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "NameTaken")
    assert "podUID" not in status
    left = await patient_jobs.pod(job)
    assert left is not None
    assert left["metadata"]["uid"] == foreign["metadata"]["uid"]
    assert "deletionTimestamp" not in left["metadata"]
    await patient_jobs.no_secrets(job)


async def test_a_pod_that_someone_lets_start_first_is_ended(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """A pod that is the job's own but has no gate: it may have run, so nothing else ever will."""
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
    job = await own_jobs.job(target)
    pod = await own_jobs.make_pod(job, ownerReferences=[owner(await own_jobs.read(job))])
    async with a_controller() as controller:
        await controller.start()
        status = await own_jobs.finished(job)
        assert (status["phase"], status["reason"]) == ("Failed", "GateRemoved")
        assert status["podUID"] == pod["metadata"]["uid"]
        await own_jobs.no_pod(job)


async def test_an_unnamed_pod_that_is_deleted_is_made_again(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """It had its gate, so it never ran; somebody's finalizer keeps it for a while."""
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
    job = await own_jobs.job(target)
    gone = await own_jobs.make_pod(
        job,
        ownerReferences=[owner(await own_jobs.read(job))],
        finalizers=["example.com/slow"],
        spec={"schedulingGates": [{"name": well_known.START_GATE}]},
    )
    await own_jobs.cluster.request(
        "DELETE", f"/api/v1/namespaces/{own_jobs.namespace}/pods/{names.pod_for(job)}"
    )
    async with a_controller() as controller:
        await controller.start()
        await own_jobs.waiting(job, "PodExists")
        await own_jobs.cluster.request(
            "PATCH",
            f"/api/v1/namespaces/{own_jobs.namespace}/pods/{names.pod_for(job)}",
            {"metadata": {"finalizers": None}},
            MERGE,
        )
        status = await own_jobs.finished(job)
    assert status["phase"] == "Succeeded"
    assert status["podUID"] != gone["metadata"]["uid"]


async def test_a_second_pod_is_never_made(patient_jobs: Jobs) -> None:
    """Its pod is taken away by force: the job does not start again."""
    job = await patient_jobs.job(await patient_jobs.target(), "never-ends")
    named = await patient_jobs.running(job)
    path = f"/api/v1/namespaces/{patient_jobs.namespace}/pods/{named['podName']}"
    async with patient_jobs.watch() as watch:
        with contextlib.suppress(ClusterError):
            await patient_jobs.cluster.request("DELETE", path, gracePeriodSeconds="0")
        status = await patient_jobs.finished(job)
        await patient_jobs.no_pod(job)
        assert (status["phase"], status["reason"]) == ("Failed", "PodDeleted")
        uids = {pod["metadata"]["uid"] for pod in watch.versions_of("pods", names.pod_for(job))}
    assert uids <= {named["podUID"]}


def of_job(secret: str, job: str) -> Manifest:
    ours = {well_known.APP: well_known.APP_SCENARIO, well_known.JOB_ID: job}
    return {"name": secret, "labels": ours}


def version(manifest: Manifest) -> int:
    return int(manifest["metadata"]["resourceVersion"])
