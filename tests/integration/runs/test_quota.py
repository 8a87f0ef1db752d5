"""A target whose job cannot be written is that target's failure, and no other's."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.runs.conftest import Site, a_site
from tests.integration.runs.held import a_proxy, cut, told, writes_of
from tests.support.cluster_rules import make_quota
from tests.support.running import Wanted

COUNTED = "count/krknchaosjobs.krkn.krkn-chaos.dev"
USED_UP = "a quota of the namespace is used up"


@pytest_asyncio.fixture
async def own_site(control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Site]:
    async with a_site(control_plane, tmp_path, Wanted(controller=False, envoy=False)) as site:
        yield site


async def limit(site: Site, jobs: int) -> None:
    """Let the namespace have so many jobs and no more."""
    await make_quota(site.cluster, site.namespace, COUNTED, jobs)


async def test_a_quota_is_that_targets_failure_and_the_retry_finishes(own_site: Site) -> None:
    targets, asked = await own_site.some_targets(5), {"requestId": str(uuid.uuid4())}
    await limit(own_site, 2)
    reply = await own_site.runs.ask(*targets, **asked)
    assert (reply.total_targets, reply.successful_jobs, reply.failed_jobs) == (5, 2, 3)
    refused = [job for job in reply.jobs if not job.success]
    assert {(job.status, job.error, job.job_id) for job in refused} == {("Failed", USED_UP, "")}
    created = {job.target_uuid: job.job_id for job in reply.jobs if job.success}
    found = await own_site.jobs_on(*targets)
    assert {j["spec"]["targetUUID"]: j["metadata"]["name"] for j in found} == created

    quota = f"/api/v1/namespaces/{own_site.namespace}/resourcequotas/q"
    await own_site.cluster.request("DELETE", quota)
    again = await own_site.runs.ask(*targets, **asked)
    assert again.failed_jobs == 0
    assert created.items() <= {job.target_uuid: job.job_id for job in again.jobs}.items()
    assert len(await own_site.jobs_on(*targets)) == 5


@pytest.mark.parametrize(("lost", "status"), [("after", "Pending"), ("before", "Unknown")])
async def test_a_quota_that_the_lost_write_has_used_up_does_not_deny_the_job(
    control_plane: ControlPlane, tmp_path: Path, lost: str, status: str
) -> None:
    """The quota is asked before the name: the repetition is refused for the job that it repeats."""
    async with a_proxy(control_plane) as proxy:
        wanted = Wanted(controller=False, envoy=False, kubeconfig_url=proxy.url)
        async with a_site(control_plane, tmp_path, wanted) as site:
            target, other = await site.some_targets(2)
            await limit(site, 1)
            if lost == "before":
                assert len(await site.runs.run(other)) == 1
            cut(proxy, lost, writes_of(target), only_once=True)
            reply = await site.runs.ask(target)
            assert told(reply) == [(target, status, status == "Pending")]
            [job] = reply.jobs
            found = {job["metadata"]["name"] for job in await site.jobs_on(target)}
            assert found == ({job.job_id} if lost == "after" else set())
            assert job.pod_name == f"krkn-job-{job.job_id}", "it can be stopped if it exists"
