"""The controller makes itself known, keeps that fresh, and respects what the administrator says."""

import asyncio
import time
from datetime import datetime, timedelta

from structlog.testing import capture_logs

from controller.provider.heartbeat import keep_registered
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.provider import Provider
from krkn_grpc.resources.well_known import INACTIVE_BY
from tests.integration.jobs.conftest import StartController
from tests.support.custom_objects import MERGE, PROVIDERS, Manifest, collection
from tests.support.jobs import Jobs
from tests.support.waiting import eventually


async def provider(jobs: Jobs) -> Manifest:
    return await jobs.cluster.request("GET", path(jobs))


async def change(jobs: Jobs, **spec: object) -> None:
    await jobs.cluster.request("PATCH", path(jobs), {"spec": spec}, MERGE)


def path(jobs: Jobs) -> str:
    return f"{collection(PROVIDERS, jobs.namespace)}/{PROVIDER}"


def beat(of: Manifest) -> datetime:
    return datetime.fromisoformat(of["status"]["timestamp"])


async def until_registered(jobs: Jobs) -> Manifest:
    listing = collection(PROVIDERS, jobs.namespace)

    async def look() -> list[Manifest]:
        items: list[Manifest] = (await jobs.cluster.request("GET", listing))["items"]
        return items

    (found,) = await eventually(look, lambda items: items and "status" in items[0])
    return found


async def test_registered_and_fresh(own_jobs: Jobs, a_controller: StartController) -> None:
    async with a_controller(heartbeat_seconds=1) as controller:
        await controller.start()
        first = await until_registered(own_jobs)
        assert first["metadata"]["name"] == PROVIDER
        assert first["spec"] == {"operator-name": "krkn-operator", "active": True}
        later = beat(first) + timedelta(seconds=2)
        await eventually(lambda: provider(own_jobs), lambda seen: beat(seen) >= later)


async def test_signed_off_at_the_end_and_back_at_the_start(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        await until_registered(own_jobs)
        await controller.stop()
        away = await provider(own_jobs)
        assert away["spec"]["active"] is False
        assert away["metadata"]["annotations"][INACTIVE_BY] == "shutdown"
        await controller.start()
        back = await eventually(lambda: provider(own_jobs), lambda seen: seen["spec"]["active"])
        assert INACTIVE_BY not in back["metadata"].get("annotations", {})


async def test_what_the_administrator_switched_off_stays_off(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller(heartbeat_seconds=1) as controller:
        await controller.start()
        first = await until_registered(own_jobs)
        await change(own_jobs, active=False)
        await controller.stop()
        off = await provider(own_jobs)
        assert INACTIVE_BY not in off["metadata"].get("annotations", {})
        await controller.start()
        later = max(beat(first), beat(off)) + timedelta(seconds=1)
        fresh = await eventually(lambda: provider(own_jobs), lambda seen: beat(seen) >= later)
        assert fresh["spec"]["active"] is False


async def test_switched_on_by_the_administrator_then_off(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """The mark of an earlier shutdown does not outlive the time when it was true."""
    async with a_controller(heartbeat_seconds=1) as controller:
        await controller.start()
        await until_registered(own_jobs)
        await controller.stop()
        await change(own_jobs, active=True)
        await change(own_jobs, active=False)
        await change(own_jobs, active=True)
        await controller.start()
        await eventually(
            lambda: provider(own_jobs),
            lambda seen: INACTIVE_BY not in seen["metadata"].get("annotations", {}),
        )


async def test_a_standby_does_not_sign_off(own_jobs: Jobs, a_controller: StartController) -> None:
    async with a_controller() as first, a_controller() as second:
        await first.start()
        await until_registered(own_jobs)
        await second.start()
        await second.stop()
        assert (await provider(own_jobs))["spec"]["active"] is True
        await second.start()
        await first.stop()
        await second.logged("leading")
        await eventually(lambda: provider(own_jobs), lambda seen: seen["spec"]["active"])


async def test_deleted_by_hand_it_comes_back(own_jobs: Jobs, a_controller: StartController) -> None:
    async with a_controller(heartbeat_seconds=0.5) as controller:
        await controller.start()
        before = await until_registered(own_jobs)
        await own_jobs.cluster.request("DELETE", path(own_jobs))
        after = await until_registered(own_jobs)
        assert after["metadata"]["uid"] != before["metadata"]["uid"]


async def test_where_it_cannot_be_created_it_is_tried_again_at_each_beat(
    control_plane: ControlPlane,
) -> None:
    """As where the resource definition is not installed: the API server answers 404 to all."""
    access = await ClusterAccess.load(control_plane.admin_kubeconfig)
    with capture_logs() as logged:
        async with Session(access) as session:
            providers: ResourceClient[Provider] = ResourceClient(session, Provider, "not-there")
            beats = asyncio.create_task(keep_registered(providers, every_seconds=0.5))
            started = time.monotonic()

            async def events() -> list[str]:
                return [line["event"] for line in logged]

            seen = await eventually(events, lambda events: len(events) >= 3)
            assert time.monotonic() - started >= 1
            assert set(seen) == {"provider not renewed"}
            beats.cancel()
