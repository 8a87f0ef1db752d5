"""A server that is killed between any two writes leaves no name blocked and nothing half-made.

All calls of a test stop at once, each before another one of its writes; then the server is killed,
or the calls go on when it is much too late. Who watches sees every state on the way.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc

from krkn_grpc.reservations.in_progress import mark
from tests.integration.targets.kubectl import Kubectl
from tests.integration.targets.stage import FEW, Stage
from tests.integration.targets.stops import Operation, Stops, marks_of
from tests.support.requests import token_target, unused_name
from tests.support.target_client import NOT_FOUND, OK, Targets, code_of, codes_of
from tests.support.waiting import eventually

# The writes of each call, one after the other. What the target has already is tried to be made
# (POST), and then written again (PUT).
CREATE = [
    "POST krknoperatortargets",
    "POST leases",
    "POST leases",
    "POST secrets",
    "PUT krknoperatortargets/status",
]
UPDATE = [
    "POST leases",
    "POST leases",
    "POST secrets",
    "PUT krknoperatortargets",
    "POST leases",
    "PUT leases",
    "POST leases",
    "PUT leases",
    "DELETE leases",
    "DELETE leases",
    "PUT krknoperatortargets/status",
]
RENAME = [
    "POST leases",
    "POST leases",
    "PUT leases",
    "PUT krknoperatortargets",
    "POST leases",
    "PUT leases",
    "POST leases",
    "PUT leases",
    "DELETE leases",
    "PUT krknoperatortargets/status",
]
REPLACED = "PUT krknoperatortargets"
DELETE = ["DELETE krknoperatortargets", "DELETE leases", "DELETE leases"]


@dataclass
class Case:
    """One call that stops: what it registers, and what was registered before it."""

    operation: Operation
    call: "asyncio.Task[grpc.StatusCode]"
    uuid: str = ""
    old: dict[str, Any] = field(default_factory=dict)
    new: dict[str, Any] = field(default_factory=dict)

    @property
    def is_stopped(self) -> bool:
        """Whether it came to its stop, before its end."""
        return self.operation.stopped.is_set()

    @property
    def done(self) -> list[str]:
        """The writes that it has done."""
        writes = self.operation.writes
        return writes[:-1] if self.is_stopped else writes

    def __str__(self) -> str:
        """Say which it is, when a test fails."""
        return f"stopped before {self.operation.writes[-1]}, after {self.done}"


@dataclass(frozen=True)
class Cases:
    """Every call, once for each of its writes and once more, all stopped."""

    creates: list[Case]
    updates: list[Case]
    renames: list[Case]
    deletes: list[Case]

    @property
    def all(self) -> list[Case]:
        """The cases in one list."""
        return [*self.creates, *self.changes, *self.deletes]

    @property
    def changes(self) -> list[Case]:
        """The updates and renames."""
        return [*self.updates, *self.renames]


async def begin(stage: Stage) -> Cases:
    """Begin all calls, and wait until each has stopped."""
    operations: list[Operation] = []

    def start(stop: int, marks: set[str], call: Awaitable[object], **about: Any) -> Case:
        operations.append(Operation(stop, marks))
        return Case(operations[-1], asyncio.ensure_future(code_of(call)), **about)

    def create(stop: int) -> Case:
        new = token_target()
        return start(stop, marks_of(new), stage.doomed.create(new), new=new)

    def update(stop: int, uuid: str, old: dict[str, Any]) -> Case:
        new = token_target()
        marks = {uuid} | marks_of(old) | marks_of(new)
        call = stage.doomed.update(uuid, new)
        return start(stop, marks, call, uuid=uuid, old=old, new=new)

    def rename(stop: int, uuid: str, old: dict[str, Any]) -> Case:
        new = old | {"clusterName": unused_name()}
        marks = {uuid} | marks_of(old) | marks_of(new)
        call = stage.doomed.patch(uuid, clusterName=new["clusterName"])
        return start(stop, marks, call, uuid=uuid, old=old, new=new)

    def delete(stop: int, uuid: str, old: dict[str, Any]) -> Case:
        return start(stop, {uuid} | marks_of(old), stage.doomed.delete(uuid), uuid=uuid, old=old)

    old_ones = [token_target() for _ in range(len(UPDATE) + len(RENAME) + len(DELETE) + 3)]
    uuids = await stage.register(old_ones)
    await asyncio.gather(*(stage.healthy.when(uuid, "Unreachable") for uuid in uuids))
    # It would admit what is updated at the same time as the server, and make its writes others.
    stage.other.processes.pause("controller")
    registered = iter(zip(uuids, old_ones, strict=True))
    stage.proxy.before = Stops(operations)
    cases = Cases(
        [create(stop) for stop in range(1, len(CREATE) + 2)],
        [update(stop, *next(registered)) for stop in range(1, len(UPDATE) + 2)],
        [rename(stop, *next(registered)) for stop in range(1, len(RENAME) + 2)],
        [delete(stop, *next(registered)) for stop in range(1, len(DELETE) + 2)],
    )
    for case in cases.all:
        stopped = asyncio.ensure_future(case.operation.stopped.wait())
        await asyncio.wait({stopped, case.call}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
    assert [case.done for case in cases.creates] == [CREATE[:n] for n in range(len(CREATE) + 1)]
    # Kubernetes' garbage collector may have been faster with the Leases of what is deleted.
    assert all(case.done == DELETE[: len(case.done)] for case in cases.deletes)
    assert {bool(case.done) for case in cases.deletes} == {False, True}
    assert [case.done for case in cases.updates] == [UPDATE[:n] for n in range(len(UPDATE) + 1)]
    assert [case.done for case in cases.renames] == [RENAME[:n] for n in range(len(RENAME) + 1)]
    stage.other.processes.resume("controller")
    return cases


async def register(healthy: Targets, *bodies: dict[str, Any]) -> None:
    """Register these as soon as their names and URLs are free, which is soon."""

    few = asyncio.Semaphore(FEW)

    async def created(body: dict[str, Any]) -> grpc.StatusCode:
        async with few:
            return await code_of(healthy.create(body))

    async def one(body: dict[str, Any]) -> None:
        await eventually(lambda: created(body), lambda code: code == OK, pause=0.2)

    await asyncio.gather(*map(one, bodies))


def given_up(cases: Cases) -> list[dict[str, Any]]:
    """What names and URLs the stopped calls leave, or will have to leave, to others."""
    half_made = [case.new for case in cases.creates if case.is_stopped]
    left = [case.old if REPLACED in case.done else case.new for case in cases.updates]
    renamed = [
        token_target(clusterName=(case.old if REPLACED in case.done else case.new)["clusterName"])
        for case in cases.renames
    ]
    deleted = [case.old for case in cases.deletes if case.done]
    return half_made + left + renamed + deleted


async def test_a_killed_server_leaves_nothing_behind(stage: Stage) -> None:
    cases = await begin(stage)
    await stage.victim.processes.kill("server")
    await register(stage.healthy, *given_up(cases))
    for case in cases.creates:
        assert case.is_stopped or await case.call == OK, case
    for case in cases.changes:
        shown = await stage.healthy.get(case.uuid)
        expected = case.new if REPLACED in case.done else case.old
        assert shown.cluster_name == expected["clusterName"], case
        assert shown.cluster_api_url == expected["clusterAPIURL"], case
        [target] = [each for each in stage.watched.admitted() if each.metadata.name == case.uuid]
        assert target.spec.cluster_name == expected["clusterName"], case
    for case in cases.deletes:
        code = await code_of(stage.healthy.get(case.uuid))
        assert code == (NOT_FOUND if case.done else OK), case
    await stage.watched.until_tidy()


async def test_a_server_that_goes_on_much_too_late_takes_nothing_from_others(stage: Stage) -> None:
    cases = await begin(stage)
    rivals = given_up(cases)
    await register(stage.healthy, *rivals)
    for case in cases.all:
        case.operation.go_on.set()
    for case in cases.creates:
        assert (await case.call == OK) != case.is_stopped, case
    await asyncio.gather(*(case.call for case in cases.all))

    names = {target.spec.cluster_name for target in stage.watched.admitted()}
    assert names >= {body["clusterName"] for body in rivals}
    for target in await stage.watched.live():
        if not target.is_admitted:
            await stage.healthy.delete(target.metadata.name)
    await stage.watched.until_tidy()


async def test_a_registration_that_stopped_half_way_is_shown_to_nobody_and_removed(
    stage: Stage,
) -> None:
    targets, watched = stage.healthy, stage.watched
    kubectl = Kubectl(watched.cache.client, watched.secrets)
    target = await kubectl.target(annotations=mark(datetime.now(UTC)))
    uuid = target.metadata.name
    calls = (targets.get(uuid), targets.update(uuid), targets.delete(uuid))
    assert await codes_of(*calls) == [NOT_FOUND] * 3
    assert uuid not in [shown.uuid for shown in await targets.list()]

    async def live() -> set[str]:
        return {each.metadata.name for each in await watched.live()}

    assert uuid in await live()
    await eventually(live, lambda found: uuid not in found)
