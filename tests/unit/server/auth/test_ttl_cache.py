"""Answers are kept for seconds, asked for once, and never made of errors."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from krkn_grpc.server.auth.ttl_cache import SingleFlightCache


@dataclass
class Asked:
    """Something to ask, that answers when it is told to."""

    times: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None

    def question(self, answer: str) -> Callable[[], Coroutine[Any, Any, str]]:
        async def ask() -> str:
            self.times += 1
            await self.may_answer.wait()
            if self.error is not None:
                raise self.error
            return answer

        return ask


async def test_an_answer_is_used_again_until_it_is_too_old() -> None:
    asked, answers = Asked(), SingleFlightCache[str](seconds=10, most=10)
    brief = SingleFlightCache[str](seconds=0.05, most=10)
    asked.may_answer.set()
    for _ in range(3):
        assert await answers.get("key", asked.question("yes")) == "yes"
    assert asked.times == 1
    assert await brief.get("key", asked.question("yes")) == "yes"
    await asyncio.sleep(0.06)
    assert await brief.get("key", asked.question("no")) == "no"


async def test_each_question_has_its_own_answer() -> None:
    asked, answers = Asked(), SingleFlightCache[str](seconds=10, most=10)
    asked.may_answer.set()
    assert await answers.get("a", asked.question("yes")) == "yes"
    assert await answers.get("b", asked.question("no")) == "no"


async def test_many_that_ask_at_once_ask_once() -> None:
    asked, answers = Asked(), SingleFlightCache[str](seconds=10, most=10)
    waiting = [asyncio.create_task(answers.get("key", asked.question("yes"))) for _ in range(50)]
    await asyncio.sleep(0)
    asked.may_answer.set()
    assert await asyncio.gather(*waiting) == ["yes"] * 50
    assert asked.times == 1


@pytest.mark.parametrize("leaves", [0, 1], ids=["the first", "another"])
async def test_one_that_leaves_takes_the_answer_from_nobody(leaves: int) -> None:
    asked, answers = Asked(), SingleFlightCache[str](seconds=10, most=10)
    waiting = [asyncio.create_task(answers.get("key", asked.question("yes"))) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[leaves].cancel()
    await asyncio.wait([waiting[leaves]])
    asked.may_answer.set()
    others = [task for index, task in enumerate(waiting) if index != leaves]
    assert await asyncio.gather(*others) == ["yes", "yes"]
    assert await answers.get("key", asked.question("no")) == "yes"
    assert asked.times == 1


async def test_an_error_is_told_to_all_that_wait_and_kept_by_nobody() -> None:
    asked, answers = Asked(error=ConnectionError()), SingleFlightCache[str](seconds=10, most=10)
    waiting = [asyncio.create_task(answers.get("key", asked.question("yes"))) for _ in range(3)]
    await asyncio.sleep(0)
    asked.may_answer.set()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in told] == [ConnectionError] * 3
    asked.error = None
    assert await answers.get("key", asked.question("yes")) == "yes"
    assert asked.times == 2


async def test_an_error_that_nobody_waits_for_is_no_noise() -> None:
    asked, answers = Asked(error=ConnectionError()), SingleFlightCache[str](seconds=10, most=10)
    noise: list[dict[str, Any]] = []
    gc.collect()  # What other tests have left tells of itself before.
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: noise.append(context))
    try:
        waiting = asyncio.create_task(answers.get("key", asked.question("yes")))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        asked.may_answer.set()
        for _ in range(3):
            await asyncio.sleep(0)
        # A task tells of an error that nobody has seen when it is dropped.
        del waiting
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert asked.times == 1
    assert noise == []


async def test_only_so_many_are_kept() -> None:
    asked, answers = Asked(), SingleFlightCache[str](seconds=10, most=3)
    asked.may_answer.set()
    for key in "abcd":
        await answers.get(key, asked.question(key))
    assert len(answers) == 3
    assert await answers.get("d", asked.question("another")) == "d"
