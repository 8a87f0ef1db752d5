"""Answers that are kept for seconds, so that many calls of one caller ask once."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from cachetools import TTLCache

Answer = TypeVar("Answer")


class Remembered(Generic[Answer]):
    """Answers by question. An error is no answer: whoever asks next asks anew."""

    def __init__(self, seconds: float, most: int) -> None:
        """Keep each answer so long, and the latest `most` of them."""
        self._answers: TTLCache[Hashable, Answer] = TTLCache(most, seconds)
        self._asking: dict[Hashable, asyncio.Task[Answer]] = {}

    async def get(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        """Return the answer that is kept, or that `ask` gives; asked twice at once, asked once."""
        try:
            return self._answers[key]
        except KeyError:
            pass
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(key, ask))
        # One caller that leaves must not take the answer from the others that wait for it.
        return await asyncio.shield(task)

    def __len__(self) -> int:
        """Return how many answers are kept."""
        return len(self._answers)

    async def _ask(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        try:
            answer = self._answers[key] = await ask()
        finally:
            del self._asking[key]
        return answer
