"""Of several controllers one acts, and another takes over when it is gone, frozen or cut off."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from krkn_grpc.resources.names import CONTROLLER_LEASE
from tests.integration.jobs.conftest import StartController
from tests.support.controllers import Controller
from tests.support.custom_objects import MERGE, Manifest
from tests.support.jobs import Jobs
from tests.support.waiting import eventually


@contextlib.asynccontextmanager
async def two(
    a_controller: StartController, lease_seconds: int = 2
) -> AsyncIterator[tuple[Controller, Controller]]:
    """A leader and a standby."""
    terms = {"lease_seconds": lease_seconds}
    async with a_controller(**terms) as first, a_controller(**terms) as second:
        await first.start()
        await first.logged("leading")
        await second.start()
        yield first, second


async def lease(jobs: Jobs) -> Manifest:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{jobs.namespace}/leases/{CONTROLLER_LEASE}"
    spec: Manifest = (await jobs.cluster.request("GET", path))["spec"]
    return spec


def acted(controller: Controller) -> bool:
    return any("job" in line for line in controller.events())


async def test_only_the_leader_acts(own_jobs: Jobs, a_controller: StartController) -> None:
    # Longer than a busy machine holds up the first one.
    async with two(a_controller, lease_seconds=60) as (first, second):
        target = await own_jobs.target()
        jobs = [await own_jobs.job(target) for _ in range(5)]
        for job in jobs:
            assert (await own_jobs.finished(job))["phase"] == "Succeeded"
        assert acted(first)
        assert not acted(second)
        assert f"_{first.child.pid}_" in (await lease(own_jobs))["holderIdentity"]


async def test_the_leader_hands_over_when_it_is_asked_to_end(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with two(a_controller, lease_seconds=60) as (first, second):
        target = await own_jobs.target()
        job = await own_jobs.job(target, "lasts-2s")
        await own_jobs.running(job)
        await first.stop()
        assert first.child.exit_code == 0
        await second.logged("leading", seconds=40)  # and not when 60 s are over
        assert (await own_jobs.finished(job))["phase"] == "Succeeded"
        later = await own_jobs.job(target)
        assert (await own_jobs.finished(later))["phase"] == "Succeeded"


async def test_the_leader_is_killed(own_jobs: Jobs, a_controller: StartController) -> None:
    async with two(a_controller) as (first, second):
        target = await own_jobs.target()
        running = await own_jobs.job(target, "lasts-3s")
        waiting = await own_jobs.job(target, "image-pull-error")
        await own_jobs.running(running)
        await first.kill()
        new = await own_jobs.job(target)
        await own_jobs.stop(waiting)
        await second.logged("leading")
        assert (await own_jobs.finished(running))["phase"] == "Succeeded"
        assert (await own_jobs.finished(waiting))["phase"] == "Stopped"
        assert (await own_jobs.finished(new))["phase"] == "Succeeded"


async def test_the_leader_is_frozen_and_wakes(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with two(a_controller) as (first, second):
        target = await own_jobs.target()
        async with own_jobs.watch() as watch:
            before = [await own_jobs.job(target, "lasts-1s") for _ in range(10)]
            first.child.pause()
            after = [await own_jobs.job(target, "lasts-1s") for _ in range(10)]
            await second.logged("leading")
            first.child.resume()
            await first.logged("not leading any more")
            for job in [*before, *after]:
                assert (await own_jobs.finished(job))["phase"] == "Succeeded"
            bound = {
                name: {
                    pod["metadata"]["uid"]
                    for pod in watch.versions_of("pods", name)
                    if pod["spec"].get("nodeName")
                }
                for name in watch.names("pods")
            }
        assert all(len(uids) == 1 for uids in bound.values())
        assert first.child.is_running, "it takes part again"
        await second.stop()
        await eventually(lambda: is_leading(first))


async def is_leading(controller: Controller) -> bool:
    return controller.is_leading


@pytest.mark.parametrize("how", ["deleted", "taken"])
async def test_the_lease_is_taken_away(
    own_jobs: Jobs, a_controller: StartController, how: str
) -> None:
    """Whoever lost it stops, and takes part again."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{own_jobs.namespace}/leases/{CONTROLLER_LEASE}"
    async with a_controller() as controller:
        await controller.start()
        await controller.logged("leading")
        if how == "deleted":
            await own_jobs.cluster.request("DELETE", path)
        else:
            taken = {"spec": {"holderIdentity": "someone-else"}}
            await own_jobs.cluster.request("PATCH", path, taken, MERGE)
        await controller.logged("not leading any more")
        await eventually(lambda: is_leading(controller))
        job = await own_jobs.job(await own_jobs.target())
        assert (await own_jobs.finished(job))["phase"] == "Succeeded"


async def test_it_ends_at_once_though_the_api_server_does_not_answer(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        await controller.logged("leading")
        own_jobs.control_plane.pause("kube-apiserver")
        try:
            began = asyncio.get_running_loop().time()
            await controller.stop()
            assert asyncio.get_running_loop().time() - began < 14  # a call is given up after 15 s
            assert controller.child.exit_code == 0
        finally:
            own_jobs.control_plane.resume("kube-apiserver")
