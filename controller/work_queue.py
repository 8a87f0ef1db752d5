"""A queue of keys: each key waits once, is worked on by one worker at a time, and comes again.

Any number of changes to an object while it waits or is worked on make one more turn, never two
at once. A turn that fails comes again after a pause that grows, for this key alone.

A queue at which nobody works keeps nothing: whoever begins knows what there is to be done.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

import structlog

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 30.0
_A_FEW = 8

_log = structlog.get_logger(__name__)


class NotYet(Exception):
    """The turn could not do its work, for a reason that is no fault; the key comes again soon."""


Turn = Callable[[str], Awaitable[float | None]]


class Queue:
    """Keys that wait for their turn, in the order in which they came."""

    def __init__(self, name: str, turn: Turn) -> None:
        """Call `turn` for each key; the seconds it returns, if any, are when to come again."""
        self._name = name
        self._turn = turn
        self._is_open = False
        self._forget()

    def _forget(self) -> None:
        self._ready: deque[str] = deque()
        self._waiting: set[str] = set()
        self._active: set[str] = set()
        self._changed: set[str] = set()
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._failures: dict[str, int] = {}
        self._wake = asyncio.Semaphore(0)

    def add(self, key: str) -> None:
        """Give the key a turn; when it has one just now, another one after it."""
        if not self._is_open:
            return
        if (timer := self._later.pop(key, None)) is not None:
            timer.cancel()
        if key in self._active:
            self._changed.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._wake.release()

    @property
    def is_crowded(self) -> bool:
        """Whether more than a few keys have their turn or wait for it."""
        return len(self._active) + len(self._waiting) > _A_FEW

    def add_later(self, key: str, seconds: float) -> None:
        """Give the key a turn after so many seconds, unless it gets one earlier."""
        loop = asyncio.get_running_loop()
        known = self._later.get(key)
        if known is not None:
            if known.when() <= loop.time() + seconds:
                return
            known.cancel()
        self._later[key] = loop.call_later(seconds, self.add, key)

    async def run(self, workers: int, begin_with: Callable[[], Iterable[str]]) -> None:
        """Work until cancelled; each key that `begin_with` gives has a turn."""
        self._is_open = True
        try:
            for key in begin_with():
                self.add(key)
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work())
        finally:
            self._is_open = False
            for timer in self._later.values():
                timer.cancel()
            self._forget()

    async def _work(self) -> None:
        while True:
            # Most turns of a leader that begins find nothing to do and wait for nothing: in one
            # piece they would keep it from renewing its Lease.
            await asyncio.sleep(0)
            await self._wake.acquire()
            key = self._ready.popleft()
            self._waiting.discard(key)
            self._active.add(key)
            try:
                again = await self._turn(key)
            except NotYet as reason:
                again = self._pause(key)
                _log.info("turn put off", queue=self._name, key=key, reason=str(reason))
            except Exception as error:
                again = self._pause(key)
                _log.warning(
                    "turn failed", queue=self._name, key=key, error=repr(error), again_in=again
                )
            else:
                self._failures.pop(key, None)
            finally:
                self._active.discard(key)
            if key in self._changed:
                self._changed.discard(key)
                self.add(key)
            elif again is not None:
                self.add_later(key, again)

    def _pause(self, key: str) -> float:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        return min(_FIRST_PAUSE_SECONDS * 2.0 ** min(failures, 20), _LONGEST_PAUSE_SECONDS)
