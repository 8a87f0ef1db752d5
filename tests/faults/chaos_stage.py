"""Two controllers, each behind a proxy of its own, and all that can be done to them and to jobs.

Acts are what a person, a node or a bad day does. Each may come at any moment, so that there is
nothing to do it to (any more) is no fault.
"""

import asyncio
import contextlib
import uuid
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from deploy.local.cluster.api import ClusterError
from krkn_grpc.resources import names
from tests.faults.conftest import Behind
from tests.faults.fault_kinds import EVERY, dropped_before, held
from tests.faults.forged_lease import Lie
from tests.faults.job_model import Life
from tests.faults.proxy import Call, Fault, WatchFault
from tests.faults.scenarios import is_over, left_of, lived_rightly
from tests.support.custom_objects import JOBS, MERGE, Manifest
from tests.support.halts import halt, label, lift
from tests.support.jobs import Jobs
from tests.support.object_watch import ObjectWatch
from tests.support.waiting import eventually

T = TypeVar("T")
HELD = "held until it is let go"
WATCHES = {
    "cut": WatchFault(after=2),
    "told twice, then too old": WatchFault(after=2, replays=True, is_error=True),
}
SECONDS = 60.0


@dataclass
class Side:
    """A controller, and what happens to its next calls."""

    behind: Behind
    faults: deque[Fault] = field(default_factory=deque)
    """One for each of its next writes for a job."""
    is_cut_off: bool = False
    lie: Lie | None = None
    """When it is told that it leads, whoever does."""
    is_frozen: bool = False

    def __post_init__(self) -> None:
        self.behind.proxy.rule = self._rule

    def _rule(self, call: Call) -> Fault | None:
        if self.is_cut_off:
            return dropped_before
        if call.is_election:
            return self.lie.rule(call) if self.lie else None
        if call.is_write and call.job and not call.is_event and self.faults:
            return self.faults.popleft()
        return None

    def heal(self) -> None:
        """Let it be a good day again."""
        self.faults.clear()
        self.is_cut_off, self.lie = False, None
        self.behind.proxy.watch_rule = lambda _: None
        if self.is_frozen:
            self.thaw()
        if not self.behind.controller.child.is_running:
            self.behind.controller.start_soon()

    def freeze(self) -> None:
        """Stop its process where it is."""
        self.behind.controller.child.pause()
        self.is_frozen = True

    def thaw(self) -> None:
        """Let its process go on."""
        self.behind.controller.child.resume()
        self.is_frozen = False


@dataclass
class World:
    """The namespace, the controllers, and the lives of all jobs so far."""

    jobs: Jobs
    watch: ObjectWatch
    sides: tuple[Side, Side]
    loop: asyncio.AbstractEventLoop
    lives: list[Life] = field(default_factory=list)
    halts: list[Manifest] = field(default_factory=list)
    """Those that there are; each selects the jobs of one target, and those whose target is gone."""
    _held: asyncio.Event = field(default_factory=asyncio.Event)

    def wait_for(self, act: Coroutine[Any, Any, T]) -> T:
        """Let the event loop do it; from another thread."""
        return asyncio.run_coroutine_threadsafe(act, self.loop).result(SECONDS * 2)

    async def begin(self) -> list[Manifest]:
        """Make a good day, and two targets for the jobs to come."""
        for side in self.sides:
            side.heal()
        targets = [await self.jobs.target() for _ in range(2)]
        for target in targets:
            await label(self.jobs, target, {"one": target["metadata"]["name"]})
        return targets

    async def create(self, target: Manifest, behaviour: str, *, lost_target: bool) -> Life:
        """Make a job, of a target that may be gone."""
        life = Life(str(uuid.uuid4()), behaviour, target["metadata"]["name"])
        life.lost_target = lost_target
        await self.jobs.job(target, behaviour, jobId=life.job)
        self.lives.append(life)
        self._may_be_halted()
        return life

    async def halt(self, target: Manifest) -> None:
        """Halt what runs on a target."""
        selector = f"one={target['metadata']['name']}"
        made = await halt(self.jobs.cluster, self.jobs.namespace, targetSelector=selector)
        self.halts.append(made)
        self._may_be_halted()

    async def lift_halts(self) -> None:
        """Delete all halts."""
        while self.halts:
            await lift(self.jobs.cluster, self.halts.pop())

    def _may_be_halted(self) -> None:
        selectors = {each["spec"]["targetSelector"] for each in self.halts}
        for life in self.lives:
            life.is_halted |= f"one={life.target}" in selectors
            life.is_halted |= bool(selectors) and life.lost_target

    async def stop(self, life: Life) -> None:
        """Ask for its end."""
        with there_may_be_nothing():
            await self.jobs.stop(life.job)
            life.is_stopped = True

    async def delete(self, life: Life) -> None:
        """Delete the job."""
        with there_may_be_nothing():
            await self.jobs.delete(life.job)
            life.is_deleted = True

    async def delete_pod(self, life: Life) -> None:
        """Delete its pod, as a drain of the node does."""
        if await self.jobs.pod(life.job) is not None:
            life.lost_pod = True
            with there_may_be_nothing():
                await self.jobs.delete_pod(life.job)

    async def tear_pod_out(self, life: Life) -> None:
        """Delete its pod by force: nobody can tell how it ended."""
        if await self.jobs.pod(life.job) is not None:
            life.lost_pod = True
            with there_may_be_nothing():
                await self.jobs.tear_pod_out(life.job)

    async def end_pod(self, life: Life, exit_code: int) -> None:
        """Let its container end with this exit code, if it runs."""
        pod = await self.jobs.pod(life.job)
        if pod is None or pod["status"].get("phase") != "Running":
            return
        [container] = pod["status"]["containerStatuses"]
        began = container["state"]["running"]["startedAt"]
        ended = {"exitCode": exit_code, "reason": "Error", "startedAt": began, "finishedAt": began}
        container["state"] = {"terminated": ended}
        change = {
            "metadata": {"uid": pod["metadata"]["uid"]},
            "status": {"phase": "Failed", "containerStatuses": [container]},
        }
        path = f"/api/v1/namespaces/{self.jobs.namespace}/pods/{names.pod_for(life.job)}/status"
        life.exit_codes.add(exit_code)
        with there_may_be_nothing():
            await self.jobs.cluster.request("PATCH", path, change, MERGE)

    async def delete_target(self, target: Manifest) -> None:
        """Delete a target; what runs on it goes on."""
        for life in self.lives:
            life.lost_target |= life.target == target["metadata"]["name"]
        self._may_be_halted()
        with there_may_be_nothing():
            await self.jobs.delete_target(target)

    async def kill(self, side: Side, *, comes_back: bool) -> None:
        """Kill a controller; it comes back at once, or when it is a good day again."""
        if side.behind.controller.child.is_running:
            await side.behind.controller.kill()
        side.is_frozen = False
        if comes_back:
            side.behind.controller.start_soon()

    def spoil(self, side: Side, kind: str, count: int) -> None:
        """Let its next writes for jobs go wrong."""
        fault = held(self._held) if kind == HELD else EVERY[kind]
        side.faults.extend([fault] * count)

    def let_go(self) -> None:
        """Let all writes that are held take effect, or not."""
        self._held.set()
        self._held = asyncio.Event()

    async def finish(self, lives: list[Life], targets: list[Manifest]) -> None:
        """Make a good day, end what would not end by itself, and see that nothing is left."""
        self.let_go()
        await self.lift_halts()
        for side in self.sides:
            side.heal()
        for life in lives:
            if life.never_ends and not is_over(self.watch, life.job):
                await self.stop(life)
        for life in lives:
            await self._until(life, "over", lambda job: is_over(self.watch, job))
            await self._until(life, "tidy", lambda job: not left_of(self.watch, job))
            lived_rightly(self.watch, life.job)
            life.ended_rightly(self.watch.versions_of(JOBS, life.job)[-1])
        for target in targets:
            await self.delete_target(target)
        # What a crash has left, the controller removes within a minute.
        await eventually(self._reservations, lambda found: not found, seconds=2 * SECONDS)

    async def _until(self, life: Life, what: str, holds: Callable[[str], object]) -> None:
        try:
            await self.watch.until(what, lambda: holds(life.job), seconds=SECONDS)
        except AssertionError as error:
            latest = self.watch.latest(JOBS, life.job)
            raise AssertionError(f"{life} is {error}: {latest}") from None

    async def _reservations(self) -> list[str]:
        """Return the names of the reservations that there are; each test has its own namespace."""
        path = f"/apis/coordination.k8s.io/v1/namespaces/{self.jobs.namespace}/leases"
        listed = await self.jobs.cluster.request("GET", path)
        found = [lease["metadata"]["name"] for lease in listed["items"]]
        return [name for name in found if names.is_reservation(name)]


@contextlib.contextmanager
def there_may_be_nothing() -> Any:
    """Let an act pass that found nothing to be done to, or found it changed."""
    try:
        yield
    except ClusterError as error:
        if error.status not in (404, 409, 422):
            raise
