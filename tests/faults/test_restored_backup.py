"""etcd is restored from a backup: what the processes have seen has never been, and they notice."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.integration.runs.conftest import Site, a_site
from tests.support.requests import IMAGE, unused_name
from tests.support.rpc import refused
from tests.support.running import CLUSTER_WIDE, Wanted
from tests.support.waiting import eventually

STORE = ("kube-apiserver", "etcd")


@pytest_asyncio.fixture
async def site(binaries: Binaries, tmp_path: Path) -> AsyncIterator[Site]:
    async with (
        ControlPlane(binaries, crds=CLUSTER_WIDE) as control_plane,
        a_site(control_plane, tmp_path, Wanted(envoy=False)) as site,
    ):
        yield site


async def down(control_plane: ControlPlane) -> Path:
    """End the API server and etcd; return the folder with all that they know."""
    for name in STORE:
        await control_plane.stop(name)
    return control_plane.admin_kubeconfig.with_name("etcd-data")


async def up(control_plane: ControlPlane) -> None:
    for name in reversed(STORE):
        await control_plane.start(name)


@pytest.mark.timeout(300)
async def test_both_processes_begin_again(site: Site, tmp_path: Path) -> None:
    control_plane, [server] = site.control_plane, site.servers
    [target] = await site.some_targets(1)
    [kept] = await site.runs.run(target, scenarioImage=f"{IMAGE}-lasts-0s")
    await site.runs.when(kept, "Succeeded")

    data = await down(control_plane)
    shutil.copytree(data, backup := tmp_path / "backup")
    await up(control_plane)
    # What comes now will never have been.
    await eventually(site.targets.list, lambda found: len(found) == 1)
    lost = [await site.targets.create(clusterName=unused_name()) for _ in range(20)]
    [lost_job] = await site.runs.run(target, scenarioImage=f"{IMAGE}-lasts-0s")
    await site.runs.when(lost_job, "Succeeded")
    async with site.runs.watch() as watch:
        await watch.until(lambda message: message.type == "SYNCED")
        token_of_the_lost = watch.token

    await down(control_plane)
    shutil.rmtree(data)
    shutil.copytree(backup, data)
    restored_at = time.monotonic()
    await up(control_plane)
    for name in ("controller", "server"):
        code = await asyncio.wait_for(server.processes.child(name).wait(), 120)
        assert code == 1, "it ends with an error, so that whoever keeps it alive starts it again"
        said = [event["event"] for event in server.processes.events(name)]
        assert "the API server has gone back" in said
    assert time.monotonic() - restored_at < 120

    # Those of Kubernetes are restarted by whoever restores a backup, as its manual says.
    for child in control_plane.children:
        if child.name not in STORE:
            await control_plane.restart(child.name)
    for name in ("controller", "server"):
        server.processes.start_again(name)
    await server.processes.ready()
    assert [each.uuid for each in await site.targets.list()] == [target]
    assert [each.job_id for each in await site.runs.list()] == [kept]
    assert target not in lost
    # All of it works: a new job runs to its end.
    [new] = await site.runs.run(target, scenarioImage=f"{IMAGE}-lasts-0s")
    await site.runs.when(new, "Succeeded")
    # Who was told of what has never been cannot go on from there.
    request = pb.WatchScenarioRunsRequest(resume_token=token_of_the_lost)
    found = await refused(site.runs.stub.WatchScenarioRuns(request, timeout=200).read())
    assert found.code is StatusCode.OUT_OF_RANGE


async def test_an_api_server_that_restarts_is_no_reason(site: Site) -> None:
    [server] = site.servers
    pids = [server.processes.child(name).pid for name in ("controller", "server")]
    [target] = await site.some_targets(1)
    for _ in range(3):
        await down(site.control_plane)
        await up(site.control_plane)
    await eventually(partial(site.runs.run, target))
    assert [server.processes.child(name).pid for name in ("controller", "server")] == pids
    assert all(server.processes.child(name).is_running for name in ("controller", "server"))
