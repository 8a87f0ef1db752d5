"""A name and a URL belong to one target at a time, whoever asks for them, and wherever."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from itertools import cycle
from typing import Any

import pytest
import pytest_asyncio

from krkn_grpc.kube.errors import KubeError
from krkn_grpc.resources import names
from tests.integration.targets.conftest import Replicas
from tests.integration.targets.watching import Watched
from tests.support.inventory import written
from tests.support.requests import token_target, unused_name, unused_url
from tests.support.target_client import (
    ABORTED,
    ALREADY_EXISTS,
    NOT_FOUND,
    OK,
    Targets,
    code_of,
    codes_of,
)
from tests.support.waiting import eventually

Both = tuple[Targets, Targets]


@pytest_asyncio.fixture(autouse=True, scope="module")
async def nothing_is_left(replicas: Replicas) -> AsyncIterator[None]:
    """Nothing but whole targets when all is over, and never two of one cluster."""
    yield
    await replicas.watched.until_tidy()


def spellings(host: str) -> list[str]:
    """URLs that all mean the same."""
    return [
        f"https://{host}",
        f"https://{host}/",
        f"https://{host}:443",
        f"HTTPS://{host}:443/",
        f"https://[::ffff:{host}]",
    ]


def same_name() -> Callable[[], dict[str, Any]]:
    name = unused_name()
    return lambda: token_target(clusterName=name)


def same_url() -> Callable[[], dict[str, Any]]:
    spelled = cycle(spellings(unused_url(443).removeprefix("https://").removesuffix(":443")))
    return lambda: token_target(clusterAPIURL=next(spelled))


@pytest.mark.parametrize("rivals", [same_name, same_url])
async def test_of_50_creates_on_two_servers_one_wins(
    replicas: Replicas, rivals: Callable[[], Callable[[], dict[str, Any]]]
) -> None:
    rival, both, here = rivals(), replicas.targets, replicas.first
    before = await written(here.cluster, here.namespace)
    codes = await codes_of(
        *(targets.create(rival()) for targets, _ in zip(cycle(both), range(50), strict=False))
    )
    assert Counter(codes) == {OK: 1, ALREADY_EXISTS: 49}
    left = Counter(
        name.split("/")[0] for name in await written(here.cluster, here.namespace) - before
    )
    assert left == {"krknoperatortargets": 1, "leases": 2, "secrets": 1}
    replicas.watched.assert_never_doubled()


async def test_an_update_and_a_create_for_one_name(both: Both, watched: Watched) -> None:
    for first, second in (both, both[::-1]):
        uuid, name = await first.create(), unused_name()
        codes = await codes_of(
            first.update(uuid, clusterName=name), second.create(clusterName=name)
        )
        assert sorted(codes, key=str) == sorted([OK, ALREADY_EXISTS], key=str)
    watched.assert_never_doubled()


async def test_two_targets_are_updated_to_one_url(both: Both, watched: Watched) -> None:
    url = unused_url()
    uuids = [await both[0].create() for _ in range(10)]
    codes = await codes_of(
        *(
            targets.update(uuid, clusterAPIURL=url)
            for targets, uuid in zip(cycle(both), uuids, strict=False)
        )
    )
    assert Counter(codes) == {OK: 1, ALREADY_EXISTS: 9}
    watched.assert_never_doubled()


async def test_one_target_is_updated_by_many_at_once(both: Both, watched: Watched) -> None:
    bodies = [token_target() for _ in range(10)]
    uuid = await both[0].create()
    codes = await codes_of(
        *(targets.update(uuid, body) for targets, body in zip(cycle(both), bodies, strict=False))
    )
    assert set(codes) <= {OK, ABORTED}
    assert OK in codes
    final = await eventually(watched.live, lambda live: any(t.metadata.name == uuid for t in live))
    [spec] = [target.spec for target in final if target.metadata.name == uuid]
    assert (spec.cluster_name, spec.cluster_api_url) in [
        (body["clusterName"], body["clusterAPIURL"]) for body in bodies
    ]
    watched.assert_never_doubled()


async def test_two_targets_exchange_their_names_step_by_step(both: Both, watched: Watched) -> None:
    here, there = token_target(), token_target()
    one, other = await both[0].create(here), await both[1].create(there)
    between = unused_name()
    await both[1].update(one, here | {"clusterName": between})
    await both[0].update(other, there | {"clusterName": here["clusterName"]})
    await both[1].update(one, here | {"clusterName": there["clusterName"]})
    watched.assert_never_doubled()


async def test_a_renamed_target_frees_its_old_name_and_url(both: Both, watched: Watched) -> None:
    old = token_target()
    uuid = await both[0].create(old)
    for _ in range(5):
        await both[0].update(uuid)
        new = await both[1].create(old)
        await both[1].delete(uuid)
        uuid = new
    watched.assert_never_doubled()


@pytest.mark.parametrize("field", ["clusterName", "clusterAPIURL"])
async def test_a_failed_update_leaves_all_as_it_was(
    both: Both, watched: Watched, field: str
) -> None:
    mine, new, taken = token_target(), token_target(), token_target()
    uuid, _ = await both[0].create(mine), await both[1].create(taken)
    [before] = [target for target in await watched.live() if target.metadata.name == uuid]
    assert await code_of(both[0].update(uuid, new | {field: taken[field]})) == ALREADY_EXISTS

    [after] = [target for target in await watched.live() if target.metadata.name == uuid]
    assert after.spec == before.spec
    assert after.is_admitted
    other = ({"clusterName", "clusterAPIURL"} - {field}).pop()
    assert await code_of(both[1].create(**{other: new[other]})) == OK
    assert await code_of(both[1].create(**{field: mine[field]})) == ALREADY_EXISTS
    watched.assert_never_doubled()


async def test_what_is_deleted_is_free_when_the_delete_answers(
    both: Both, watched: Watched
) -> None:
    body = token_target()
    for here, there in [both, both[::-1]] * 10:
        uuid = await here.create(body)
        await there.delete(uuid)
        reserved = {lease.name for lease in await watched.leases.list_metadata()}
        assert names.name_reservation(body["clusterName"]) not in reserved
        assert names.url_reservation(body["clusterAPIURL"]) not in reserved
        assert await code_of(here.delete(uuid)) == NOT_FOUND
        assert await code_of(there.get(uuid)) == NOT_FOUND
    watched.assert_never_doubled()


async def test_a_target_that_is_deleted_while_it_is_updated(both: Both, watched: Watched) -> None:
    for _ in range(5):
        uuid = await both[0].create()
        codes = await codes_of(both[0].update(uuid), both[1].delete(uuid))
        assert codes in ([OK, OK], [NOT_FOUND, OK])
        assert await code_of(both[0].get(uuid)) == NOT_FOUND
    watched.assert_never_doubled()


async def test_anything_at_once(both: Both, watched: Watched) -> None:
    """Two servers and kubectl, a few names and URLs, and all want all of them."""
    chance = random.Random(7)
    known = [await both[0].create() for _ in range(6)]
    all_names = [unused_name() for _ in range(4)]
    all_urls = [unused_url() for _ in range(4)]

    async def one() -> None:
        targets = chance.choice(both)
        wanted: dict[str, Any] = {
            "clusterName": chance.choice(all_names),
            "clusterAPIURL": chance.choice(all_urls),
        }
        match chance.choice(["create", "update", "update", "delete", "edit"]):
            case "create":
                if await code_of(created := asyncio.ensure_future(targets.create(**wanted))) == OK:
                    known.append(created.result())
            case "update":
                await code_of(targets.update(chance.choice(known), **wanted))
            case "delete":
                await code_of(targets.delete(chance.choice(known)))
            case _:
                await rename(watched, chance.choice(known), chance.choice(all_names))

    async def many() -> None:
        for _ in range(25):
            await one()

    await asyncio.gather(*(many() for _ in range(8)))
    for target in await watched.live():
        await code_of(both[0].delete(target.metadata.name))
    watched.assert_never_doubled()
    assert (
        await codes_of(
            *(
                both[0].create(clusterName=name, clusterAPIURL=url)
                for name, url in zip(all_names, all_urls, strict=True)
            )
        )
        == [OK] * 4
    )


async def rename(watched: Watched, uuid: str, name: str) -> None:
    """Rename as kubectl edits."""
    with contextlib.suppress(KubeError):
        await watched.cache.client.merge(uuid, {"spec": {"clusterName": name}})
