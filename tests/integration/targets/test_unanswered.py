"""Writes whose answers get lost: a call finds out what became of them, and comes to its end."""

import asyncio
from collections.abc import Awaitable

import grpc
import pytest

from tests.integration.targets.stage import Stage
from tests.integration.targets.stops import Cuts, Operation, marks_of
from tests.support.api_proxy import Call, Cut
from tests.support.requests import token_target
from tests.support.target_client import ALREADY_EXISTS, OK, code_of

CREATE, UPDATE, DELETE = range(1, 6), range(1, 12), range(1, 4)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_call_that_loses_one_answer_succeeds(stage: Stage, moment: str) -> None:
    """One call for each write of each call, cut off there: unsent, or only unanswered."""
    old = [token_target() for _ in (*UPDATE, *DELETE)]
    uuids = await stage.register(old)
    registered = iter(zip(uuids, old, strict=True))
    operations: list[Operation] = []
    calls: list[Awaitable[object]] = []
    for number in CREATE:
        new = token_target()
        operations.append(Operation(number, marks_of(new)))
        calls.append(stage.doomed.create(new))
    for number in UPDATE:
        new, (uuid, before) = token_target(), next(registered)
        operations.append(Operation(number, {uuid} | marks_of(before) | marks_of(new)))
        calls.append(stage.doomed.update(uuid, new))
    for number in DELETE:
        uuid, before = next(registered)
        operations.append(Operation(number, {uuid} | marks_of(before)))
        calls.append(stage.doomed.delete(uuid))
    setattr(stage.proxy, moment, Cuts(operations))
    # A few at a time: what takes long is given up.
    few = asyncio.Semaphore(6)

    async def code(call: Awaitable[object]) -> grpc.StatusCode:
        async with few:
            return await code_of(call)

    codes = await asyncio.gather(*map(code, calls))
    assert [(o.writes, code) for o, code in zip(operations, codes, strict=True) if code != OK] == []
    # The garbage collector may be faster than a delete with its last writes.
    assert sum(operation.stopped.is_set() for operation in operations) >= len(operations) - 2


@pytest.mark.parametrize("number", [1, 2], ids=["name", "URL"])
async def test_a_reservation_that_was_not_made_is_not_taken_for_another_target_s(
    stage: Stage, number: int
) -> None:
    """The first attempt is lost; until the second, somebody else makes what the name says."""
    body = token_target()
    field = "clusterName" if number == 1 else "clusterAPIURL"
    rival = token_target(**{field: body[field]})
    reservations = 0

    async def overtaken(call: Call) -> None:
        nonlocal reservations
        if str(call) == "POST leases":
            reservations += 1
            if reservations == number:
                await stage.healthy.create(rival)
                raise Cut

    stage.proxy.before = overtaken
    assert await code_of(stage.doomed.create(body)) == ALREADY_EXISTS
    stage.watched.assert_never_doubled()
