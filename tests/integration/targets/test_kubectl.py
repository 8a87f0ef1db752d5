"""Targets that were written with kubectl: admitted like others, and trusted with nothing more."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from deploy.local.services import REPOSITORY
from krkn_grpc.reservations.in_progress import mark
from krkn_grpc.resources import names
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.target import READY, Target
from krkn_grpc.resources.well_known import REGISTERED_BY_SERVER
from tests.integration.targets.kubectl import Kubectl
from tests.integration.targets.watching import Watched
from tests.support.requests import canary, kubeconfig, token_target, unused_name, unused_url
from tests.support.target_client import ALREADY_EXISTS, NOT_FOUND, OK, Targets, code_of
from tests.support.waiting import eventually
from tests.unit.resources.kubeconfig.corpus import HOSTILE

# They would run something, read a file, or go elsewhere.
_ACTS = re.compile(r"exec|provider|-?[fF]ile|proxy|^as")
ACTIVE = [file for file, _, _ in HOSTILE if _ACTS.search(file)]
CORPUS = REPOSITORY / "tests/unit/resources/kubeconfig/hostile"


@pytest.fixture
def kubectl(watched: Watched) -> Kubectl:
    return Kubectl(watched.cache.client, watched.secrets)


async def until_admitted(watched: Watched, target: Target, *, seconds: float = 10.0) -> Target:
    """Return the target as soon as it is admitted, for the spec that it has."""

    async def look() -> Target:
        return await watched.cache.client.get(target.metadata.name)

    return await eventually(look, lambda seen: seen.is_admitted, seconds=seconds)


async def test_it_is_admitted_and_holds_its_name_and_url(
    kubectl: Kubectl, targets: Targets, watched: Watched
) -> None:
    target = await kubectl.whole()
    await until_admitted(watched, target)
    uuid, spec = target.metadata.name, target.spec
    assert (await targets.when(uuid, "Unreachable")).cluster_name == spec.cluster_name
    for taken in ({"clusterName": spec.cluster_name}, {"clusterAPIURL": spec.cluster_api_url}):
        assert await code_of(targets.create(**taken)) == ALREADY_EXISTS
    await targets.delete(uuid)
    again = token_target(clusterName=spec.cluster_name, clusterAPIURL=spec.cluster_api_url)
    assert await code_of(targets.create(again)) == OK


async def says(targets: Targets, target: Target, message: str) -> str:
    """Wait until the target says this, and return the reason."""

    async def look() -> tuple[str, str]:
        shown = await targets.get(target.metadata.name)
        return shown.message, shown.reason

    return (await eventually(look, lambda seen: seen[0] == message))[1]


@pytest.mark.parametrize("field", ["name", "url"])
async def test_a_duplicate_is_refused_until_the_first_one_goes(
    kubectl: Kubectl, targets: Targets, watched: Watched, field: str
) -> None:
    first = await until_admitted(watched, await kubectl.whole())
    spec = first.spec
    same = {"name": spec.cluster_name} if field == "name" else {"url": f"{spec.cluster_api_url}/"}
    second = await kubectl.whole(**same)
    reason = "DuplicateName" if field == "name" else "DuplicateAPIURL"
    shown = await targets.when(second.metadata.name, reason)
    assert not shown.ready
    assert shown.message.endswith("exists already")
    stored = await watched.cache.client.get(second.metadata.name)
    assert not stored.is_admitted
    assert not stored.status.ready
    ready = find_condition(stored.status.conditions, READY)
    assert ready is not None
    assert (ready.status, ready.reason) == ("False", reason)
    # What it lost for nothing, others can have.
    free = {"clusterAPIURL": second.spec.cluster_api_url, "clusterName": second.spec.cluster_name}
    del free["clusterName" if field == "name" else "clusterAPIURL"]
    uuid = await targets.create(**free)
    await targets.delete(uuid)

    await kubectl.delete(first)
    # At once, and not when the controller would try again by itself.
    await until_admitted(watched, second)
    watched.assert_never_doubled()


async def test_a_duplicate_gets_the_name_that_an_update_frees(
    kubectl: Kubectl, targets: Targets, watched: Watched
) -> None:
    body = token_target()
    uuid = await targets.create(body)
    second = await kubectl.whole(name=body["clusterName"])
    await targets.when(second.metadata.name, "DuplicateName")
    await targets.update(uuid, body | {"clusterName": unused_name()})
    await until_admitted(watched, second)
    watched.assert_never_doubled()


async def test_an_edit_is_admitted_anew(
    kubectl: Kubectl, targets: Targets, watched: Watched
) -> None:
    target = await until_admitted(watched, await kubectl.whole())
    old, new = target.spec.cluster_name, unused_name()
    await kubectl.edit(target, clusterName=new)
    await until_admitted(watched, target)
    assert await code_of(targets.create(clusterName=new)) == ALREADY_EXISTS

    async def create() -> bool:
        return await code_of(targets.create(clusterName=old)) == OK

    await eventually(create, seconds=60, pause=0.3)
    watched.assert_never_doubled()


async def test_an_edit_to_a_name_that_is_taken_is_refused_and_taken_back(
    kubectl: Kubectl, targets: Targets, watched: Watched
) -> None:
    target = await until_admitted(watched, await kubectl.whole())
    body = token_target()
    await targets.create(body)
    await kubectl.edit(target, clusterName=body["clusterName"])
    await targets.when(target.metadata.name, "DuplicateName")
    await kubectl.edit(target, clusterName=target.spec.cluster_name)
    await until_admitted(watched, target)
    watched.assert_never_doubled()


async def test_a_target_that_is_refused_keeps_nothing_that_it_had(
    kubectl: Kubectl, targets: Targets, watched: Watched
) -> None:
    target, other = await asyncio.gather(*(kubectl.whole() for _ in range(2)))
    await asyncio.gather(*(until_admitted(watched, each) for each in (target, other)))
    await kubectl.edit(target, clusterAPIURL=other.spec.cluster_api_url)
    await targets.when(target.metadata.name, "DuplicateAPIURL")

    async def create() -> bool:
        return await code_of(targets.create(clusterName=target.spec.cluster_name)) == OK

    await eventually(create)
    watched.assert_never_doubled()


async def test_of_two_that_are_edited_to_the_same_one_is_admitted(
    kubectl: Kubectl, watched: Watched
) -> None:
    """Each holds what the other wants: neither may wait for the other for ever."""
    one, other = await asyncio.gather(*(kubectl.whole() for _ in range(2)))
    await asyncio.gather(*(until_admitted(watched, each) for each in (one, other)))
    await asyncio.gather(
        kubectl.edit(one, clusterAPIURL=other.spec.cluster_api_url),
        kubectl.edit(other, clusterName=one.spec.cluster_name),
    )
    pair = {one.metadata.name, other.metadata.name}

    async def admitted() -> set[str]:
        return pair & {target.metadata.name for target in watched.admitted()}

    await eventually(admitted, lambda found: len(found) == 1)
    watched.assert_never_doubled()
    await asyncio.gather(kubectl.delete(one), kubectl.delete(other))


async def test_the_url_of_the_spec_must_be_the_kubeconfig_s(
    kubectl: Kubectl, targets: Targets
) -> None:
    target = await kubectl.target()
    await kubectl.secret(target, kubeconfig(unused_url(), canary()))
    message = "The kubeconfig is for another server than the target."
    assert await says(targets, target, message) == "InvalidKubeconfig"


async def test_a_secret_of_another_target_is_not_used(
    kubectl: Kubectl, targets: Targets, watched: Watched
) -> None:
    theirs = await watched.cache.client.get(await targets.create())
    thief = await kubectl.target(secret=theirs.spec.secret_uuid)
    message = "The Secret that the target names is not its own."
    assert await says(targets, thief, message) == "InvalidKubeconfig"


@pytest.mark.parametrize("wrong", ["label", "owner"])
async def test_a_secret_must_be_the_target_s_by_label_and_by_owner(
    kubectl: Kubectl, targets: Targets, watched: Watched, wrong: str
) -> None:
    other = await watched.cache.client.get(await targets.create())
    target = await kubectl.target()
    text = kubeconfig(target.spec.cluster_api_url, canary())
    if wrong == "label":
        await kubectl.secret(target, text, label=other.metadata.name)
    else:
        await kubectl.secret(target, text, owner=other)
    message = "The Secret that the target names is not its own."
    assert await says(targets, target, message) == "InvalidKubeconfig"


async def test_a_refused_address_is_not_contacted(kubectl: Kubectl, targets: Targets) -> None:
    target = await kubectl.whole(url="https://169.254.169.254")
    await targets.when(target.metadata.name, "AddressRefused")
    await kubectl.delete(target)


async def test_a_kubeconfig_that_would_do_something_is_refused(
    kubectl: Kubectl, targets: Targets
) -> None:
    """As kubectl wrote it, it is data to the controller too."""

    async def reason(file: str) -> str:
        target = await kubectl.target()
        await kubectl.secret(target, (CORPUS / file).read_bytes())
        reason = await says(targets, target, "The target's kubeconfig is refused.")
        await kubectl.delete(target)
        return reason

    assert {await each for each in asyncio.as_completed(map(reason, ACTIVE))} == {
        "InvalidKubeconfig"
    }


async def test_a_copy_of_what_the_server_registered_is_admitted(
    kubectl: Kubectl, watched: Watched
) -> None:
    """From a backup, say: with the server's mark on it, but long after."""
    old = mark(datetime.now(UTC) - timedelta(hours=1))
    for annotations in (old, {REGISTERED_BY_SERVER: "true"}):
        await until_admitted(watched, await kubectl.target(annotations=annotations))


async def test_a_lease_of_nobody_blocks_no_name(
    kubectl: Kubectl, targets: Targets, watched: Watched
) -> None:
    """Its holder was deleted, and what was the holder's not yet."""
    body = token_target()
    gone = await kubectl.target(name=body["clusterName"])
    await until_admitted(watched, gone)
    lease = await watched.leases.get(names.name_reservation(body["clusterName"]))
    await kubectl.delete(gone)
    assert await code_of(targets.create(body)) == OK
    assert lease.spec.holder_identity == gone.metadata.name


@pytest.mark.parametrize("by", ["server", "kubectl"])
async def test_a_target_that_waits_for_a_finalizer_holds_nothing(
    kubectl: Kubectl, targets: Targets, watched: Watched, by: str
) -> None:
    """Whoever deleted it: it never comes back, so others may have its name and URL."""
    target = await until_admitted(watched, await kubectl.whole())
    uuid, spec = target.metadata.name, target.spec
    await kubectl.targets.merge(uuid, {"metadata": {"finalizers": ["example.com/slow"]}})
    await (targets.delete(uuid) if by == "server" else kubectl.delete(target))
    # What kubectl did the server has to hear of first.
    await eventually(lambda: code_of(targets.get(uuid)), lambda code: code == NOT_FOUND)
    again = token_target(clusterName=spec.cluster_name, clusterAPIURL=spec.cluster_api_url)
    assert await code_of(targets.create(again)) == OK
    await kubectl.targets.merge(uuid, {"metadata": {"finalizers": None}})
    watched.assert_never_doubled()
