"""While everything is halted the API server takes no job; of halts with a selector it knows not."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from tests.support.accounts import acting_as, make_account, until_bound
from tests.support.custom_objects import GONE, JOBS, MERGE, assert_refused, store
from tests.support.halts import halt, lift, path_of
from tests.support.running import make_namespace, remove_namespace
from tests.support.waiting import eventually

SERVER = "krkn-grpc-server"
BY_HAND = {"runId": GONE, "runUID": GONE, "requestedBy": GONE}


@pytest_asyncio.fixture
async def namespace(control_plane: ControlPlane) -> AsyncIterator[str]:
    """A namespace of this test alone, with a runner."""
    cluster, name = control_plane.cluster, f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(cluster, name)
    await make_account(cluster, name, "runner", "krkn-runner")
    yield name
    await remove_namespace(cluster, name)


async def is_refused(cluster: Cluster, namespace: str) -> bool:
    """Whether the API server refuses a job of its administrator."""
    try:
        await store(cluster, namespace, JOBS, **BY_HAND)
    except ClusterError as error:
        return error.status == 403
    return False


async def is_taken(cluster: Cluster, namespace: str) -> bool:
    return not await is_refused(cluster, namespace)


@pytest.mark.parametrize("selector", [{}, {"targetSelector": ""}, {"targetSelector": " \n"}])
async def test_no_job_is_taken_from_anyone_while_everything_is_halted(
    control_plane: ControlPlane, namespace: str, selector: dict[str, str]
) -> None:
    cluster = control_plane.cluster
    assert await is_taken(cluster, namespace)
    halted = await halt(cluster, namespace, reason="an incident", **selector)
    # The API server hears of the halt by a watch, too.
    await eventually(lambda: is_refused(cluster, namespace))
    said = f"Halted by {halted['metadata']['name']}: an incident"
    for account in (SERVER, "runner"):
        async with acting_as(control_plane, namespace, account) as other:
            await until_bound(other, namespace)
            await assert_refused(store(other, namespace, JOBS, **BY_HAND), said, 403)
    await lift(cluster, halted)
    await eventually(lambda: is_taken(cluster, namespace))


async def test_a_halt_without_a_word_is_a_halt(control_plane: ControlPlane, namespace: str) -> None:
    cluster = control_plane.cluster
    halted = await halt(cluster, namespace)
    await eventually(lambda: is_refused(cluster, namespace))
    said = f"Halted by {halted['metadata']['name']}"
    await assert_refused(store(cluster, namespace, JOBS, **BY_HAND), said, 403)


async def test_any_one_of_several_is_enough(control_plane: ControlPlane, namespace: str) -> None:
    cluster = control_plane.cluster
    first, second = await halt(cluster, namespace), await halt(cluster, namespace)
    await halt(cluster, namespace, targetSelector="env=prod")
    await eventually(lambda: is_refused(cluster, namespace))
    await lift(cluster, first)
    await asyncio.sleep(1)
    assert await is_refused(cluster, namespace)
    await lift(cluster, second)
    await eventually(lambda: is_taken(cluster, namespace))


async def test_a_halt_of_some_targets_and_one_elsewhere_are_let_pass(
    control_plane: ControlPlane, namespace: str
) -> None:
    cluster, elsewhere = control_plane.cluster, f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(cluster, elsewhere)
    await halt(cluster, namespace, targetSelector="env=prod")
    await halt(cluster, elsewhere)
    await eventually(lambda: is_refused(cluster, elsewhere))
    assert await is_taken(cluster, namespace)
    await remove_namespace(cluster, elsewhere)


async def test_a_lifted_halt_that_someone_holds_is_none(
    control_plane: ControlPlane, namespace: str
) -> None:
    cluster = control_plane.cluster
    halted = await halt(cluster, namespace)
    held = {"metadata": {"finalizers": ["example.com/held"]}}
    await cluster.request("PATCH", path_of(halted), held, MERGE)
    await eventually(lambda: is_refused(cluster, namespace))
    await lift(cluster, halted)
    await eventually(lambda: is_taken(cluster, namespace))
    free = {"metadata": {"finalizers": None}}
    await cluster.request("PATCH", path_of(halted), free, MERGE)


async def test_jobs_are_stopped_all_the_same(control_plane: ControlPlane, namespace: str) -> None:
    cluster = control_plane.cluster
    job = await store(cluster, namespace, JOBS, **BY_HAND, stop=False)
    await halt(cluster, namespace)
    await eventually(lambda: is_refused(cluster, namespace))
    assert (await job.merge({"spec": {"stop": True}}))["spec"]["stop"] is True
