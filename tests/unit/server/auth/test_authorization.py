"""What a call may ask about its caller: `run` on targets, and whether a stream may go on."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from krkn_grpc.server.auth.authorization import Everything, Granted, require
from krkn_grpc.server.errors import NotAllowed

A, B = "9f1c4d3e-52a7-4b0e-8f6d-2f8f3a0c7b11", "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"


@dataclass
class Rights:
    """What the caller may do now, and how often was asked."""

    run_all: bool = False
    run_some: set[str] = field(default_factory=set)
    still: bool = True
    asked: list[str] = field(default_factory=list)

    def permission(self, recheck_seconds: float) -> Granted:
        async def ask(verb: str, resource: str, name: str) -> bool:
            self.asked.append(name or "all")
            is_run = (verb, resource) == ("run", "krknoperatortargets")
            return is_run and (name in self.run_some if name else self.run_all)

        return Granted("alice", ask, self._says("still", "still"), recheck_seconds)

    def _says(self, what: str, name: str) -> Callable[[], Awaitable[bool]]:
        async def answer() -> bool:
            self.asked.append(what)
            return bool(getattr(self, name))

        return answer


async def test_who_may_run_all_targets_is_asked_for_none_by_name() -> None:
    rights = Rights(run_all=True)
    assert await rights.permission(60).may_run(A)
    assert rights.asked == ["all"]


async def test_who_may_not_is_asked_by_name() -> None:
    rights = Rights(run_some={A})
    permission = rights.permission(60)
    assert await permission.may_run(A)
    assert not await permission.may_run(B)
    assert rights.asked == ["all", A, "all", B]


async def test_text_that_is_no_id_names_nothing_and_is_not_asked() -> None:
    rights = Rights(run_some={"a"})
    assert not await rights.permission(60).may_run("a")
    assert rights.asked == ["all"]


async def test_nothing_is_asked_while_the_answer_is_young() -> None:
    rights = Rights(still=False)
    permission = rights.permission(60)
    assert await permission.holds()
    assert rights.asked == []
    assert permission.heartbeat_seconds == 30


async def test_no_answer_grows_older_than_it_may_where_something_happens_between_two_pulses() -> (
    None
):
    """After 31 s something happens; asked only after 60, the pulse after that would be the next."""
    rights = Rights(still=False)
    permission = replace(rights.permission(60), _asked=time.monotonic() - 31)
    assert not await permission.holds()


async def test_an_old_answer_is_asked_for_again() -> None:
    rights = Rights()
    permission = rights.permission(0)
    assert await permission.holds()
    rights.still = False
    assert not await permission.holds()
    with pytest.raises(NotAllowed, match="you may no longer watch"):
        await require(permission, "watch")


async def test_who_was_denied_stays_denied() -> None:
    rights = Rights(still=False)
    permission = rights.permission(0)
    assert not await permission.holds()
    rights.still, permission.recheck_seconds = True, 60
    assert not await permission.holds()


async def test_everyone_may_everything_where_nobody_is_known() -> None:
    assert await Everything().may_run("anything")
    assert await Everything().holds()
    assert Everything().heartbeat_seconds is None
