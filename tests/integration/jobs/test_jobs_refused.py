"""Jobs that must not start: target, credential or time are not what they should be."""

import asyncio
from datetime import timedelta

import pytest

from krkn_grpc.resources import kubeconfig, well_known
from tests.integration.jobs.conftest import StartController
from tests.support.clock import instant, now
from tests.support.custom_objects import Manifest, owner
from tests.support.jobs import Jobs
from tests.support.targets import condition
from tests.support.waiting import eventually


async def test_the_target_is_deleted(own_jobs: Jobs, a_controller: StartController) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
    job = await own_jobs.job(target)
    await own_jobs.delete_target(target)
    async with a_controller() as controller:
        await controller.start()
        status = await own_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "TargetDeleted")
    assert "podUID" not in status


async def test_the_target_is_deleted_as_the_pod_waits(patient_jobs: Jobs) -> None:
    target = await patient_jobs.target()
    job = await patient_jobs.job(target, "image-pull-error")
    await patient_jobs.waiting(job, "ErrImagePull")
    await patient_jobs.delete_target(target)
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "TargetDeleted")
    await patient_jobs.no_pod(job)
    await patient_jobs.no_secrets(job)


async def test_the_target_is_deleted_as_the_scenario_runs(patient_jobs: Jobs) -> None:
    """What runs keeps its own copy of the credential."""
    target = await patient_jobs.target()
    job = await patient_jobs.job(target, "lasts-2s")
    await patient_jobs.running(job)
    await patient_jobs.delete_target(target)
    assert (await patient_jobs.finished(job))["phase"] == "Succeeded"


@pytest.mark.parametrize(
    "change",
    [
        {"secretUUID": "00000000-eeee-4eee-8eee-000000000001"},
        {"clusterAPIURL": "https://127.0.0.99:6443"},
    ],
    ids=["other credential", "other cluster"],
)
async def test_the_target_is_changed(
    own_jobs: Jobs, a_controller: StartController, change: Manifest
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
    job = await own_jobs.job(target)
    await own_jobs.change_target(target, **change)
    async with a_controller() as controller:
        await controller.start()
        status = await own_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "TargetChanged")
    assert "podUID" not in status


FORGED = {
    "for another cluster": kubeconfig.to_secret_data(
        kubeconfig.from_token("https://127.0.0.98:6443", "x")
    ),
    "not a kubeconfig": "nothing",
    "runs a command": '{"kubeconfig": "ZXhlYzogW10="}',
}


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED.keys())
async def test_the_credential_is_swapped_by_hand(patient_jobs: Jobs, text: str) -> None:
    target = await patient_jobs.target()
    path = f"/api/v1/namespaces/{patient_jobs.namespace}/secrets/{target['spec']['secretUUID']}"
    await patient_jobs.cluster.request("DELETE", path)
    await patient_jobs.credential(target, text)
    job = await patient_jobs.job(target)
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "InvalidKubeconfig")
    assert "podUID" not in status
    await patient_jobs.no_secrets(job)


async def test_the_credential_is_another_targets(patient_jobs: Jobs) -> None:
    victim, mine = await asyncio.gather(patient_jobs.target(), patient_jobs.target(admitted=False))
    path = f"/api/v1/namespaces/{patient_jobs.namespace}/secrets/{mine['spec']['secretUUID']}"
    await patient_jobs.cluster.request("DELETE", path)
    text = kubeconfig.to_secret_data(
        kubeconfig.from_token(mine["spec"]["clusterAPIURL"], "of-someone-else")
    )
    label = {well_known.TARGET_UUID: mine["metadata"]["name"]}
    metadata = {"name": mine["spec"]["secretUUID"], "labels": label}
    await patient_jobs.secret(
        metadata | {"ownerReferences": [owner(victim)]}, {kubeconfig.SECRET_KEY: text}
    )
    job = await patient_jobs.job(mine)
    status = await patient_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "InvalidKubeconfig")


async def test_a_target_that_is_not_admitted(own_jobs: Jobs, a_controller: StartController) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
    late = await own_jobs.target(admitted=False, clusterAPIURL=target["spec"]["clusterAPIURL"])
    job = await own_jobs.job(late)
    async with a_controller() as controller:
        await controller.start()
        status = await own_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "DuplicateAPIURL")


async def test_a_target_whose_address_is_refused(patient_jobs: Jobs) -> None:
    """By name, say: the job and its target's credential look well, and a look at it found out."""
    target = await patient_jobs.target()
    await patient_jobs.say_of_target(target, "AddressRefused", "It is not one to be contacted.")
    status = await patient_jobs.finished(await patient_jobs.job(target))
    assert (status["phase"], status["reason"]) == ("Failed", "AddressRefused")
    assert status["message"] == "It is not one to be contacted."
    assert "podUID" not in status


async def test_a_job_waits_for_the_first_look_at_its_target(patient_jobs: Jobs) -> None:
    callers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, peer: callers.append(peer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    target = await patient_jobs.target(admitted=False, clusterAPIURL=f"https://127.0.0.1:{port}")
    job = await patient_jobs.job(target)
    waiting = await patient_jobs.waiting(job, "TargetNotChecked")
    assert "podUID" not in waiting
    assert await patient_jobs.pod(job) is None
    silent.close()
    for caller in callers:
        caller.transport.abort()
    assert (await patient_jobs.finished(job))["phase"] == "Succeeded"
    looked_at = await patient_jobs.read_target(target["metadata"]["name"])
    # By whether the probe had a connection when nobody listened any more.
    assert condition(looked_at, "Ready")["reason"] in ("TLSFailed", "Unreachable")


async def test_a_job_that_comes_too_late_never_starts(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
    job = await own_jobs.job(target)
    created = (await own_jobs.read(job))["metadata"]["creationTimestamp"]
    async with a_controller(start_deadline_seconds=1) as controller:
        later = instant(created) + timedelta(seconds=2)
        await eventually(lambda: now(own_jobs), lambda text: instant(text) >= later)
        await controller.start()
        status = await own_jobs.finished(job)
    assert (status["phase"], status["reason"]) == ("Failed", "StartDeadlineExceeded")
    assert "podUID" not in status
    assert await own_jobs.pod(job) is None
