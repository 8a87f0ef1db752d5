"""Every way in which a scenario can end, as its job tells it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from krkn_grpc.resources import names
from tests.support.custom_objects import MERGE, Manifest, owner
from tests.support.jobs import Jobs
from tests.support.waiting import eventually


@pytest.mark.parametrize(
    ("behaviour", "spec", "expected"),
    [
        pytest.param("", {}, ("Succeeded", "Completed", 0), id="exit 0"),
        pytest.param("exit-3", {}, ("Failed", "HealthCheckFailed", 3), id="exit 3"),
        pytest.param("oom-killed", {}, ("Failed", "OOMKilled", 137), id="out of memory"),
        pytest.param("evicted", {}, ("Failed", "Evicted", 137), id="evicted"),
        pytest.param(
            "never-ends",
            {"timeoutSeconds": 2},
            ("Failed", "DeadlineExceeded", 143),
            id="ran too long",
        ),
    ],
)
async def test_outcome(
    patient_jobs: Jobs, behaviour: str, spec: dict[str, Any], expected: tuple[str, str, int]
) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), behaviour, **spec)
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"], status["exitCode"]) == expected
    assert status["message"].endswith(".")
    assert time(status["startTime"]) <= time(status["completionTime"])
    assert conditions(status) == {"Started": "True", "Finished": "True"}
    pod = await patient_jobs.ended(job)
    assert (pod["metadata"]["name"], pod["metadata"]["uid"]) == (
        status["podName"],
        status["podUID"],
    )
    await patient_jobs.no_secrets(job)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        pytest.param("never-starts", "StartDeadlineExceeded", id="no reason"),
        pytest.param("image-pull-error", "ErrImagePull", id="image not there"),
        pytest.param("invalid-image-name", "InvalidImageName", id="image has no name"),
    ],
)
async def test_never_starts(brisk_jobs: Jobs, behaviour: str, reason: str) -> None:
    job = await brisk_jobs.job(await brisk_jobs.target(), behaviour)
    status = await brisk_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", reason)
    assert "did not start within 4 seconds" in status["message"]
    assert "exitCode" not in status
    assert "startTime" not in status
    assert conditions(status) == {"Started": "False", "Finished": "True"}
    await brisk_jobs.no_pod(job)
    await brisk_jobs.no_secrets(job)


async def test_what_a_job_waits_for_is_told_at_once(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "image-pull-error")
    status = await patient_jobs.waiting(job, "ErrImagePull")
    assert status["phase"] == "Pending"
    assert status["message"] == "The image could not be pulled."
    await patient_jobs.stop(job)


async def test_a_namespace_without_room(brisk_jobs: Jobs) -> None:
    target = await brisk_jobs.target()
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "no-pods"},
        "spec": {"hard": {"pods": "0"}},
    }
    path = f"/api/v1/namespaces/{brisk_jobs.namespace}/resourcequotas"
    await brisk_jobs.cluster.request("POST", path, quota)
    # The controller that counts is not part of the local cluster.
    counted = {"status": {"hard": {"pods": "0"}, "used": {"pods": "0"}}}
    await brisk_jobs.cluster.request("PATCH", f"{path}/no-pods/status", counted, MERGE)
    try:
        job = await brisk_jobs.job(target)
        status = await brisk_jobs.finished(job)
    finally:
        await brisk_jobs.cluster.request("DELETE", f"{path}/no-pods")
    assert (status["phase"], status["reason"]) == ("Failed", "QuotaExceeded")
    await brisk_jobs.no_secrets(job)


async def test_a_pod_deleted_with_kubectl_as_it_runs(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "never-ends")
    await patient_jobs.running(job)
    await patient_jobs.delete_pod(job)
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"], status["exitCode"]) == ("Failed", "PodDeleted", 143)
    await patient_jobs.no_pod(job)


async def test_a_pod_deleted_with_kubectl_after_its_end_changes_nothing(
    patient_jobs: Jobs,
) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "exit-4")
    await patient_jobs.finished(job)
    before = await patient_jobs.status(job)
    await patient_jobs.delete_pod(job)
    await patient_jobs.no_pod(job)
    assert await patient_jobs.status(job) == before


@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (3, "Failed")])
async def test_something_else_goes_on_in_the_pod(patient_jobs: Jobs, code: int, phase: str) -> None:
    """As a proxy does that a service mesh has put there: the scenario's end is the job's."""
    job = await patient_jobs.job(await patient_jobs.target(), "never-ends")
    await patient_jobs.running(job)
    ended = datetime.now(UTC) - timedelta(seconds=12)
    moments = dict.fromkeys(("startedAt", "finishedAt"), f"{ended:%Y-%m-%dT%H:%M:%SZ}")
    state = {"terminated": {"exitCode": code, "reason": "Whatever", **moments}}
    await patient_jobs.set_container_state(job, state)
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["exitCode"]) == (phase, code)
    assert status["completionTime"] == moments["finishedAt"]
    await patient_jobs.no_pod(job)
    await patient_jobs.no_secrets(job)


async def test_a_drained_node(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "never-ends")
    pod = (await patient_jobs.running(job))["podName"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": patient_jobs.namespace},
    }
    path = f"/api/v1/namespaces/{patient_jobs.namespace}/pods/{pod}/eviction"
    await patient_jobs.cluster.request("POST", path, eviction)
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"], status["exitCode"]) == ("Failed", "Evicted", 143)
    await patient_jobs.no_pod(job)


async def test_two_jobs_on_one_target_know_nothing_of_each_other(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    good, bad = await asyncio.gather(patient_jobs.job(target), patient_jobs.job(target, "exit-5"))
    assert (await patient_jobs.finished(good))["phase"] == "Succeeded"
    assert (await patient_jobs.finished(bad))["exitCode"] == 5


async def test_time_to_live(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    job = await patient_jobs.job(target, "lasts-0s", ttlSecondsAfterFinished=2)
    other = await patient_jobs.job(target, "lasts-0s")
    await patient_jobs.finished(job)
    await patient_jobs.gone(job)
    await patient_jobs.no_pod(job)
    assert (await patient_jobs.finished(other))["phase"] == "Succeeded"
    assert await patient_jobs.pod(other) is not None, "without a limit, all stays"


async def test_deleted_with_kubectl_as_it_runs(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "ignores-sigterm")
    await patient_jobs.running(job)
    async with patient_jobs.watch() as watch:
        await patient_jobs.delete(job)
        await patient_jobs.gone(job)
        await patient_jobs.no_pod(job)
        pods = watch.versions_of("pods", names.pod_for(job))
    grace = [pod["metadata"].get("deletionGracePeriodSeconds") for pod in pods]
    assert 2 in grace, "it gets its grace"
    killed = pods[-1]["status"]["containerStatuses"][0]["state"]["terminated"]
    assert killed["exitCode"] == 137, "it is killed after it"
    await patient_jobs.no_secrets(job)


async def test_deleted_with_kubectl_and_its_pod_orphaned(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "never-ends")
    await patient_jobs.running(job)
    await patient_jobs.delete(job, policy="Orphan")
    await patient_jobs.gone(job)
    await patient_jobs.no_pod(job)
    await patient_jobs.no_secrets(job)


async def test_made_anew_under_the_same_id(patient_jobs: Jobs) -> None:
    """It is another job: the pod of the first one goes, and only then does the second start."""
    target = await patient_jobs.target()
    job = await patient_jobs.job(target, "never-ends")
    first = (await patient_jobs.running(job))["podUID"]
    await patient_jobs.delete(job)
    await patient_jobs.gone(job)
    await patient_jobs.job(target, jobId=job)
    status = await patient_jobs.finished(job)
    assert status["phase"] == "Succeeded", status
    assert status["podUID"] != first


async def test_an_event_tells_of_the_end(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "exit-6")
    await patient_jobs.finished(job)
    path = f"/apis/events.k8s.io/v1/namespaces/{patient_jobs.namespace}/events"

    async def told() -> dict[str, str]:
        listed = await patient_jobs.cluster.request("GET", path)
        ours = [item for item in listed["items"] if item["regarding"]["name"] == job]
        return {item["reason"]: item["type"] for item in ours}

    expected = {"HealthCheckFailed": "Warning"}
    # That of the start is left out when there is other work.
    at_most = expected | {"Started": "Normal"}
    await eventually(told, lambda seen: expected.items() <= seen.items() <= at_most.items())


async def test_observed_generation_follows_the_spec(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target(), "never-ends")
    assert (await patient_jobs.running(job))["observedGeneration"] == 1
    await patient_jobs.stop(job)
    assert (await patient_jobs.finished(job))["observedGeneration"] == 2


async def test_the_pod_belongs_to_its_job(patient_jobs: Jobs) -> None:
    job = await patient_jobs.job(await patient_jobs.target())
    await patient_jobs.named(job)
    pod = await patient_jobs.pod(job)
    assert pod is not None
    assert pod["metadata"]["ownerReferences"] == [owner(await patient_jobs.read(job))]
    assert (await patient_jobs.finished(job))["phase"] == "Succeeded"


def conditions(status: Manifest) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in status["conditions"]}


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)
