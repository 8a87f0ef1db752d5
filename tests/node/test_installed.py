"""The image, installed by the README on two real nodes: it serves, is replaced, and goes.

It has a cluster of its own, because the removal takes the resource definitions away. The tests
follow each other; each finds what the one before has left. What was measured is in .e2e afterwards.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.go.build import Binaries
from krkn_grpc.resources import names
from tests.faults.scenarios import lived_rightly, phase
from tests.node import images
from tests.node.installation import ARCHIVE, Installation, an_installation
from tests.node.objects import write_objects
from tests.node.readiness import memory_of
from tests.node.stage import Stage
from tests.node.target import LABEL, TargetCluster, target_cluster
from tests.support.custom_objects import JOBS, Manifest
from tests.support.load import Load
from tests.support.object_watch import ObjectWatch
from tests.support.readme import CALL, KINDS, LAST, NAMESPACE, OURS, REMOVAL, calling_curl
from tests.support.requests import Body, a_run
from tests.support.rest import Rest
from tests.support.run_calls import FINAL
from tests.support.runs import Runs
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(900)

RESTARTS = 3
WATCHES = 20
CALLS_PER_RUN = 150
SECONDS = 180.0
MEASURED = "installed.json"


@pytest_asyncio.fixture(scope="module")
async def installed(
    binaries: Binaries, logs: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """The cluster, with the product installed."""
    own = logs / "installed"
    own.mkdir()
    async with an_installation(binaries, own, tmp_path_factory.mktemp("installed")) as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def target(binaries: Binaries, logs: Path) -> AsyncIterator[TargetCluster]:
    """The cluster that scenarios run on."""
    async with target_cluster("target-of-installed", binaries, logs / "target") as started:
        yield started


@pytest_asyncio.fixture(scope="module")
async def target_uuid(installed: Installation, target: TargetCluster) -> str:
    """Register it, as the pipeline with one right more than the README gives."""
    await installed.kubectl.shell(
        "kubectl create rolebinding ci-targets --role krkn-target-admin "
        f"--serviceaccount team-a:ci -n {NAMESPACE}"
    )
    async with (await installed.way()).rest() as session:
        rest = Rest(session)
        # RBAC takes a moment to know of a binding.
        await eventually(lambda: rest.get("/api/v1/operator/targets"), lambda r: r.status == 200)
        return await Stage.register(rest, target)


@pytest_asyncio.fixture(autouse=True)
async def objects(
    request: pytest.FixtureRequest, installed: Installation, logs: Path
) -> AsyncIterator[None]:
    """Write down what each test leaves."""
    yield
    file = logs / "objects" / f"{request.node.name}.json"
    await write_objects(installed.cluster, NAMESPACE, file)
    for node in installed.nodes:
        node.keep_pod_logs(logs / "installed" / node.name / "pods")


async def test_two_replicas_are_ready_by_the_kubelets_own_probes(
    installed: Installation, logs: Path
) -> None:
    pods = await installed.settled()
    assert {pod["spec"]["nodeName"] for pod in pods} == {node.name for node in installed.nodes}
    measured = {
        "seconds": installed.starts,
        "MiB": [memory_of(pod) for pod in pods],
        "image, MiB": {
            "archive": round(ARCHIVE.stat().st_size / 2**20, 1),
            "unpacked": round(installed.image_size / 2**20, 1),
        },
    }
    (logs / MEASURED).write_text(json.dumps(measured, indent=1))
    assert all(status["restartCount"] == 0 for pod in pods for status in statuses(pod))


async def test_a_pipeline_with_its_token_runs_a_scenario(
    installed: Installation, target: TargetCluster, target_uuid: str
) -> None:
    said = await installed.kubectl.shell(calling_curl(installed.address.port) + CALL)
    assert target_uuid in said
    await target.namespace("victims")
    await target.start_pods("victims", "victim", "victim-1", "victim-2")
    way = await installed.way()
    async with way.rest() as session, way.channel() as channel:
        rest, runs = Rest(session), Runs(channel)
        environment = {"NAMESPACE": "victims", "POD_LABEL": LABEL}
        [by_rest] = await rest.run(
            target_uuid, scenarioImage=images.name_of("deletes-pods"), environment=environment
        )
        [by_grpc] = await runs.run(target_uuid, **a_short_run(target_uuid, 0))
        job = await eventually(
            lambda: runs.job(by_rest), lambda job: job.status in FINAL, seconds=SECONDS
        )
        assert (job.status, job.requested_by) == (
            "Succeeded",
            "system:serviceaccount:team-a:ci",
        )
        assert await target.running("victims") == set()
        seen = await eventually(
            lambda: rest.job(by_grpc), lambda job: job["status"] in FINAL, seconds=SECONDS
        )
        assert seen["status"] == "Succeeded"
        log = await rest.get(f"/api/v1/scenarios/run/{by_rest}/logs")
        assert (log.status, log.text[-1:]) == (200, "\n"), log


async def test_restarts_an_upgrade_and_a_drain_lose_and_double_nothing(
    installed: Installation, target_uuid: str, logs: Path
) -> None:
    load = Load(
        await installed.way(), lambda number: a_short_run(target_uuid, number), watches=WATCHES
    )
    load.calls_per_run = CALLS_PER_RUN
    async with installed.jobs.watch() as watch:
        before = set(watch.names(JOBS))
        try:
            async with load.calling():
                await load.many_more(SECONDS)
                await everything_happens_to(installed, load, watch)
        finally:
            (logs / "load.json").write_text(json.dumps(load.told(), indent=1))
        load.nothing_failed()
        assert all(follower.begun > 1 for follower in load.followers), "a watch was never cut"
        assert set(watch.names(JOBS)) - before == load.jobs
        each_ran_once(watch, load.jobs, drained=installed.nodes[0].name)
        in_order = ends_in_order(watch, load.jobs)
        resumed = [follower for follower in load.followers if not follower.anew]
        assert resumed, "no watch went on without a gap"
        for follower in resumed:
            assert [job for job in follower.ends() if job in load.jobs] == in_order


async def everything_happens_to(installed: Installation, load: Load, watch: ObjectWatch) -> None:
    """Restart, upgrade, and drain a node; jobs run meanwhile."""
    for _ in range(RESTARTS):
        await installed.restart()
    former = await installed.pods()
    assert [job for job in load.jobs if phase(watch, job) == "Running"]
    await installed.upgrade()
    new = await installed.settled()
    assert images_of(new).isdisjoint(images_of(former))
    await installed.drain(installed.nodes[0])
    await installed.settled()


async def test_its_removal_leaves_nothing(installed: Installation) -> None:
    kubectl = installed.kubectl
    await kubectl.shell(REMOVAL)
    await kubectl.shell(LAST)
    assert await kubectl("get", KINDS, "-l", OURS, "-o", "name") == ""
    assert await kubectl("get", "pods", "-A", "-o", "name") == ""
    for node in installed.nodes:
        assert await node.containerd.containers() == []


def a_short_run(target: str, number: int) -> Body:
    """A run that lasts for some seconds."""
    environment = {"LASTS": str((1, 4, 10, 20)[number % 4])}
    return a_run(target, scenarioImage=images.name_of("lasts"), environment=environment)


def statuses(pod: Manifest) -> list[Manifest]:
    """Return the statuses of all containers of a pod."""
    return [*pod["status"]["initContainerStatuses"], *pod["status"]["containerStatuses"]]


def images_of(pods: list[Manifest]) -> set[str]:
    """Return the digests of the images that pods run."""
    return {status["imageID"] for pod in pods for status in statuses(pod)}


def each_ran_once(watch: ObjectWatch, jobs: set[str], drained: str) -> None:
    """Assert that each job had one pod and ended well, or with its node's drain."""
    for job in jobs:
        lived_rightly(watch, job)
        status = watch.versions_of(JOBS, job)[-1]["status"]
        if status["phase"] != "Succeeded":
            nodes = {
                pod["spec"].get("nodeName") for pod in watch.versions_of("pods", names.pod_for(job))
            }
            assert (status["phase"], status["reason"]) == ("Failed", "Evicted"), status
            assert drained in nodes


def ends_in_order(watch: ObjectWatch, jobs: set[str]) -> list[str]:
    """Return the jobs in the order in which their ends were written."""
    ends = {}
    for job in jobs:
        final = [
            each
            for each in watch.versions_of(JOBS, job)
            if each.get("status", {}).get("phase") in FINAL
        ]
        ends[job] = int(final[0]["metadata"]["resourceVersion"])
    return sorted(jobs, key=lambda job: ends[job])
