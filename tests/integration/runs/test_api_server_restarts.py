"""The API server goes and comes back: watches heal by themselves, and logs do not look whole."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from tests.integration.runs.conftest import Site, a_site
from tests.support.requests import IMAGE
from tests.support.running import CLUSTER_WIDE, Wanted
from tests.support.runs import code_of


@pytest_asyncio.fixture
async def fragile(binaries: Binaries, tmp_path: Path) -> AsyncIterator[Site]:
    """A site in a cluster of its own."""
    async with (
        ControlPlane(binaries, crds=CLUSTER_WIDE) as control_plane,
        a_site(control_plane, tmp_path, Wanted(envoy=False)) as site,
    ):
        yield site


async def test_the_api_server_is_killed_and_comes_back(fragile: Site) -> None:
    target, other = await fragile.some_targets(2)
    never_ends, at_work = f"{IMAGE}-never-ends", f"{IMAGE}-lasts-3s"
    [follow] = await fragile.runs.run(target, scenarioImage=never_ends)
    async with fragile.runs.watch() as watcher:
        await watcher.status(follow, "Running")
        [works] = await fragile.runs.run(other, scenarioImage=at_work)
        await watcher.status(works, "Running")
        log = fragile.runs.log(follow, follow=True)
        await log.read()
        await fragile.control_plane.kill("kube-apiserver")
        assert await code_of(log) is StatusCode.UNAVAILABLE
        assert (await fragile.runs.job(follow)).status == "Running", "as it was last seen"
        await fragile.control_plane.start("kube-apiserver")

        # The same watch goes on, with what happened meanwhile and with what comes.
        await watcher.status(works, "Succeeded")
        [new] = await fragile.runs.run(other)
        await watcher.status(new, "Succeeded")
        token = watcher.token
    listed = {job.job_id: job for job in await fragile.runs.list()}
    assert watcher.jobs == listed
    async with fragile.runs.watch(resume_token=token) as resumed:
        resumed.jobs = dict(listed)
        await fragile.runs.stop(follow)
        await resumed.status(follow, "Stopped")
