"""What the controller makes of jobs that nobody saw come or go, and when it deletes a run."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from controller.runs.departures import Departures
from controller.runs.reconcile import RunReconciler
from deploy.local.cluster.api import ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun, ClaimedRun
from krkn_grpc.resources.pod import Pod
from tests.integration.jobs.conftest import a_namespace
from tests.support import chaos_runs
from tests.support.controllers import ACCOUNT
from tests.support.custom_objects import MERGE, Manifest
from tests.support.jobs import Jobs
from tests.support.waiting import eventually

LONGEST_CALL = timedelta(seconds=25)
WRITTEN = timedelta(minutes=3)
NODE_LOST = timedelta(minutes=10)
FORGOTTEN = timedelta(days=2)
NOTHING = {"pending": 0, "running": 0, "succeeded": 0, "failed": 0, "stopped": 0, "refused": 0}


class Controller:
    """The controller of runs, without the rest of the process, and at another time."""

    def __init__(self, session: Session, namespace: str) -> None:
        self.runs = Informer(ResourceClient(session, ChaosRun, namespace))
        self.jobs = Informer(ResourceClient(session, ChaosJob, namespace))
        self.pods = Informer(ResourceClient(session, Pod, namespace))
        self.later = timedelta()
        self.departures = Departures()
        self.reconciler = RunReconciler(
            runs=self.runs,
            jobs=self.jobs,
            pods=self.pods,
            claims=ResourceClient(session, ClaimedRun, namespace),
            departures=self.departures,
            longest_call=LONGEST_CALL,
            node_lost=NODE_LOST,
            clock=lambda: datetime.now(UTC) + self.later,
        )

    async def sees(self, run: chaos_runs.ChaosRun) -> None:
        """Wait until the caches have all that was written before."""
        listed = await self.runs.client.list(limit=1)
        await eventually(
            lambda: asyncio.sleep(0, self.runs.get(run.name)), lambda found: found is not None
        )
        for cache in (self.runs, self.jobs, self.pods):
            # Without events a watch tells no revision: what is there counts.
            await cache.reached(listed.revision, 0.5)

    async def reconcile(self, run: chaos_runs.ChaosRun) -> Manifest | None:
        """Reconcile the run and return its status, None when it is gone."""
        await self.sees(run)
        await self.reconciler.reconcile(run.name)
        try:
            return await run.status()
        except ClusterError as error:
            if error.status != 404:
                raise
            return None


@pytest_asyncio.fixture
async def jobs(control_plane: ControlPlane) -> AsyncIterator[Jobs]:
    async with a_namespace(control_plane) as jobs:
        yield jobs


@pytest_asyncio.fixture
async def controller(jobs: Jobs, tmp_path: Path) -> AsyncIterator[Controller]:
    kubeconfig = tmp_path / "kubeconfig"
    await jobs.cluster.write_account_kubeconfig(kubeconfig, jobs.namespace, ACCOUNT)
    async with Session(await ClusterAccess.load(kubeconfig)) as session:
        made = Controller(session, jobs.namespace)
        caches = (made.runs, made.jobs, made.pods)
        tasks = [asyncio.ensure_future(cache.run()) for cache in caches]
        await asyncio.gather(*(cache.synced() for cache in caches))
        yield made
        for task in tasks:
            task.cancel()


async def a_run(jobs: Jobs, count: int) -> chaos_runs.ChaosRun:
    targets = [await jobs.target(admitted=False, with_secret=False) for _ in range(count)]
    return await chaos_runs.a_run(jobs, targets, idempotencySeconds=86_400)


async def claim(run: chaos_runs.ChaosRun, number: int) -> None:
    """Claim the id of a job, as the controller does before it starts it."""
    status = {"claims": {run.job_ids[number]: "uid-of-the-job"}}
    await run.jobs.cluster.request("PATCH", f"{run.path}/status", {"status": status}, MERGE)


async def test_a_job_that_never_came_is_refused_at_last(jobs: Jobs, controller: Controller) -> None:
    run = await a_run(jobs, 2)
    assert await controller.reconcile(run) == {"phase": "Pending"}, "there is nothing to say yet"
    controller.later = WRITTEN
    status = await controller.reconcile(run)
    assert status is not None
    assert (status["phase"], status["counts"]) == ("Failed", NOTHING | {"total": 2, "refused": 2})
    assert status["departed"] == run.job_ids


async def test_a_job_that_came_and_went_unseen_counts_as_failed(
    jobs: Jobs, controller: Controller
) -> None:
    """A limit of failures must not be missed because nobody saw how it ended."""
    run = await a_run(jobs, 2)
    await claim(run, 0)
    controller.later = WRITTEN
    status = await controller.reconcile(run)
    assert status is not None
    assert status["counts"] == NOTHING | {"total": 2, "failed": 1, "refused": 1}
    assert status["claims"] == {run.job_ids[0]: "uid-of-the-job"}, "a claim stays"


async def test_a_job_that_is_there_and_not_in_the_cache_is_not_gone(
    jobs: Jobs, controller: Controller
) -> None:
    [target] = [await jobs.target(admitted=False, with_secret=False)]
    run = await chaos_runs.a_run(jobs, [target] * 2)
    job_id = await run.job(0, target)
    job = await controller.jobs.client.get(job_id)
    await eventually(lambda: asyncio.sleep(0, controller.jobs.get(job_id)))
    controller.jobs.forget(job)
    controller.later = WRITTEN
    status = await controller.reconcile(run)
    assert status is not None
    assert status["departed"] == [run.job_ids[1]]
    assert status["counts"]["pending"] == 1


async def test_another_job_under_the_id_is_none_of_the_run_s(
    jobs: Jobs, controller: Controller
) -> None:
    """Somebody may read a job's id in the run, and make a job of it before the server does."""
    target = await jobs.target(admitted=False, with_secret=False)
    run = await chaos_runs.a_run(jobs, [target])
    await jobs.job(target, jobId=run.job_ids[0])
    controller.later = WRITTEN
    status = await controller.reconcile(run)
    assert status is not None
    assert (status["phase"], status["counts"]) == ("Failed", NOTHING | {"total": 1, "refused": 1})


@pytest.mark.parametrize("is_seen", [True, False], ids=["seen", "not in the cache"])
async def test_a_deleted_job_counts_until_its_pod_cannot_run(
    jobs: Jobs, controller: Controller, is_seen: bool
) -> None:
    target = await jobs.target(admitted=False, with_secret=False)
    run = await chaos_runs.a_run(jobs, [target])
    job_id = await run.job(0, target)
    job = await controller.jobs.client.get(job_id)
    mark = {"krkn.krkn-chaos.dev/job-uid": job.metadata.uid}
    pod = await jobs.make_pod(job_id, {"terminationGracePeriodSeconds": 0}, annotations=mark)
    await jobs.delete(job_id, "Orphan")
    controller.departures.add(job)
    await eventually(
        lambda: asyncio.sleep(0, controller.jobs.get(job_id)), lambda found: found is None
    )
    name = pod["metadata"]["name"]
    await eventually(lambda: asyncio.sleep(0, controller.pods.get(name)))
    if not is_seen:
        known = controller.pods.get(name)
        assert known is not None
        controller.pods.forget(known)
    assert await controller.reconcile(run) == {"phase": "Pending"}
    await jobs.tear_pod_out(job_id)
    await eventually(
        lambda: asyncio.sleep(0, controller.pods.get(name)), lambda found: found is None
    )
    status = await controller.reconcile(run)
    assert status is not None
    assert (status["phase"], status["departed"]) == ("Stopped", [job_id])


async def test_the_pod_of_a_lost_node_does_not_hold_a_run_for_ever(
    jobs: Jobs, controller: Controller
) -> None:
    target = await jobs.target(admitted=False, with_secret=False)
    run = await chaos_runs.a_run(jobs, [target])
    job_id = await run.job(0, target)
    job = await controller.jobs.client.get(job_id)
    mark = {"krkn.krkn-chaos.dev/job-uid": job.metadata.uid}
    spec = {"nodeName": "a-lost-node", "terminationGracePeriodSeconds": 1}
    await jobs.make_pod(job_id, spec, annotations=mark)
    await jobs.delete(job_id, "Orphan")
    await jobs.delete_pod(job_id)
    controller.departures.add(job)
    await eventually(
        lambda: asyncio.sleep(0, controller.jobs.get(job_id)), lambda found: found is None
    )
    assert await controller.reconcile(run) == {"phase": "Pending"}
    controller.later = NODE_LOST + timedelta(minutes=1)
    status = await controller.reconcile(run)
    assert status is not None
    assert status["departed"] == [job_id]


async def test_a_run_that_is_not_in_the_cache_is_not_forgotten(
    jobs: Jobs, controller: Controller
) -> None:
    target = await jobs.target(admitted=False, with_secret=False)
    run = await chaos_runs.a_run(jobs, [target])
    job = await controller.jobs.client.get(await run.job(0, target))
    await controller.sees(run)
    known = controller.runs.get(run.name)
    assert known is not None
    controller.departures.add(job)
    controller.runs.forget(known)
    assert await controller.reconciler.reconcile(run.name) is not None, "it looks again"
    assert controller.departures.of(run.name) == {job.metadata.name: "stopped"}
    await run.delete()
    await eventually(lambda: controller.reconciler.reconcile(run.name), lambda again: again is None)
    assert controller.departures.of(run.name) == {}


@pytest.mark.parametrize(
    ("later", "is_there"), [(WRITTEN, True), (timedelta(hours=23), True), (FORGOTTEN, False)]
)
async def test_a_run_goes_when_its_call_is_forgotten(
    jobs: Jobs, controller: Controller, later: timedelta, is_there: bool
) -> None:
    run = await a_run(jobs, 1)
    controller.later = later
    assert (await controller.reconcile(run) is not None) is is_there


async def test_a_run_stays_while_a_job_of_it_is_there(jobs: Jobs, controller: Controller) -> None:
    target = await jobs.target(admitted=False, with_secret=False)
    run = await chaos_runs.a_run(jobs, [target])
    job_id = await run.job(0, target)
    status = {"status": {"phase": "Succeeded"}}
    await jobs.cluster.request("PATCH", f"{jobs.path(job_id)}/status", status, MERGE)
    await eventually(
        lambda: asyncio.sleep(0, controller.jobs.get(job_id)),
        lambda job: job is not None and job.status.is_final,
    )
    controller.later = FORGOTTEN
    for _ in range(2):
        left = await controller.reconcile(run)
        assert left is not None
        assert left["phase"] == "Succeeded"
    job = controller.jobs.get(job_id)
    assert job is not None
    await jobs.delete(job_id)
    controller.departures.add(job)
    await eventually(lambda: asyncio.sleep(0, controller.jobs.get(job_id)), lambda job: job is None)
    assert await controller.reconcile(run) is None
