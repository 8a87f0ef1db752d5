"""Labels and names of targets: PatchTarget, and lists by label and readiness."""

import asyncio
from itertools import cycle
from typing import Any

import pytest
from grpc import StatusCode

from krkn_grpc.v1 import targets_pb2 as pb
from tests.integration.targets.conftest import Replicas
from tests.integration.targets.watching import Watched
from tests.support.custom_objects import MERGE, TARGETS, collection
from tests.support.inventory import written
from tests.support.requests import token_target, unused_name
from tests.support.rpc import refused
from tests.support.target_client import ALREADY_EXISTS, OK, Targets, code_of, codes_of
from tests.support.waiting import eventually

Both = tuple[Targets, Targets]
OURS = "krkn.krkn-chaos.dev/provider"


async def live(replicas: Replicas, uuid: str) -> dict[str, Any]:
    """The target as the API server has it."""
    found: dict[str, Any] = await replicas.first.cluster.request("GET", path(replicas, uuid))
    return found


def path(replicas: Replicas, uuid: str) -> str:
    """The path of the target."""
    return f"{collection(TARGETS, replicas.first.namespace)}/{uuid}"


async def test_labels_from_the_first_to_the_last(targets: Targets) -> None:
    uuid = await targets.create(labels={"team": "a", "env": "prod"})
    assert dict((await targets.get(uuid)).labels) == {"team": "a", "env": "prod"}

    changed = await targets.patch(uuid, labels={"team": "b", "site": ""}, removeLabels=["env", "x"])
    assert dict(changed.labels) == {"team": "b", "site": ""}
    assert changed == await targets.get(uuid)

    # Who replaces a target and knows nothing of labels, takes none away.
    await targets.update(uuid)
    assert dict((await targets.get(uuid)).labels) == {"team": "b", "site": ""}
    await targets.update(uuid, labels={"team": "c"})
    assert dict((await targets.get(uuid)).labels) == {"team": "c"}


async def test_a_patch_changes_nothing_else(replicas: Replicas, targets: Targets) -> None:
    uuid = await targets.create(labels={"team": "a"})
    before = await live(replicas, uuid)
    patched = await targets.patch(uuid, labels={"env": "prod"})
    after = await live(replicas, uuid)
    assert (after["spec"], after["metadata"]["generation"]) == (
        before["spec"],
        before["metadata"]["generation"],
    )
    assert after["metadata"]["labels"] == {"team": "a", "env": "prod"}
    assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
    # Nothing to do is nothing written.
    assert await targets.patch(uuid, labels={"env": "prod"}, removeLabels=["x"]) == patched
    assert await targets.patch(uuid) == patched
    again = await live(replicas, uuid)
    assert again["metadata"]["labels"] == after["metadata"]["labels"]
    assert again["spec"] == after["spec"]


async def test_labels_of_kubectl_are_shown_and_our_own_are_not(
    replicas: Replicas, targets: Targets
) -> None:
    uuid = await targets.create()
    change = {"metadata": {"labels": {"by": "kubectl", "krkn-job-id": "x"}}}
    await replicas.first.cluster.request("PATCH", path(replicas, uuid), change, MERGE)
    patched = await targets.patch(uuid, labels={"team": "a"})
    assert dict(patched.labels) == {"by": "kubectl", "team": "a"}
    assert (await live(replicas, uuid))["metadata"]["labels"]["krkn-job-id"] == "x"


@pytest.mark.parametrize(
    ("fields", "violations"),
    [
        pytest.param({"labels": {"a b": "c"}}, ["labels[a b]"], id="no key"),
        pytest.param({"labels": {"a": "b c"}}, ["labels[a]"], id="no value"),
        pytest.param({"labels": {OURS: "acm"}}, [f"labels[{OURS}]"], id="ours"),
        pytest.param(
            {"labels": {"krkn-target-uuid": "x"}}, ["labels[krkn-target-uuid]"], id="ours, bare"
        ),
        pytest.param({"removeLabels": ["a", OURS]}, ["removeLabels[1]"], id="ours, removed"),
        pytest.param({"removeLabels": [""]}, ["removeLabels[0]"], id="no key, removed"),
        pytest.param({"removeLabels": ["a"] * 65}, ["removeLabels"], id="too many to remove"),
        pytest.param({"labels": {"a": ""}, "removeLabels": ["a"]}, ["removeLabels[0]"], id="both"),
        pytest.param({"labels": {f"l{n}": "" for n in range(65)}}, ["labels"], id="too many"),
        pytest.param({"labels": {f"l{n}": "" for n in range(63)}}, ["labels"], id="in the end"),
        pytest.param({"clusterName": ""}, ["clusterName"], id="no name"),
        pytest.param({"clusterName": " "}, ["clusterName"], id="a blank name"),
        pytest.param({"clusterName": "a\nb"}, ["clusterName"], id="a line break"),
        pytest.param({"clusterName": "n" * 254}, ["clusterName"], id="a long name"),
    ],
)
async def test_a_patch_that_is_not_in_order(
    targets: Targets, fields: dict[str, Any], violations: list[str]
) -> None:
    uuid = await targets.create(labels={"one": "", "two": ""})
    before = await targets.get(uuid)
    found = await refused(targets.patch(uuid, **fields))
    assert (found.code, found.violations) == (StatusCode.INVALID_ARGUMENT, violations)
    assert (await targets.get(uuid)).labels == before.labels


async def test_a_registration_with_labels_that_are_not_in_order(targets: Targets) -> None:
    request = pb.CreateTargetRequest(labels={OURS: "acm"})
    found = await refused(targets.stub.CreateTarget(request))
    assert found.violations == ["clusterName", f"labels[{OURS}]", "secretType"]


async def test_concurrent_patches_lose_nothing(replicas: Replicas, both: Both) -> None:
    """On two servers; and beside them the controller writes the status."""
    uuid = await both[0].create(labels={"first": ""})
    keys = [f"key-{number}" for number in range(40)]
    codes = await codes_of(
        *(
            targets.patch(uuid, labels={key: "x"})
            for targets, key in zip(cycle(both), keys, strict=False)
        ),
        both[1].patch(uuid, removeLabels=["first"]),
    )
    assert set(codes) == {OK}
    assert (await live(replicas, uuid))["metadata"]["labels"] == dict.fromkeys(keys, "x")


async def test_a_rename_keeps_the_credential_and_frees_the_old_name(
    replicas: Replicas, both: Both, watched: Watched
) -> None:
    old, new, here = unused_name(), unused_name(), replicas.first
    uuid = await both[0].create(clusterName=old, labels={"team": "a"})
    before = await live(replicas, uuid)
    secrets = {each for each in await written(here.cluster, here.namespace) if "secrets/" in each}
    renamed = await both[0].patch(uuid, clusterName=f" {new} ", removeLabels=["team"])
    assert (renamed.cluster_name, dict(renamed.labels)) == (new, {})
    assert (await live(replicas, uuid))["spec"] == before["spec"] | {"clusterName": new}
    assert secrets <= await written(here.cluster, here.namespace)
    # The old name is free at once, and the new one is not.
    other = await both[1].create(clusterName=old)
    assert await code_of(both[1].create(clusterName=new)) is ALREADY_EXISTS
    assert await code_of(both[0].patch(other, clusterName=new)) is ALREADY_EXISTS
    assert (await both[0].get(other)).cluster_name == old
    await targets_are_gone(both[0], uuid, other)
    watched.assert_never_doubled()


async def test_a_name_that_stays_is_no_conflict(targets: Targets) -> None:
    name = unused_name()
    uuid = await targets.create(clusterName=name)
    renamed = await targets.patch(uuid, clusterName=name, labels={"team": "a"})
    assert (renamed.cluster_name, dict(renamed.labels)) == (name, {"team": "a"})
    assert await code_of(targets.create(clusterName=name)) is ALREADY_EXISTS


async def test_a_rename_and_a_create_for_one_name(both: Both, watched: Watched) -> None:
    for first, second in (both, both[::-1]):
        uuid, name = await first.create(), unused_name()
        codes = await codes_of(first.patch(uuid, clusterName=name), second.create(clusterName=name))
        assert sorted(codes, key=str) == sorted([OK, ALREADY_EXISTS], key=str)
    watched.assert_never_doubled()


async def test_many_targets_are_renamed_to_one_name(both: Both, watched: Watched) -> None:
    name = unused_name()
    uuids = [await both[0].create() for _ in range(6)]
    codes = await codes_of(
        *(
            targets.patch(uuid, clusterName=name)
            for targets, uuid in zip(cycle(both), uuids, strict=False)
        )
    )
    assert sorted(codes, key=str) == [ALREADY_EXISTS] * 5 + [OK]
    watched.assert_never_doubled()


async def test_renames_updates_and_labels_at_once(
    replicas: Replicas, both: Both, watched: Watched
) -> None:
    """A rename keeps the credential of whichever update came last."""
    uuid = await both[0].create()
    codes = await codes_of(
        *(both[0].patch(uuid, clusterName=unused_name()) for _ in range(5)),
        *(both[1].update(uuid, token_target()) for _ in range(5)),
        *(both[1].patch(uuid, labels={f"l{number}": ""}) for number in range(5)),
    )
    # Renames and updates of one server conflict with those of the other; labels never do.
    assert set(codes[10:]) == {OK}
    assert set(codes) <= {OK, StatusCode.ABORTED}
    assert len((await live(replicas, uuid))["metadata"]["labels"]) == 5

    async def is_whole() -> bool:
        [target] = [each for each in await watched.live() if each.metadata.name == uuid]
        there = await written(replicas.first.cluster, replicas.first.namespace)
        return target.is_admitted and f"secrets/{target.spec.secret_uuid}" in there

    await eventually(is_whole)
    watched.assert_never_doubled()


async def test_lists_by_label_and_readiness(both: Both) -> None:
    team = unused_name()
    uuids = [await both[0].create(labels={"team": team, "n": str(number)}) for number in range(5)]

    async def listed(**filters: Any) -> list[str]:
        return [target.uuid for target in await both[0].list(**filters)]

    newest = uuids[::-1]
    assert await listed(label_selector=f"team={team}") == newest
    assert await listed(label_selector=f"team={team},n in (1,3)") == [uuids[3], uuids[1]]
    assert await listed(label_selector=f"team={team},n>2") == [uuids[4], uuids[3]]
    assert await listed(label_selector=f"team={team},!n") == []
    assert await listed(label_selector=f"team={team}", ready=False) == newest
    assert await listed(label_selector=f"team={team}", ready=True) == []


async def test_pages_of_a_selection_are_complete(both: Both) -> None:
    team, targets = unused_name(), both[0]
    chosen = []
    for number in range(6):
        uuid = await targets.create(labels={"team": team if number % 2 else "other"})
        chosen += [uuid] if number % 2 else []
    found: list[str] = []
    token, selector = "", f"team={team}"
    while True:
        page = await targets.stub.ListTargets(
            pb.ListTargetsRequest(page_size=2, page_token=token, label_selector=selector)
        )
        found += [target.uuid for target in page.targets]
        if not (token := page.next_page_token):
            break
        # What comes meanwhile is newer, and so on a page before.
        await asyncio.gather(targets.create(labels={"team": team}), targets.create())
        given = token
    assert found == chosen[::-1]
    for other in ({}, {"label_selector": "team"}, {"label_selector": selector, "ready": False}):
        call = targets.stub.ListTargets(pb.ListTargetsRequest(page_token=given, **other))
        assert (await refused(call)).violations == ["pageToken"]


@pytest.mark.parametrize("selector", ["a in", "=b", "a=b=c", "a b"])
async def test_a_selector_that_is_none(targets: Targets, selector: str) -> None:
    found = await refused(targets.list(label_selector=selector))
    assert (found.code, found.violations) == (StatusCode.INVALID_ARGUMENT, ["labelSelector"])


async def targets_are_gone(targets: Targets, *uuids: str) -> None:
    """Delete them, so that their names are free for others."""
    for uuid in uuids:
        await targets.delete(uuid)
