"""What may change in a job's status: the CRD's guards of the start protocol, really asked."""

from itertools import product

import pytest

from deploy.local.cluster.control_plane import ControlPlane
from tests.support.custom_objects import JOBS, assert_refused, schemas, store, whole

PHASES = ["Pending", "Running", "Succeeded", "Failed", "Stopped"]
FINAL = PHASES[2:]
ALLOWED = {("Pending", "Running"), *product(PHASES[:2], FINAL), *((p, p) for p in PHASES)}


@pytest.mark.parametrize(("before", "after"), list(product(PHASES, PHASES)))
async def test_a_phase_goes_forward_only(
    control_plane: ControlPlane, namespace: str, before: str, after: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    await job.set_status(phase=before)
    if (before, after) in ALLOWED:
        assert (await job.set_status(phase=after))["status"]["phase"] == after
    else:
        await assert_refused(job.set_status(phase=after), "a phase goes from Pending to Running")


@pytest.mark.parametrize("phase", ["Stopping", "Unknown", ""])
async def test_there_is_no_other_phase(
    control_plane: ControlPlane, namespace: str, phase: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    await assert_refused(job.set_status(phase=phase), "status.phase: Unsupported value")


@pytest.mark.parametrize("phase", PHASES[:2])
async def test_the_pod_of_a_job_is_written_once(
    control_plane: ControlPlane, namespace: str, phase: str
) -> None:
    job, once = await store(control_plane.cluster, namespace, JOBS), "podUID is written once"
    claimed = await job.set_status(podUID="the-pod", phase=phase)
    await assert_refused(job.set_status(podUID="another"), once)
    await assert_refused(job.set_status(podUID=""), "status.podUID")
    await assert_refused(job.set_status(podUID=None), once)
    await assert_refused(job.merge({"status": None}, "/status"), once)
    await assert_refused(job.replace(claimed | {"status": {}}, "/status"), once)
    del claimed["status"]
    await assert_refused(job.replace(claimed, "/status"), once)
    assert (await job.read())["status"] == {"podUID": "the-pod", "phase": phase}


async def test_a_job_that_is_being_stopped_gets_no_pod(
    control_plane: ControlPlane, namespace: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    await job.merge({"spec": {"stop": True}})
    await assert_refused(job.set_status(podUID="the-pod"), "gets no pod")
    await job.set_status(phase="Stopped")


async def test_a_job_whose_pod_is_known_can_still_be_stopped(
    control_plane: ControlPlane, namespace: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    await job.set_status(podUID="the-pod")
    await job.merge({"spec": {"stop": True}})
    final = await job.set_status(phase="Stopped", exitCode=137)
    assert final["status"]["podUID"] == "the-pod"


@pytest.mark.parametrize("phase", FINAL)
async def test_a_final_job_gets_no_pod(
    control_plane: ControlPlane, namespace: str, phase: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    await job.set_status(phase=phase)
    await assert_refused(job.set_status(podUID="the-pod"), "gets no pod")


OUTCOME: dict[str, object] = {
    "reason": "Another",
    "message": "another",
    "podName": "another",
    "exitCode": 0,
    "startTime": "2026-01-02T03:04:06Z",
    "completionTime": "2026-01-02T03:05:06Z",
    "duration": "61s",
    "result": {"resiliencyScore": 100},
}


@pytest.mark.parametrize("field", OUTCOME)
@pytest.mark.parametrize("phase", FINAL)
async def test_the_outcome_of_a_final_job_never_changes(
    control_plane: ControlPlane, namespace: str, phase: str, field: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    never = "the outcome of a finished job never changes"

    await job.set_status(**whole(JOBS)["status"] | {"phase": phase})
    await assert_refused(job.set_status(**{field: OUTCOME[field]}), never)
    await assert_refused(job.set_status(**{field: None}), never)


@pytest.mark.parametrize("field", OUTCOME)
async def test_nothing_is_added_to_the_outcome_of_a_final_job(
    control_plane: ControlPlane, namespace: str, field: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    await job.set_status(phase="Failed")
    await assert_refused(job.set_status(**{field: OUTCOME[field]}), "never changes")


def test_every_field_of_an_outcome_is_tried() -> None:
    fields = schemas(JOBS)["status"]["properties"].keys()
    # The phase and podUID have rules of their own; the others say what was seen, not what came out.
    assert OUTCOME.keys() == fields - {"phase", "podUID", "run", "observedGeneration", "conditions"}


async def test_a_final_job_can_still_be_asked_to_stop_and_observed(
    control_plane: ControlPlane, namespace: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    await job.set_status(phase="Succeeded", exitCode=0)
    stopped = await job.merge({"spec": {"stop": True}})
    seen = await job.set_status(observedGeneration=stopped["metadata"]["generation"])
    assert seen["status"] == {"phase": "Succeeded", "exitCode": 0, "observedGeneration": 2}


async def test_the_status_changes_only_through_its_subresource(
    control_plane: ControlPlane, namespace: str
) -> None:
    job = await store(control_plane.cluster, namespace, JOBS)
    await job.merge({"status": {"phase": "Succeeded"}})
    assert (await job.read())["status"] == {"phase": "Pending"}
    await job.merge({"spec": {"stop": True}, "status": {"phase": "Running"}}, "/status")
    assert (await job.read())["spec"]["stop"] is False
