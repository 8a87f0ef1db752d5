"""A new version takes over from the former: no call fails, no job is lost, none runs twice."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.processes.ports import LOOPBACK
from tests.faults.scenarios import is_over, lived_rightly, phase
from tests.support import kubelet
from tests.support.callers import Way
from tests.support.jobs import Jobs
from tests.support.load import Load
from tests.support.object_watch import ObjectWatch
from tests.support.requests import IMAGE, Body, a_run
from tests.support.running import Running, Wanted, running
from tests.support.runs import Runs
from tests.support.service_address import Endpoint, ServiceAddress
from tests.support.target_client import Targets

WAIT_SECONDS = 2.0
"""Of the preStop hook; the endpoint is taken away after half of it."""
DRAIN_SECONDS = 7.0
"""As long as an open watch holds it up here; Envoy needs five for its connections."""
ROLLOUTS = 2


@dataclass
class Instance:
    """The processes of one pod."""

    running: Running
    admin: Path

    @property
    def endpoint(self) -> Endpoint:
        """Envoy's."""
        return LOOPBACK, self.running.processes.options.rest_port


@contextlib.asynccontextmanager
async def an_instance(
    control_plane: ControlPlane, namespace: str, folder: Path
) -> AsyncIterator[Instance]:
    """Envoy, server, log reader and controller, serving."""
    own = folder / uuid.uuid4().hex[:6]
    own.mkdir()
    admin = own / "admin.sock"
    settings = {"KRKN_ENVOY_ADMIN_SOCKET": str(admin), "KRKN_LEASE_SECONDS": "4"}
    wanted = Wanted(log_reader=True, environment=settings)
    async with running(control_plane.cluster, namespace, own, wanted) as started:
        yield Instance(started, admin)


@pytest.mark.timeout(240)
async def test_nothing_is_lost_and_nothing_is_doubled(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    jobs = Jobs(control_plane, namespace)
    async with contextlib.AsyncExitStack() as stack:
        address = await stack.enter_async_context(ServiceAddress().serving())
        old = await stack.enter_async_context(an_instance(control_plane, namespace, tmp_path))
        address.endpoints = [old.endpoint]
        target = await Targets(old.running.channel).create()
        watch = await stack.enter_async_context(jobs.watch())

        def a_short_run(number: int) -> Body:
            return a_run(target, scenarioImage=f"{IMAGE}-lasts-{number % 4}s")

        load = Load(Way(address.port), a_short_run)
        load.jobs |= {
            *await Runs(old.running.channel).run(target, scenarioImage=f"{IMAGE}-lasts-20s")
        }
        async with load.calling():
            for _ in range(ROLLOUTS):
                # As a Deployment with maxUnavailable 0: the new one is ready before the old one
                # goes.
                new = await stack.enter_async_context(
                    an_instance(control_plane, namespace, tmp_path)
                )
                address.endpoints.append(new.endpoint)
                await asyncio.gather(_ends(old, address), load.many_more())
                old = new
        load.nothing_failed()
        await _all_jobs_ran_once(watch, load.jobs)
    [follower] = load.followers
    assert follower.begun > ROLLOUTS


async def _ends(instance: Instance, address: ServiceAddress) -> None:
    """Delete the pod: nodes learn a moment later that it gets no new calls."""

    async def leaves() -> None:
        await asyncio.sleep(WAIT_SECONDS / 2)
        address.endpoints.remove(instance.endpoint)

    await asyncio.gather(
        leaves(),
        kubelet.terminate(
            instance.running.processes, instance.admin, (WAIT_SECONDS, DRAIN_SECONDS)
        ),
    )


async def _all_jobs_ran_once(watch: ObjectWatch, started: set[str]) -> None:
    assert len(started) > 2 * ROLLOUTS
    for job in started:
        await watch.until("over", lambda job=job: is_over(watch, job), seconds=60)  # type: ignore[misc]
        lived_rightly(watch, job)
        assert phase(watch, job) == "Succeeded"
