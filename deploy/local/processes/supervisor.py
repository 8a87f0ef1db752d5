"""Supervises processes: restarts a process that ends, first at once, then with back-off."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from deploy.local.errors import StartError
from deploy.local.processes.children import Child

STEADY_SECONDS = 60.0
LONGEST_PAUSE = 30.0


@dataclass
class Restarts:
    """The recent restarts of a process, which determine the pause before the next one."""

    count: int = 0

    def pause_after(self, lived: float) -> float:
        """Return the seconds to wait before the next restart: 0, 1, 2, 4, ... 30.

        `lived` is in seconds; a process that lived for a minute resets the count.
        """
        if lived >= STEADY_SECONDS:
            self.count = 0
        pause = 0.0 if self.count == 0 else min(2.0 ** (self.count - 1), LONGEST_PAUSE)
        self.count += 1
        return pause


async def keep_alive(
    child: Child, start: Callable[[], Awaitable[None]], note: Callable[[str], None]
) -> None:
    """Restart the running child with `start` whenever it ends, until cancelled."""
    restarts = Restarts()
    while True:
        started = time.monotonic()
        code = await child.wait()
        pause = restarts.pause_after(time.monotonic() - started)
        when = "now" if pause == 0 else f"in {pause:.0f} s"
        said = f": {child.log_tail(1)}" if code > 0 else ""
        again = f"starting it again {when}; log: {child.log}"
        note(f"{child.name} ended ({_reason(code)}); {again}{said}")
        await asyncio.sleep(pause)
        try:
            await start()
        except StartError as error:  # it may become ready yet; if it ended, it is restarted
            note(str(error))


def _reason(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
