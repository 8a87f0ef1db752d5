"""Scenarios in real containers: what they do in the targets, and what becomes of their jobs."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from krkn_grpc.resources import names
from tests.node.stage import Stage
from tests.node.target import a_pod
from tests.support.rest import RUNS
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(300)


async def test_victims_die_in_the_targets_and_only_there(stage: Stage) -> None:
    for target in stage.targets:
        await target.start_pods(stage.victims, "victim", "victim-1", "victim-2")
        await target.start_pods(stage.victims, "bystander", "bystander")
    # Our own cluster has one that looks the same; it is never scheduled.
    ours = stage.control_plane.cluster
    await ours.apply(
        [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": stage.victims}}]
    )
    gated = a_pod("victim-1", "victim", schedulingGates=[{"name": "example.com/never"}])
    pods = f"/api/v1/namespaces/{stage.victims}/pods"
    await ours.request("POST", pods, gated)

    [first] = await stage.run("deletes-pods", stage.uuids[0])
    assert (await stage.ended(first))["status"] == "Succeeded"
    assert await stage.targets[0].running(stage.victims) == {"bystander"}
    assert await stage.targets[1].running(stage.victims) == {"victim-1", "victim-2", "bystander"}

    await stage.targets[0].start_pods(stage.victims, "victim", "victim-3")
    jobs = await stage.run("deletes-pods", *stage.uuids)
    for job, target, dead in zip(
        jobs, stage.targets, [["victim-3"], ["victim-1", "victim-2"]], strict=True
    ):
        shown = await stage.ended(job)
        assert (shown["status"], shown["exitCode"], shown["reason"]) == (
            "Succeeded",
            0,
            "Completed",
        )
        assert await target.running(stage.victims) == {"bystander"}
        log = await stage.log(job)
        assert [line.split()[-1] for line in log.splitlines() if "Deleting pod" in line] == dead
        assert log.endswith("[INFO] Successfully finished running Kraken\n")

    left = await ours.request("GET", f"{pods}/victim-1")
    assert "deletionTimestamp" not in left["metadata"]
    await ours.request("DELETE", f"/api/v1/namespaces/{stage.victims}")


async def test_exit_code_and_times_are_the_nodes(stage: Stage) -> None:
    job = await stage.run_one("exits-3")
    shown = await stage.ended(job)
    assert (shown["status"], shown["reason"], shown["exitCode"]) == (
        "Failed",
        "HealthCheckFailed",
        3,
    )
    ended = (await stage.container(job))["terminated"]
    assert (shown["startTime"], shown["completionTime"]) == (
        ended["startedAt"],
        ended["finishedAt"],
    )
    assert await stage.log(job) == "health check failed\n"


async def test_too_much_memory_is_what_the_node_says(stage: Stage) -> None:
    async with limited_memory(stage, "48Mi"):
        job = await stage.run_one("eats-memory")
        shown = await stage.ended(job)
    assert (shown["status"], shown["reason"], shown["exitCode"]) == ("Failed", "OOMKilled", 137)
    assert (await stage.container(job))["terminated"]["reason"] == "OOMKilled"


async def test_an_image_that_cannot_be_had_is_named_and_the_job_ends(stage: Stage) -> None:
    job = await stage.run_one("does-not-exist", timeoutSeconds=8)
    waiting = await stage.when(job, lambda shown: shown["reason"].endswith(("Pull", "BackOff")))
    assert waiting["status"] == "Pending"
    shown = await stage.ended(job)
    assert shown["status"] == "Failed"
    assert shown["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert "exitCode" not in shown
    await stage.jobs.no_secrets(job)


async def test_an_image_that_the_node_has_lost_is_waited_for(stage: Stage) -> None:
    await stage.forget("exits-3")
    try:
        job = await stage.run_one("exits-3")
        await stage.when(job, lambda shown: shown["reason"] in ("ErrImagePull", "ImagePullBackOff"))
    finally:
        await stage.load_again()
    shown = await stage.ended(job)
    assert (shown["status"], shown["exitCode"]) == ("Failed", 3)


async def test_files_environment_and_user_are_as_promised(stage: Stage) -> None:
    namespace = f"/api/v1/namespaces/{stage.product.namespace}"
    enforced = await stage.control_plane.cluster.request("GET", namespace)
    assert enforced["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"

    job = await stage.run_one(
        "reports",
        environment={"PLAIN": "$(HOME) $$ ü", "PASSWORD": "secret one", "FILE": "/plans/plan.txt"},
        files=[{"name": "plan.txt", "content": "dGhlIHBsYW4=", "mountPath": "/plans/plan.txt"}],
    )
    shown = await stage.ended(job)
    said = (await stage.log(job)).splitlines()
    assert shown["status"] == "Succeeded", said
    assert said == [
        "user 1001:1001 groups 1001",
        "CapEff: 0000000000000000",
        "NoNewPrivs: 1",
        "Seccomp: 2",
        "plain=$(HOME) $$ ü",
        "password=secret one",
        "file=the plan",
        "kubeconfig at /home/krkn/.kube/config mode 440",
        "scratch can be written",
        "system:serviceaccount:default:chaos",
    ]


async def test_nothing_of_the_kubeconfig_outlives_the_job(stage: Stage) -> None:
    job = await stage.run_one("talks", environment={"LINES": "1"})
    await stage.says(job, "waiting")
    secret = stage.targets[0].token
    # It is found where it is needed, so it would be found elsewhere.
    assert await stage.files_with(secret)
    assert names.kubeconfig_secret_for(job) in await stage.jobs.secrets_of(job)

    await stage.targets[0].make_config_map(stage.victims, "go-on")
    assert (await stage.ended(job))["status"] == "Succeeded"
    await stage.jobs.no_secrets(job)
    await eventually(lambda: stage.files_with(secret), lambda found: not found)
    reply = await stage.rest.get(f"{RUNS}/{job}")
    assert secret not in reply.text + await stage.log(job)


@contextlib.asynccontextmanager
async def limited_memory(stage: Stage, memory: str) -> AsyncIterator[None]:
    """Let containers of the namespace have so much and no more."""
    limits = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "memory", "namespace": stage.product.namespace},
        "spec": {"limits": [{"type": "Container", "default": {"memory": memory}}]},
    }
    await stage.control_plane.cluster.apply([limits])
    try:
        yield
    finally:
        await stage.control_plane.cluster.delete(limits)
