"""A queue of keys: each key waits once, is worked on by one worker at a time, and comes again.

Any number of changes to an object while it waits or is worked on make one more turn, never two
at once. A turn that fails comes again after a pause that grows, for this key alone.

Some keys go first. The others still have one turn in eight, so that nobody waits for ever.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 30.0
_TURNS_IN_A_ROW = 8

_log = structlog.get_logger(__name__)


class NotYet(Exception):
    """The turn could not do its work, for a reason that is no fault; the key comes again soon."""


Turn = Callable[[str], Awaitable[float | None]]


class Queue:
    """Keys that wait for their turn, in the order in which they came."""

    def __init__(
        self, name: str, turn: Turn, *, goes_first: Callable[[str], bool] = lambda _: True
    ) -> None:
        """Call `turn` for each key; the seconds it returns, if any, are when to come again."""
        self._name = name
        self._turn = turn
        self._goes_first = goes_first
        self._first: deque[str] = deque()
        self._others: deque[str] = deque()
        self._turns = 0
        # By the line in which the key waits. It stands in another one, too, if it was moved up.
        self._waiting: dict[str, deque[str]] = {}
        self._active: set[str] = set()
        self._changed: set[str] = set()
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._failures: dict[str, int] = {}
        self._wake = asyncio.Semaphore(0)

    def add(self, key: str) -> None:
        """Give the key a turn; when it has one just now, another one after it."""
        if (timer := self._later.pop(key, None)) is not None:
            timer.cancel()
        if key in self._active:
            self._changed.add(key)
            return
        line = self._first if self._goes_first(key) else self._others
        waits_in = self._waiting.get(key)
        if waits_in is None or (waits_in is self._others and line is self._first):
            self._waiting[key] = line
            line.append(key)
            self._wake.release()

    def add_later(self, key: str, seconds: float) -> None:
        """Give the key a turn after so many seconds, unless it gets one earlier."""
        loop = asyncio.get_running_loop()
        known = self._later.get(key)
        if known is not None:
            if known.when() <= loop.time() + seconds:
                return
            known.cancel()
        self._later[key] = loop.call_later(seconds, self.add, key)

    async def run(self, workers: int) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            await self._wake.acquire()
            if (key := self._next()) is None:
                continue
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

    def _next(self) -> str | None:
        """Take the next key out of its line; None for a place whose key was moved up."""
        self._turns += 1
        is_turn_of_others = not self._first or self._turns % _TURNS_IN_A_ROW == 0
        line = self._others if self._others and is_turn_of_others else self._first
        key = line.popleft()
        return key if self._waiting.pop(key, None) is not None else None

    def _pause(self, key: str) -> float:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        return min(_FIRST_PAUSE_SECONDS * 2.0 ** min(failures, 20), _LONGEST_PAUSE_SECONDS)
