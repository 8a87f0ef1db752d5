"""Keeping processes alive: what ends is started again, first at once, then later and later."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from deploy.local.errors import StartError
from deploy.local.processes import Child

STEADY_SECONDS = 60.0
LONGEST_PAUSE = 30.0


@dataclass
class Restarts:
    """How often a process ended lately, and so how long to wait with the next start."""

    count: int = 0

    def pause_after(self, lived: float) -> float:
        """Seconds to wait after a process ended that lived so long: 0, 1, 2, 4, ... 30.

        One that lived for a minute was fine, and the count begins anew.
        """
        if lived >= STEADY_SECONDS:
            self.count = 0
        pause = 0.0 if self.count == 0 else min(2.0 ** (self.count - 1), LONGEST_PAUSE)
        self.count += 1
        return pause


async def keep_alive(
    child: Child, start: Callable[[], Awaitable[None]], note: Callable[[str], None]
) -> None:
    """Start the running child again by `start` whenever it ends, until cancelled."""
    restarts = Restarts()
    while True:
        started = time.monotonic()
        code = await child.wait()
        pause = restarts.pause_after(time.monotonic() - started)
        when = "now" if pause == 0 else f"in {pause:.0f} s"
        note(f"{child.name} ended ({_reason(code)}); starting it again {when}; log: {child.log}")
        await asyncio.sleep(pause)
        try:
            await start()
        except StartError as error:  # it may come up yet; if it ended, it is tried again
            note(str(error))


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
