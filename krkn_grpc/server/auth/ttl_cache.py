"""A cache of answers for seconds, so that many calls of one caller ask once.

Not async-lru: its keys are the arguments, and a token must not be kept as a key.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from cachetools import TTLCache

Answer = TypeVar("Answer")


class SingleFlightCache(Generic[Answer]):
    """Answers by key. Errors are not cached: the next call asks again."""

    def __init__(
        self, seconds: float, most: int, looked_up: Callable[[bool], None] = lambda _: None
    ) -> None:
        """Keep each answer for `seconds`, and at most `most` answers.

        `looked_up` is called for each lookup; True: it needed no `ask` of its own.
        """
        self._looked_up = looked_up
        self._answers: TTLCache[Hashable, Answer] = TTLCache(most, seconds)
        self._asking: dict[Hashable, asyncio.Task[Answer]] = {}

    async def get(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """Return the cached answer, or that of `ask`; concurrent calls of a key share one `ask`."""
        try:
            answer = self._answers[key]
        except KeyError:
            pass
        else:
            self._looked_up(True)
            return answer
        task = self._asking.get(key)
        self._looked_up(task is not None)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(key, ask))
            task.add_done_callback(_seen)
        # The cancellation of one call must not cancel the answer for the others.
        return await asyncio.shield(task)

    def __len__(self) -> int:
        """Return the number of cached answers."""
        return len(self._answers)

    async def _ask(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        try:
            answer = self._answers[key] = await ask()
        finally:
            del self._asking[key]
        return answer


def _seen(task: "asyncio.Task[Any]") -> None:
    """Take the error of an answer: all who asked may have left, and asyncio would log it."""
    if not task.cancelled():
        task.exception()
