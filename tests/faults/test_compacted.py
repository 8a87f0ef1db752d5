"""etcd forgets what happened while the watches were away: a real 410, to both processes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.faults.fault_kinds import dropped_before
from tests.faults.proxy import Call, Fault, FaultProxy
from tests.faults.scenarios import is_over, lived_rightly
from tests.integration.runs.conftest import Site, a_site
from tests.support.custom_objects import JOBS, collection
from tests.support.etcd import compact
from tests.support.jobs import FINAL, Jobs
from tests.support.requests import IMAGE
from tests.support.rpc import refused
from tests.support.running import CLUSTER_WIDE, Wanted
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Held:
    """A server and a controller behind one proxy, and a server that is not."""

    site: Site
    proxy: FaultProxy

    @property
    def jobs(self) -> Jobs:
        """The administrator's hand on the jobs."""
        return Jobs(self.site.control_plane, self.site.namespace)

    def hold(self) -> None:
        """End the watches, and let none begin: nor a list, which would do as well."""
        self.proxy.rule = self._away
        self.proxy.cut_watches()

    def let_go(self) -> None:
        """Let the watches begin again, from where they were."""
        self.proxy.rule = lambda _: None

    @staticmethod
    def _away(call: Call) -> Fault | None:
        return dropped_before if call.is_watch or call.is_list else None


@pytest_asyncio.fixture
async def held(binaries: Binaries, tmp_path: Path) -> AsyncIterator[Held]:
    async with ControlPlane(binaries, crds=CLUSTER_WIDE) as control_plane:
        proxy = FaultProxy(control_plane.url, control_plane.ca_pem)
        async with proxy.serving():
            behind = Wanted(envoy=False, kubeconfig_url=proxy.url)
            free = Wanted(controller=False, envoy=False)
            async with a_site(control_plane, tmp_path, behind, free) as site:
                yield Held(site, proxy)


@pytest.mark.timeout(300)
async def test_watches_from_before_a_compaction(held: Held) -> None:
    site, jobs = held.site, held.jobs
    target, other = await site.some_targets(2)
    long = {"scenarioImage": f"{IMAGE}-never-ends"}
    [stopped] = await site.runs.run(target, **long)
    [deleted] = await site.runs.run(target, **long)
    async with (
        jobs.watch(may_list_anew=True) as watch,
        site.runs.watch() as open_watch,
        site.other_runs.watch() as elsewhere,
    ):
        for job_id in (stopped, deleted):
            await open_watch.status(job_id, "Running")
        [ends] = await site.runs.run(other, scenarioImage=f"{IMAGE}-lasts-8s-exit-3")
        await open_watch.status(ends, "Running")
        before = open_watch.token

        held.hold()
        await site.other_runs.stop(stopped)
        await jobs.delete(deleted)
        new = await site.other_runs.run(target, other)
        made_with_kubectl = await jobs.job(await jobs.read_target(other), "lasts-0s")
        await elsewhere.until(lambda message: message.job.job_id == made_with_kubectl)
        within = elsewhere.token
        # Other things happen too, after the last that is told of a job.
        await jobs.secret({"name": "something-else"}, {})
        # And so does the end of what runs, while nobody who would write it down can see it.
        await jobs.ended(ends)
        await compact(site.control_plane)
        # What an API server remembers by itself goes with it.
        await site.control_plane.restart("kube-apiserver")
        held.let_go()

        assert (await jobs.finished(stopped, seconds=60))["phase"] == "Stopped"
        status = await jobs.finished(ends, seconds=60)
        assert (status["phase"], status["exitCode"]) == ("Failed", 3)
        for job_id in (*new, made_with_kubectl):
            assert (await jobs.finished(job_id, seconds=60))["phase"] == "Succeeded"
        await jobs.no_pod(deleted, seconds=60)
        await jobs.no_secrets(deleted, seconds=60)
        await _both_were_told(held)
        for job_id in (stopped, ends, *new, made_with_kubectl):
            await open_watch.status(job_id, *FINAL)
            await watch.until("told", partial(is_over, watch, job_id))
            lived_rightly(watch, job_id)
        await open_watch.without(deleted)
        assert open_watch.jobs == {job.job_id: job for job in await site.runs.list()}

    # Whoever knows all from before the gap is told what became of it.
    async with site.runs.watch(resume_token=before) as resumed:
        resumed.jobs = {job_id: open_watch.jobs.get(job_id, pb.Job()) for job_id in (deleted, ends)}
        resumed.jobs[stopped] = open_watch.jobs[stopped]
        await resumed.status(made_with_kubectl, *FINAL)
        await resumed.without(deleted)
    # Whoever knows a part of it is not: nobody remembers what the rest was.
    request = pb.WatchScenarioRunsRequest(resume_token=within)
    found = await refused(site.runs.stub.WatchScenarioRuns(request).read())
    assert (found.code, found.reason) == (StatusCode.OUT_OF_RANGE, "TOKEN_TOO_OLD")
    assert found.message == "the resumeToken is too old: start anew without one"


async def _both_were_told(held: Held) -> None:
    """Assert that the API server said 410 to the server's and to the controller's watches."""
    jobs = collection(JOBS, held.site.namespace)
    pods = f"/api/v1/namespaces/{held.site.namespace}/pods"

    async def told() -> tuple[int, int]:
        return held.proxy.too_old[jobs], held.proxy.too_old[pods]

    # Both watch jobs, only the controller watches pods.
    await eventually(told, lambda counts: counts[0] >= 2 and counts[1] >= 1)
