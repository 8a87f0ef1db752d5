"""Two who want one thing, in an order that is chosen: what must not depend on it does not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.json_format import ParseDict

from krkn_grpc.v1 import targets_pb2 as pb
from tests.integration.targets.kubectl import Kubectl
from tests.integration.targets.stage import Stage
from tests.support.api_proxy import Call, Refused, open_gate
from tests.support.requests import token_target, unused_name
from tests.support.target_client import ALREADY_EXISTS, NOT_FOUND, OK, code_of, codes_of
from tests.support.waiting import eventually


@contextlib.asynccontextmanager
async def held(stage: Stage, write: str, call: Awaitable[object]) -> AsyncIterator["Held"]:
    """Make a call that is held before its first write of this kind, until the block ends."""
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def gate(sent: Call) -> None:
        if str(sent) == write:
            reached.set()
            await go_on.wait()

    stage.proxy.before = gate
    outcome = Held(asyncio.ensure_future(code_of(call)))
    async with asyncio.timeout(60):
        await reached.wait()
    try:
        yield outcome
    finally:
        go_on.set()
        stage.proxy.before = open_gate
        await asyncio.wait([outcome.task])


@dataclass(frozen=True)
class Held:
    """A call that is held."""

    task: "asyncio.Task[grpc.StatusCode]"

    @property
    def code(self) -> grpc.StatusCode:
        """How it ended."""
        return self.task.result()


async def test_what_an_update_has_reserved_stays_reserved_while_it_is_under_way(
    stage: Stage,
) -> None:
    uuid, new = await stage.healthy.create(), token_target()
    async with held(stage, "PUT krknoperatortargets", stage.doomed.update(uuid, new)) as update:
        # Losers clean up behind themselves, but not what is another's.
        for _ in range(3):
            for field in ("clusterName", "clusterAPIURL"):
                assert await code_of(stage.healthy.create(**{field: new[field]})) == ALREADY_EXISTS
    assert update.code == OK
    shown = await stage.healthy.get(uuid)
    assert (shown.cluster_name, shown.cluster_api_url) == (new["clusterName"], new["clusterAPIURL"])


async def test_the_old_name_stays_reserved_until_the_new_one_is_written(stage: Stage) -> None:
    old = token_target()
    uuid = await stage.healthy.create(old)
    async with held(stage, "PUT krknoperatortargets", stage.doomed.update(uuid)) as update:
        assert await code_of(stage.healthy.create(old)) == ALREADY_EXISTS
    assert update.code == OK
    assert await code_of(stage.healthy.create(old)) == OK


async def test_an_update_that_is_overtaken_by_one_of_the_same_target(stage: Stage) -> None:
    body, new = token_target(), token_target()
    uuid = await stage.healthy.create(body)
    async with held(stage, "PUT krknoperatortargets", stage.doomed.update(uuid, new)) as update:
        await stage.healthy.update(uuid, new)
    assert update.code == OK
    async with held(stage, "PUT krknoperatortargets", stage.doomed.update(uuid, new)) as update:
        await stage.healthy.update(uuid, body)
    assert update.code == OK
    assert (await stage.healthy.get(uuid)).cluster_name == new["clusterName"]
    assert await code_of(stage.healthy.create(body)) == OK


async def test_an_update_whose_target_is_deleted_on_the_way(stage: Stage) -> None:
    for write in ("POST secrets", "PUT krknoperatortargets", "PUT krknoperatortargets/status"):
        new = token_target()
        uuid = await stage.healthy.create()
        async with held(stage, write, stage.doomed.update(uuid, new)) as update:
            await stage.healthy.delete(uuid)
            # The holder is gone, so the reservations of the update are nobody's.
            assert await code_of(stage.healthy.create(new)) == OK
        assert update.code == NOT_FOUND


async def test_a_status_that_changes_on_the_way_is_no_obstacle(stage: Stage) -> None:
    """The controller writes what it found of the cluster, whenever it finds it."""
    kubectl = Kubectl(stage.watched.cache.client, stage.watched.secrets)
    for write in ("PUT krknoperatortargets", "PUT krknoperatortargets/status"):
        uuid = await stage.healthy.create()
        async with held(stage, write, stage.doomed.update(uuid)) as update:
            target = await kubectl.targets.get(uuid)
            await kubectl.targets.merge(uuid, {"metadata": {"annotations": {"a": write}}})
            assert target.metadata.name == uuid
        assert update.code == OK
        assert (await kubectl.targets.get(uuid)).metadata.annotations["a"] == write


async def test_an_edit_with_kubectl_that_comes_after_an_updates_write(stage: Stage) -> None:
    kubectl = Kubectl(stage.watched.cache.client, stage.watched.secrets)
    uuid, name = await stage.healthy.create(), unused_name()
    call = stage.doomed.update(uuid)
    async with held(stage, "PUT krknoperatortargets/status", call):
        await kubectl.edit(await kubectl.targets.get(uuid), clusterName=name)

    async def admitted() -> list[str]:
        return [
            target.spec.cluster_name
            for target in stage.watched.admitted()
            if target.metadata.name == uuid
        ]

    await eventually(admitted, lambda found: found == [name])


async def test_what_fails_on_the_way_gives_back_what_it_had_reserved(stage: Stage) -> None:
    async def no_more_secrets(call: Call) -> None:
        if str(call) == "POST secrets":
            raise Refused(403, "Forbidden", "exceeded quota: secrets")

    old, new, never = token_target(), token_target(), token_target()
    uuid = await stage.healthy.create(old)
    stage.proxy.before = no_more_secrets
    codes = await codes_of(stage.doomed.update(uuid, new), stage.doomed.create(never))
    assert codes == [grpc.StatusCode.RESOURCE_EXHAUSTED] * 2
    assert (await stage.healthy.get(uuid)).cluster_name == old["clusterName"]
    assert await codes_of(stage.healthy.create(new), stage.healthy.create(never)) == [OK, OK]


async def test_a_read_that_names_the_revision_of_a_write_waits_for_it(stage: Stage) -> None:
    """Also of a deletion; without the revision a server shows what it has heard of so far."""

    async def listed(reply: Any) -> set[str]:
        """List with the revision of a reply, on the server that hears nothing for a moment."""
        [revision] = [each for each in await reply.initial_metadata() if each[0] == "krkn-revision"]
        request = pb.ListTargetsRequest(page_size=1000)
        call = stage.doomed.stub.ListTargets(request, metadata=(tuple(revision),))
        # Answered after the read: so the read is under way, and waits.
        await stage.doomed.list()
        stage.proxy.streams_flow.set()
        return {target.uuid for target in (await call).targets}

    stage.proxy.streams_flow.clear()
    call = stage.healthy.stub.CreateTarget(ParseDict(token_target(), pb.CreateTargetRequest()))
    uuid = (await call).uuid
    assert uuid in await listed(call)

    stage.proxy.streams_flow.clear()
    call = stage.healthy.stub.DeleteTarget(pb.DeleteTargetRequest(uuid=uuid))
    await call
    assert uuid in [target.uuid for target in await stage.doomed.list()]
    assert uuid not in await listed(call)
