"""Watches are cut, end with an error, tell everything twice; lists come from long ago."""

import asyncio
import random
import uuid
from collections import Counter
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from tests.faults.conftest import ALL, StartBehind
from tests.faults.proxy import Call, Exchange, Fault, WatchFault, refusal
from tests.faults.scenarios import PLAYS
from tests.faults.test_each_write import Case, all_right
from tests.support.jobs import Jobs

ROUNDS = 4 if ALL else 1

EVERY = {
    "cut": WatchFault(after=3),
    "told twice, then cut": WatchFault(after=4, replays=True),
    "error event": WatchFault(after=3, is_error=True),
    "told twice, then an error event": WatchFault(after=4, replays=True, is_error=True),
}


@dataclass
class OldLists:
    """Answers every second list of a kind with what it was at first."""

    first: dict[str, web.Response] = field(default_factory=dict)
    count: Counter[str] = field(default_factory=Counter)

    def rule(self, call: Call) -> Fault | None:
        """Return what happens to this call."""
        return self._list if call.is_list and not call.path.endswith("/leases") else None

    async def _list(self, exchange: Exchange) -> web.Response:
        path = exchange.call.path
        if path not in self.first:
            self.first[path] = await exchange.forward()
        self.count[path] += 1
        if self.count[path] % 2:
            return await exchange.forward()
        old = self.first[path]
        return web.Response(status=old.status, body=old.body, content_type="application/json")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", EVERY)
async def test_watches_that_break(jobs: Jobs, behind_a_proxy: StartBehind, kind: str) -> None:
    behind = await behind_a_proxy()
    behind.proxy.watch_rule = lambda _: EVERY[kind]
    old = OldLists()
    behind.proxy.rule = old.rule
    await behind.controller.start()
    target = await jobs.target()
    for _ in range(ROUNDS):
        cases = [Case(play, 0) for play in PLAYS for _ in range(3)]
        async with jobs.watch() as watch:
            await all_right(
                watch, {case: case.play.act(jobs, watch, target, case.job) for case in cases}
            )
    watches = Counter(call.path.rpartition("/")[2] for call in behind.proxy.calls if call.is_watch)
    assert min(watches[plural] for plural in ("krknchaosjobs", "pods")) > 2, watches


@pytest.mark.timeout(300)
async def test_watches_that_are_too_old(jobs: Jobs, behind_a_proxy: StartBehind) -> None:
    """Every other watch is refused with 410, and the list that follows is from long ago."""
    behind = await behind_a_proxy()
    old = OldLists()
    count = 0

    async def expired(_: Exchange) -> web.Response:
        return refusal(410, "Expired")

    def rule(call: Call) -> Fault | None:
        nonlocal count
        if call.is_watch:
            count += 1
            return expired if count % 2 else None
        return old.rule(call)

    behind.proxy.rule = rule
    behind.proxy.watch_rule = lambda _: WatchFault(after=5)
    await behind.controller.start()
    target = await jobs.target()
    cases = [Case(play, 0) for play in PLAYS for _ in range(2)]
    async with jobs.watch() as watch:
        await all_right(
            watch, {case: case.play.act(jobs, watch, target, case.job) for case in cases}
        )


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(12 if ALL else 1))
async def test_anything_at_any_time(jobs: Jobs, behind_a_proxy: StartBehind, seed: int) -> None:
    """One call in six goes wrong in some way, every watch breaks, and the process is killed."""
    from tests.faults.fault_kinds import EVERY as FAULTS  # noqa: PLC0415 - the same name, another thing

    chance = random.Random(seed)
    kinds = list(FAULTS.values())
    behind = await behind_a_proxy()

    def rule(call: Call) -> Fault | None:
        if call.is_watch or chance.random() > 1 / 6:
            return None
        return chance.choice(kinds)

    await behind.controller.start()
    target = await jobs.target()
    behind.proxy.rule = rule
    behind.proxy.watch_rule = lambda _: WatchFault(
        after=chance.randint(1, 30), is_error=chance.random() < 0.3, replays=chance.random() < 0.3
    )

    async def kill_now_and_then() -> None:
        for _ in range(4):
            await asyncio.sleep(chance.uniform(0.5, 3))  # at any moment
            await behind.controller.kill()

    cases = [Case(play, 0, str(uuid.uuid4())) for play in PLAYS for _ in range(4)]
    async with jobs.watch() as watch, behind.controller.kept_alive():
        killing = asyncio.create_task(kill_now_and_then())
        await all_right(
            watch, {case: case.play.act(jobs, watch, target, case.job) for case in cases}
        )
        await killing
