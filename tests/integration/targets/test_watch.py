"""WatchTargets: what there is, then each change once and in order, as the filter sees it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from grpc import StatusCode

from krkn_grpc.v1 import targets_pb2 as pb
from tests.support.requests import unused_name
from tests.support.rpc import refused
from tests.support.target_client import Targets

Both = tuple[Targets, Targets]
Message = pb.WatchTargetsResponse


@dataclass
class Watcher:
    """A watch that keeps what it was told."""

    call: Any
    told: list[Message] = field(default_factory=list)

    async def until(self, accept: Callable[[Message], object]) -> Message:
        """Read until a message is accepted, and return it."""
        while True:
            message: Message = await self.call.read()
            self.told.append(message)
            if accept(message):
                return message

    async def synced(self) -> Message:
        """Read what there is."""
        return await self.until(lambda message: message.type == "SYNCED")

    async def next(self) -> Message:
        """Return the next message."""
        return await self.until(lambda _: True)


@contextlib.asynccontextmanager
async def watching(targets: Targets, **fields: Any) -> AsyncIterator[Watcher]:
    """Watch until the context is left."""
    call = targets.stub.WatchTargets(pb.WatchTargetsRequest(**fields), timeout=60)
    try:
        yield Watcher(call)
    finally:
        call.cancel()


def checked(message: Message) -> bool:
    return message.target.HasField("last_checked")


async def test_what_there_is_comes_first_and_then_what_changes(both: Both) -> None:
    """On another server than the one that writes."""
    team = unused_name()
    old = await both[0].create(labels={"team": team})
    await both[0].when(old, "Unreachable")
    async with watching(both[1], label_selector=f"team={team}") as watcher:
        synced = await watcher.synced()
        assert [(m.type, m.target.uuid) for m in watcher.told] == [("ADDED", old), ("SYNCED", "")]
        assert [m.resume_token != "" for m in watcher.told] == [False, True]
        assert not synced.HasField("target")

        new = await both[0].create(labels={"team": team})
        added = await watcher.until(lambda m: m.target.uuid == new)
        # A registration that is under way is no target yet.
        assert (added.type, added.target.labels["team"]) == ("ADDED", team)
        failed = await watcher.until(lambda m: m.target.uuid == new and checked(m))
        assert (failed.type, failed.target.reason) == ("MODIFIED", "Unreachable")

        renamed = await both[0].patch(new, clusterName=unused_name())
        named = await watcher.until(lambda m: m.target.cluster_name == renamed.cluster_name)
        assert named.type == "MODIFIED"
        await both[0].delete(new)
        gone = await watcher.until(lambda m: m.type == "DELETED")
        assert gone.target.uuid == new
        assert all(message.resume_token for message in watcher.told[1:])


async def test_what_leaves_the_filter_is_deleted_and_comes_again_as_added(both: Both) -> None:
    team = unused_name()
    async with watching(both[0], label_selector=f"team={team}", ready=False) as watcher:
        await watcher.synced()
        uuid = await both[0].create(labels={"team": team})
        assert (await watcher.next()).type == "ADDED"
        await both[0].patch(uuid, labels={"team": "other"})
        gone = await watcher.until(lambda m: m.type == "DELETED")
        assert gone.target.labels["team"] == "other", "as it is"
        await both[0].patch(uuid, labels={"team": team})
        assert (await watcher.next()).type == "ADDED"


async def test_it_goes_on_where_it_was_cut_on_either_server(both: Both) -> None:
    team = unused_name()
    selector = f"team={team}"
    for targets in both:
        # Since the later of the two servers began, something has happened.
        await targets.when(await both[0].create(), "Unreachable")
    async with watching(both[0], label_selector=selector) as watcher:
        await watcher.synced()
        uuid = await both[0].create(labels={"team": team})
        await watcher.until(checked)
        await both[0].delete(uuid)
        await watcher.until(lambda m: m.type == "DELETED")
    told = [message for message in watcher.told if message.resume_token]
    for cut_at, message in enumerate(told[:-1]):
        for server in both:
            token = message.resume_token
            async with watching(server, label_selector=selector, resume_token=token) as resumed:
                rest = [await resumed.next() for _ in told[cut_at + 1 :]]
                assert rest == told[cut_at + 1 :]


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"label_selector": "a in"}, "labelSelector"), ({"resume_token": "x"}, "resumeToken")],
)
async def test_a_watch_that_is_asked_for_wrongly(
    targets: Targets, fields: dict[str, Any], field: str
) -> None:
    found = await refused(targets.stub.WatchTargets(pb.WatchTargetsRequest(**fields)).read())
    assert (found.code, found.violations) == (StatusCode.INVALID_ARGUMENT, [field])


async def test_a_token_is_for_its_own_filters_and_method(targets: Targets) -> None:
    async with watching(targets, ready=False) as watcher:
        token = (await watcher.synced()).resume_token
    for fields in ({}, {"ready": True}, {"ready": False, "label_selector": "a"}):
        request = pb.WatchTargetsRequest(resume_token=token, **fields)
        found = await refused(targets.stub.WatchTargets(request).read())
        assert (found.code, found.violations) == (StatusCode.INVALID_ARGUMENT, ["resumeToken"])
