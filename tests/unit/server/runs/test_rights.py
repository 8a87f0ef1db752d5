"""Which targets may be run on: asked at little cost, and never answered wrongly."""

import asyncio
from dataclasses import dataclass, field

import pytest

from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.errors import NotWritten
from krkn_grpc.server.auth.authorization import Everything
from krkn_grpc.server.errors import NO_SUCH_TARGET, NoSuch
from krkn_grpc.server.runs.rights import refusals

UUIDS = [f"{number:03}" for number in range(300)]


@dataclass(frozen=True)
class Named(Everything):
    """May run on some, which are asked about by name."""

    run_on: frozenset[str] = frozenset()
    seconds: float = 0.0
    broken: frozenset[str] = frozenset()
    at_once: list[int] = field(default_factory=lambda: [0, 0])

    async def may_run_all(self) -> bool:
        return False

    async def may_run(self, target_uuid: str) -> bool:
        self.at_once[0] += 1
        self.at_once[1] = max(self.at_once)
        await asyncio.sleep(self.seconds)
        self.at_once[0] -= 1
        if target_uuid in self.broken:
            raise NotWritten("away")
        return target_uuid in self.run_on


async def test_who_may_run_all_is_refused_nothing() -> None:
    assert await refusals(Everything(), UUIDS, Deadline.within(20)) == {}


@pytest.mark.parametrize("may", [[], UUIDS[:1], UUIDS[-1:], UUIDS[3:200:7], UUIDS])
async def test_each_is_refused_that_is_not_theirs(may: list[str]) -> None:
    refused = await refusals(Named(run_on=frozenset(may)), UUIDS, Deadline.within(20))
    assert refused.keys() == {*UUIDS} - {*may}
    for refusal in refused.values():
        assert isinstance(refusal, NoSuch)
        assert str(refusal) == NO_SUCH_TARGET


async def test_who_names_nothing_of_theirs_is_asked_about_one_by_one() -> None:
    caller = Named()
    await refusals(caller, UUIDS, Deadline.within(20))
    assert caller.at_once[1] == 1


async def test_others_are_not() -> None:
    caller = Named(run_on=frozenset(UUIDS))
    await refusals(caller, UUIDS, Deadline.within(20))
    assert caller.at_once[1] == 16


async def test_what_had_no_answer_is_refused_as_that() -> None:
    caller = Named(run_on=frozenset(UUIDS), broken=frozenset(UUIDS[5:7]))
    refused = await refusals(caller, UUIDS, Deadline.within(20))
    assert {uuid: type(error) for uuid, error in refused.items()} == {
        UUIDS[5]: NotWritten,
        UUIDS[6]: NotWritten,
    }
    assert all(error.__traceback__ is None for error in refused.values())


async def test_what_was_not_asked_in_time_is_refused_as_that() -> None:
    caller = Named(run_on=frozenset(UUIDS), seconds=0.1)
    refused = await refusals(caller, UUIDS, Deadline.within(1))
    assert UUIDS[0] not in refused
    assert isinstance(refused[UUIDS[-1]], NotWritten)
