"""What keeps a job from its start is told while it waits, and as the cause when it is too late.

And it is too late at the deadline, not after it.
"""

import uuid
from datetime import timedelta

import pytest

from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.well_known import START_GATE
from tests.integration.jobs.conftest import BRISK, StartController
from tests.support.clock import instant
from tests.support.custom_objects import MERGE, Manifest
from tests.support.jobs import Jobs
from tests.support.policies import (
    Attempt,
    Rules,
    changing_pods,
    forbidding,
    webhook_away,
    webhook_silent,
)

START = timedelta(seconds=BRISK["start_deadline_seconds"])
QUEUE = "queue.example.com/admission"
GATE = {"path": "/spec/schedulingGates/0", "value": f'{{"name": "{QUEUE}"}}'}
SIDECARS = '[{"name": "mesh-init", "image": "registry.example/mesh-init"}]'


async def at_the_deadline(jobs: Jobs, job: str, status: Manifest) -> None:
    """Assert that the job never started, and was told so soon after its deadline."""
    created = instant((await jobs.read(job))["metadata"]["creationTimestamp"])
    [finished] = [one for one in status["conditions"] if one["type"] == "Finished"]
    took = instant(finished["lastTransitionTime"]) - created
    assert START <= took <= START + timedelta(seconds=15)
    assert status["phase"] == "Failed"
    assert "did not start within 4 seconds" in status["message"]
    await jobs.no_secrets(job)


async def test_an_admission_webhook_is_away(brisk_jobs: Jobs) -> None:
    target = await brisk_jobs.target()
    async with webhook_away(brisk_jobs.cluster, brisk_jobs.namespace):
        job = await brisk_jobs.job(target)
        waiting = await brisk_jobs.waiting(job, "WebhookUnavailable")
        assert waiting["phase"] == "Pending"
        assert "webhook of the cluster does not answer" in waiting["message"]
        status = await brisk_jobs.finished(job)
    assert status["reason"] == "WebhookUnavailable"
    assert "webhook of the cluster does not answer" in status["message"]
    await at_the_deadline(brisk_jobs, job, status)


async def test_an_admission_webhook_that_comes_back(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    async with webhook_away(patient_jobs.cluster, patient_jobs.namespace):
        job = await patient_jobs.job(target)
        await patient_jobs.waiting(job, "WebhookUnavailable")
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Succeeded", "Completed")


async def test_an_admission_webhook_is_silent(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """It takes the connection and says nothing, for longer than the job has."""
    async with a_controller(start_deadline_seconds=4) as controller:
        await controller.start()
        target = await own_jobs.target()
        async with webhook_silent(own_jobs.cluster, own_jobs.namespace):
            job = await own_jobs.job(target)
            status = await own_jobs.finished(job)
        assert status["reason"] == "PodNotCreated"
        await at_the_deadline(own_jobs, job, status)
        await own_jobs.no_pod(job)


async def test_a_gate_of_others_that_goes(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    async with (
        patient_jobs.watch() as watch,
        changing_pods(patient_jobs.cluster, patient_jobs.namespace, **GATE),
    ):
        job = await patient_jobs.job(target)
        waiting = await patient_jobs.waiting(job, "SchedulingGated")
        assert QUEUE in waiting["message"]
        path = f"/api/v1/namespaces/{patient_jobs.namespace}/pods/{names.pod_for(job)}"
        let_go = {"op": "remove", "path": "/spec/schedulingGates"}
        await patient_jobs.cluster.request("PATCH", path, [let_go], "application/json-patch+json")
        status = await patient_jobs.finished(job)
        pods = watch.versions_of("pods", names.pod_for(job))
    assert (status["phase"], status["reason"]) == ("Succeeded", "Completed")
    assert {pod["metadata"]["uid"] for pod in pods} == {status["podUID"]}, "it started once"
    gates = [[gate["name"] for gate in pod["spec"].get("schedulingGates", ())] for pod in pods]
    assert gates[0] == [QUEUE, START_GATE]
    assert [QUEUE] in gates, "ours went first"


async def test_a_gate_of_others_that_stays(brisk_jobs: Jobs) -> None:
    target = await brisk_jobs.target()
    async with changing_pods(brisk_jobs.cluster, brisk_jobs.namespace, **GATE):
        job = await brisk_jobs.job(target)
        status = await brisk_jobs.finished(job)
    assert status["reason"] == "SchedulingGated"
    assert QUEUE in status["message"]
    assert "startTime" not in status
    await at_the_deadline(brisk_jobs, job, status)
    await brisk_jobs.no_pod(job)


async def test_an_injected_init_container_fails(patient_jobs: Jobs) -> None:
    job = await injected(
        patient_jobs, {"terminated": {"exitCode": 7, "finishedAt": "2026-01-01T00:00:10Z"}}
    )
    await patient_jobs.set_pod_status(job, phase="Failed")
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "InitContainerFailed")
    assert "mesh-init ended with exit code 7" in status["message"]
    assert "exitCode" not in status
    assert "startTime" not in status


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"running": {"startedAt": "2026-01-01T00:00:00Z"}}, "ContainersNotInitialized"),
        ({"waiting": {"reason": "ImagePullBackOff"}}, "ErrImagePull"),
    ],
)
async def test_an_injected_init_container_never_ends(
    brisk_jobs: Jobs, state: Manifest, reason: str
) -> None:
    job = await injected(brisk_jobs, state)
    waiting = await brisk_jobs.waiting(job, reason)
    assert waiting["phase"] == "Pending"
    assert "mesh-init" in waiting["message"]
    status = await brisk_jobs.finished(job)
    assert status["reason"] == reason
    assert "mesh-init" in status["message"]
    await at_the_deadline(brisk_jobs, job, status)
    await brisk_jobs.no_pod(job)


async def injected(jobs: Jobs, state: Manifest) -> str:
    """Return a job into whose pod others have put an init container, which is in this state."""
    target = await jobs.target()
    async with changing_pods(
        jobs.cluster, jobs.namespace, path="/spec/initContainers", value=SIDECARS
    ):
        job = await jobs.job(target, "never-starts")
        await jobs.node_has_it(job)
    init = {"name": "mesh-init", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
    await jobs.set_container_state(
        job,
        {"waiting": {"reason": "PodInitializing"}},
        initContainerStatuses=[{**init, "state": state}],
        conditions=[{"type": "Initialized", "status": "False"}],
    )
    return job


@pytest.mark.parametrize("reason", ["Forbidden", "Invalid"])
async def test_a_rule_against_our_secrets(
    own_jobs: Jobs, a_controller: StartController, reason: str
) -> None:
    secrets = f"/api/v1/namespaces/{own_jobs.namespace}/secrets"
    attempt = Attempt(
        "POST", secrets, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "attempt"}}
    )
    labelled = 'has(object.metadata.labels) && "team" in object.metadata.labels'
    async with a_controller(start_deadline_seconds=4) as controller:
        await controller.start()
        target = await own_jobs.target()
        async with forbidding(
            own_jobs.cluster,
            own_jobs.namespace,
            Rules(["secrets"]),
            labelled,
            attempt,
            reason=reason,
        ):
            job = await own_jobs.job(target)
            if reason == "Forbidden":
                waiting = await own_jobs.waiting(job, "SecretForbidden")
                assert waiting["phase"] == "Pending"
            status = await own_jobs.finished(job)
        assert (status["phase"], status["reason"]) == ("Failed", f"Secret{reason}")
        assert "a Secret of the job" in status["message"]
        if reason == "Forbidden":
            await at_the_deadline(own_jobs, job, status)
        assert await own_jobs.pod(job) is None


@pytest.mark.parametrize("reason", ["Forbidden", "Invalid"])
async def test_a_rule_against_a_change_of_secrets(
    own_jobs: Jobs, a_controller: StartController, reason: str
) -> None:
    """The controller makes a job the owner of the inputs that the server wrote for it."""
    secrets = f"/api/v1/namespaces/{own_jobs.namespace}/secrets"
    await own_jobs.secret({"name": "attempt"}, {})
    attempt = Attempt(
        "PATCH", f"{secrets}/attempt", {"metadata": {"annotations": {"a": "b"}}}, MERGE
    )
    async with a_controller(start_deadline_seconds=4) as controller:
        await controller.start()
        target = await own_jobs.target()
        async with forbidding(
            own_jobs.cluster,
            own_jobs.namespace,
            Rules(["secrets"], ["UPDATE"]),
            "false",
            attempt,
            reason=reason,
        ):
            job = str(uuid.uuid4())
            ours = {well_known.APP: well_known.APP_SCENARIO, well_known.JOB_ID: job}
            await own_jobs.secret(
                {"name": names.inputs_secret_for(job), "labels": ours}, {"env-TOKEN": "x"}
            )
            await own_jobs.job(target, jobId=job, secretEnvironment=["TOKEN"])
            status = await own_jobs.finished(job)
        assert (status["phase"], status["reason"]) == ("Failed", f"Secret{reason}")
