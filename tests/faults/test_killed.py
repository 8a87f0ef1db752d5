"""The controller is killed at the k-th write for a job, before and after it takes effect."""

import uuid
from dataclasses import dataclass

import pytest

from tests.faults.conftest import ALL, Behind, StartBehind
from tests.faults.fault_kinds import killed
from tests.faults.proxy import Call, Fault
from tests.faults.scenarios import PLAYS, Play
from tests.support.jobs import Jobs

MOST_WRITES = 9
SHORT = {"succeeds": (2, 3, 4), "stopped": (5,), "waits": (1, 2)}


@dataclass
class KillsAt:
    """Kills the controller at the k-th write for a job, once."""

    behind: Behind
    job: str
    number: int
    after: bool
    writes: int = 0

    def rule(self, call: Call) -> Fault | None:
        """Return what happens to this call."""
        if not call.is_write or call.is_event or call.job != self.job:
            return None
        self.writes += 1
        return killed(self._kill, after=self.after) if self.writes == self.number else None

    async def _kill(self) -> None:
        await self.behind.controller.kill()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.name.replace(" ", "-"))
async def test_killed_at_each_write(
    jobs: Jobs, behind_a_proxy: StartBehind, play: Play, after: bool
) -> None:
    numbers = range(1, MOST_WRITES + 1) if ALL else SHORT.get(play.name, ())
    if not numbers:
        return
    behind = await behind_a_proxy()
    await behind.controller.start()
    target = await jobs.target()
    killed_at = []
    async with jobs.watch() as watch:
        for number in numbers:
            job = str(uuid.uuid4())
            kills = KillsAt(behind, job, number, after)
            behind.proxy.rule = kills.rule
            async with behind.controller.kept_alive():
                await play.act(jobs, watch, target, job)
            if kills.writes >= number:
                killed_at.append(number)
            play.check(watch, job)
    assert killed_at, "it was never killed"
