"""Target requests while either provider is killed, or calls of ours fail: the end is the same."""

import asyncio
import contextlib
import random
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.faults.conftest import ALL
from tests.faults.fault_kinds import EVERY, held, killed
from tests.faults.proxy import Call, Fault, FaultProxy
from tests.integration.target_requests.test_order import assert_always_in_order, until_seen
from tests.support.custom_objects import Manifest
from tests.support.discovery import OURS, assert_untouched
from tests.support.discovery_scene import Scene, a_scene
from tests.support.object_watch import ObjectWatch
from tests.support.other_providers import OtherProviderProcess
from tests.support.waiting import eventually

# Label, pending, Secret, key, completion.
WRITES = (1, 2, 3, 4, 5)
# The other provider may be faster with all of them but the Secret and the key.
KILLED = {"before": WRITES if ALL else (2,), "after": WRITES if ALL else (1, 2, 4)}
FAULTS = EVERY if ALL else {"dropped after": EVERY["dropped after"], "conflict": EVERY["conflict"]}
STEPS = ("label", "pending", "secret", "status")
SECONDS = 60.0


@dataclass
class AtWrite:
    """Does something to the k-th write of the controller for a request, once."""

    number: int
    fault: Fault
    request: str = ""
    writes: int = 0

    def rule(self, call: Call) -> Fault | None:
        """Return what happens to this call."""
        is_about = self.request in f"{call.path} {call.body.decode(errors='replace')}"
        if not call.is_write or not self.request or not is_about:
            return None
        self.writes += 1
        return self.fault if self.writes == self.number else None


@dataclass
class FreezesAt:
    """Holds the k-th write for a request, and with it every later call of the controller."""

    request: str
    number: int
    thaw: asyncio.Event = field(default_factory=asyncio.Event)
    writes: int = 0

    @property
    def is_frozen(self) -> bool:
        """Whether its calls are held."""
        return self.writes >= self.number and not self.thaw.is_set()

    def rule(self, call: Call) -> Fault | None:
        """Return what happens to this call."""
        if call.is_write and self.request in f"{call.path} {call.body.decode(errors='replace')}":
            self.writes += 1
        return held(self.thaw) if self.is_frozen else None


@pytest_asyncio.fixture
async def scene(control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Scene]:
    """A namespace of this test alone, without any process."""
    async with a_scene(control_plane, tmp_path) as made:
        yield made


@pytest_asyncio.fixture
async def proxy(control_plane: ControlPlane) -> AsyncIterator[FaultProxy]:
    """What the controller's calls go through."""
    made = FaultProxy(control_plane.url, control_plane.ca_pem)
    async with made.serving():
        yield made


@contextlib.asynccontextmanager
async def kept_alive(other: OtherProviderProcess) -> AsyncIterator[None]:
    """Start the other provider again whenever it ends, as a kubelet does."""

    async def watch() -> None:
        while True:
            await other.child.wait()
            other.start_soon(die_after="")

    keeper = asyncio.create_task(watch())
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])
        if not other.child.is_running:
            await other.start(die_after="")


async def ended_well(scene: Scene, watch: ObjectWatch, request: str, *others: str) -> Manifest:
    """Wait until a request is completed with all keys and sections; return its status."""
    discovery = scene.discovery
    status = await discovery.completed(request, seconds=SECONDS)
    assert set(status["targetData"]) == {OURS, *others}
    assert status["targetData"][OURS] == []
    await discovery.when_sections(request, {OURS, *others})
    await until_seen(watch, request, *others)
    return status


@pytest.mark.timeout(600)
@pytest.mark.parametrize("when", KILLED)
async def test_the_controller_is_killed_at_each_write(
    scene: Scene, proxy: FaultProxy, when: str
) -> None:
    """The other provider goes on meanwhile, and both answers are there at the end."""
    controller = await scene.controller(url=proxy.url)
    other = await scene.other()
    killed_at = []
    async with scene.discovery.jobs.watch() as watch, controller.kept_alive():
        for number in KILLED[when]:
            request = str(uuid.uuid4())
            at = AtWrite(number, killed(controller.kill, after=when == "after"), request)
            proxy.rule = at.rule
            await scene.discovery.request(request)
            status = await ended_well(scene, watch, request, other.name)
            assert_untouched(other, status, await scene.discovery.sections(request))
            assert_always_in_order(watch, request, other)
            if at.writes >= number:
                killed_at.append(number)
    assert killed_at, "it was never killed"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_at_each_write(scene: Scene, proxy: FaultProxy, fault: str) -> None:
    await scene.controller(url=proxy.url)
    met = []
    async with scene.discovery.jobs.watch() as watch:
        for number in WRITES:
            at = AtWrite(number, EVERY[fault], str(uuid.uuid4()))
            proxy.rule = at.rule
            await scene.discovery.request(at.request)
            await ended_well(scene, watch, at.request)
            assert_always_in_order(watch, at.request)
            if at.writes >= number:
                met.append(number)
    assert met == list(WRITES)


@pytest.mark.parametrize("number", WRITES if ALL else (4, 5))
async def test_a_leader_that_was_frozen_changes_nothing(
    scene: Scene, proxy: FaultProxy, number: int
) -> None:
    """It wakes when the next one has done everything, and its write is on its way still."""
    frozen = await scene.controller(url=proxy.url)
    standby = await scene.controller(standby=True)
    freezes = FreezesAt(str(uuid.uuid4()), number)
    proxy.rule = freezes.rule
    async with scene.discovery.jobs.watch() as watch:
        request = await scene.discovery.request(freezes.request)
        await standby.logged("leading")
        await ended_well(scene, watch, request)
        before = await scene.discovery.read(request), await scene.discovery.secret(request)
        assert freezes.is_frozen
        assert frozen.child.is_running
        freezes.thaw.set()

        async def has_given_up() -> bool:
            return not frozen.is_leading or not frozen.child.is_running

        await eventually(has_given_up)
        after = await scene.discovery.request()  # a pass of the new leader comes after it
        await ended_well(scene, watch, after)
        now = await scene.discovery.read(request), await scene.discovery.secret(request)
        assert now == before
        assert_always_in_order(watch, request)


@pytest.mark.timeout(300)
async def test_the_other_provider_is_killed_after_each_step(scene: Scene) -> None:
    """What it has begun is finished by us, or by itself when it is back; nothing is lost."""
    controller = await scene.controller()
    other = await scene.other(start=False)
    async with scene.discovery.jobs.watch() as watch:
        for step in STEPS:
            is_first = step in ("label", "pending")
            if is_first:
                await controller.kill()
            await other.start(die_after=step)
            request = await scene.discovery.request()
            assert await other.child.wait() == 1
            if is_first:
                await controller.start()
            await other.start(die_after="")
            status = await ended_well(scene, watch, request, other.name)
            assert_untouched(other, status, await scene.discovery.sections(request))
            assert_always_in_order(watch, request, other)
            await other.kill()


@pytest.mark.timeout(300)
async def test_both_are_killed_again_and_again(scene: Scene) -> None:
    chance = random.Random(11)
    controller = await scene.controller()
    other = await scene.other()
    requests = []
    async with scene.discovery.jobs.watch() as watch:
        async with controller.kept_alive(), kept_alive(other):
            for _ in range(10 if ALL else 4):
                requests += [await scene.discovery.request() for _ in range(3)]
                await asyncio.sleep(chance.uniform(0.02, 1.5))  # at any moment
                await chance.choice([controller.kill, other.kill])()
        for request in requests:
            status = await ended_well(scene, watch, request, other.name)
            assert_untouched(other, status, await scene.discovery.sections(request))
            assert_always_in_order(watch, request, other)
