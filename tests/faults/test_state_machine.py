"""Jobs, people, nodes and bad days in any order, held against a small model of each job.

What happens is drawn by Hypothesis, the same each time. The API server is a real one, and what
the controllers do is real too: only the calls between them pass a proxy that can spoil them.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.faults.chaos_stage import HELD, WATCHES, Side, World
from tests.faults.conftest import ALL, StartBehind
from tests.faults.fault_kinds import EVERY
from tests.faults.forged_lease import Lie
from tests.faults.job_model import BY_ITSELF, Life
from tests.faults.scenarios import lived_rightly
from tests.support.custom_objects import Manifest
from tests.support.jobs import Jobs

DAYS, STEPS = (40, 50) if ALL else (4, 30)
SIDES = st.sampled_from([0, 1])
BEHAVIOURS = st.sampled_from(list(BY_ITSELF))
MOMENTS = st.sampled_from([0, 0.02, 0.1, 0.3, 1])
Deed = Callable[[World, Life], Coroutine[Any, Any, None]]
DEEDS: list[Deed] = [World.stop, World.delete, World.delete_pod, World.tear_pod_out]


class Machine(RuleBasedStateMachine):
    """One day: what is done with jobs and to controllers, and the model of each job."""

    world: ClassVar[World]
    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[Manifest] = []
        self.lives: list[Life] = []
        self.gone_targets: set[int] = set()

    def _side(self, number: int) -> Side:
        return self.world.sides[number]

    @initialize(target=jobs, behaviours=st.lists(BEHAVIOURS, min_size=4, max_size=8))
    def begin(self, behaviours: list[str]) -> MultipleResults[Life]:
        self.targets = self.world.wait_for(self.world.begin())
        return multiple(*(self._create(behaviour, n % 2) for n, behaviour in enumerate(behaviours)))

    @rule(target=jobs, behaviour=BEHAVIOURS, on=SIDES, seconds=MOMENTS)
    def create(self, behaviour: str, on: int, seconds: float) -> Life:
        time.sleep(seconds)
        return self._create(behaviour, on)

    @rule(
        lives=st.lists(jobs, min_size=1, max_size=3), deed=st.sampled_from(DEEDS), seconds=MOMENTS
    )
    def act(self, lives: list[Life], deed: Deed, seconds: float) -> None:
        # Not to wait for something, but because it is about what comes at which moment.
        time.sleep(seconds)
        for life in lives:
            self.world.wait_for(deed(self.world, life))

    @rule(life=jobs, exit_code=st.sampled_from([1, 2, 139]), seconds=MOMENTS)
    def end_pod(self, life: Life, exit_code: int, seconds: float) -> None:
        time.sleep(seconds)
        self.world.wait_for(self.world.end_pod(life, exit_code))

    @rule(of=SIDES)
    def delete_target(self, of: int) -> None:
        self.gone_targets.add(of)
        self.world.wait_for(self.world.delete_target(self.targets[of]))

    @rule(on=SIDES, seconds=MOMENTS)
    def halt(self, on: int, seconds: float) -> None:
        time.sleep(seconds)
        self.world.wait_for(self.world.halt(self.targets[on]))

    @rule()
    def lift_halts(self) -> None:
        self.world.wait_for(self.world.lift_halts())

    @rule(of=SIDES, comes_back=st.booleans())
    def kill(self, of: int, comes_back: bool) -> None:
        self.world.wait_for(self.world.kill(self._side(of), comes_back=comes_back))

    @rule(of=SIDES)
    def freeze(self, of: int) -> None:
        self._side(of).freeze()

    @rule(of=SIDES)
    def thaw(self, of: int) -> None:
        self._side(of).thaw()

    @rule(of=SIDES, kind=st.sampled_from([*EVERY, HELD]), count=st.integers(1, 4))
    def spoil_writes(self, of: int, kind: str, count: int) -> None:
        self._in_loop(self.world.spoil, self._side(of), kind, count)

    @rule(of=SIDES, kind=st.sampled_from([*WATCHES, "at once"]))
    def spoil_watches(self, of: int, kind: str) -> None:
        proxy = self._side(of).behind.proxy
        if kind == "at once":
            self._in_loop(proxy.cut_watches)
        else:
            proxy.watch_rule = lambda _: WATCHES[kind]

    @rule(of=SIDES, is_cut_off=st.booleans())
    def cut_off(self, of: int, is_cut_off: bool) -> None:
        self._side(of).is_cut_off = is_cut_off

    @rule()
    def both_lead(self) -> None:
        for side in self.world.sides:
            side.lie = Lie()

    @rule()
    def let_go(self) -> None:
        self._in_loop(self.world.let_go)

    @rule()
    def lease_runs_out(self) -> None:
        time.sleep(2.5)

    @invariant()
    def at_most_once_and_final_for_ever(self) -> None:
        for life in self.lives:
            self._in_loop(lived_rightly, self.world.watch, life.job)

    def teardown(self) -> None:
        """End the day: all jobs come to an end that their model allows, and nothing is left."""
        self.world.wait_for(self.world.finish(self.lives, self.targets))

    def _create(self, behaviour: str, on: int) -> Life:
        is_gone = on in self.gone_targets
        life = self.world.wait_for(
            self.world.create(self.targets[on], behaviour, lost_target=is_gone)
        )
        self.lives.append(life)
        return life

    def _in_loop(self, act: Any, *arguments: Any) -> None:
        async def do() -> None:
            act(*arguments)

        self.world.wait_for(do())


@pytest.mark.timeout(7200 if ALL else 300)
async def test_any_order_of_anything(jobs: Jobs, behind_a_proxy: StartBehind) -> None:
    first, second = await behind_a_proxy(), await behind_a_proxy()
    for behind in (first, second):
        await behind.controller.start()
    async with jobs.watch() as watch:
        sides = Side(first), Side(second)
        world = World(jobs, watch, sides, asyncio.get_running_loop())
        told = settings(
            max_examples=DAYS,
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            # What has happened cannot be made to happen again with less of it.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        day = type("Day", (Machine,), {"world": world})
        await asyncio.to_thread(run_state_machine_as_test, day, settings=told)
        for life in world.lives:
            lived_rightly(watch, life.job)
    assert len(world.lives) > DAYS
