"""The admission policy on metadata: only those who may delete an object can do so indirectly."""

import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster import credentials, manifests
from deploy.local.cluster.api import APPLY, Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from deploy.local.services import REPOSITORY
from krkn_grpc.resources import well_known
from krkn_grpc.resources.meta import GROUP
from tests.support.accounts import acting_as, make_account, until_bound
from tests.support.custom_objects import (
    BLACKOUTS,
    HALTS,
    JOBS,
    MERGE,
    PROVIDERS,
    REQUESTS,
    RUNS,
    TARGETS,
    Manifest,
    Stored,
    assert_refused,
    collection,
    owner,
    whole,
)
from tests.support.running import POLICIES, make_namespace, remove_namespace
from tests.support.waiting import eventually

DEPLOY = REPOSITORY / "deploy"
KINDS = (JOBS, TARGETS, PROVIDERS, REQUESTS, HALTS, BLACKOUTS, RUNS)
SERVER, CONTROLLER = "krkn-grpc-server", "krkn-grpc-controller"
EDIT = ["create", "get", "list", "update", "patch"]
ROLES = {"editor": EDIT, "remover": [*EDIT, "delete"]}

FINALIZER = "example.com/held"
OURS = well_known.TRACE
NOBODY = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": str(uuid.uuid4())}
MARKED: Manifest = {
    "finalizers": [FINALIZER],
    "annotations": {OURS: "1", "example.com/theirs": "1"},
    "labels": {well_known.TARGET_UUID: "one", f"{GROUP}/one": "", "theirs": "1"},
}
CHANGES: dict[str, Manifest] = {
    "strip finalizers": {"finalizers": None},
    "hold it": {"finalizers": [FINALIZER, "example.com/mine"]},
    "own it": {"ownerReferences": [NOBODY]},
    "disown it": {"ownerReferences": None},
    "our annotation": {"annotations": {OURS: "2"}},
    "another of ours": {"annotations": {well_known.CALL: "2"}},
    "without our annotation": {"annotations": {OURS: None}},
    "without annotations": {"annotations": None},
    "our label": {"labels": {well_known.TARGET_UUID: "two"}},
    "another of ours, a label": {"labels": {well_known.JOB_ID: "two"}},
    "a label with our prefix": {"labels": {f"{GROUP}/two": ""}},
    "without our label": {"labels": {well_known.TARGET_UUID: None}},
    "without labels": {"labels": None},
}
ALONE: dict[str, Manifest] = {
    "finalizers": {"finalizers": [FINALIZER]},
    "a finalizer with our prefix": {"finalizers": [f"{GROUP}/any"]},
    "owners": {"ownerReferences": [NOBODY]},
    "our annotation": {"annotations": {OURS: "1"}},
    "our label": {"labels": {well_known.SCENARIO_NAME: "a"}},
}
THEIRS: dict[str, Manifest] = {
    "a label": {"labels": {"theirs": "2", "team/another": "x"}},
    "no label": {"labels": {"theirs": None}},
    "an annotation": {"annotations": {"example.com/theirs": "2"}},
    "no annotation": {"annotations": {"example.com/theirs": None}},
    "what is there": MARKED,
}


@dataclass(frozen=True)
class Place:
    """A namespace, and the accounts that write there."""

    control_plane: ControlPlane
    namespace: str
    admin: Cluster
    editor: Cluster
    """May do everything but delete."""
    remover: Cluster
    server: Cluster
    controller: Cluster
    owner: Manifest
    """A reference to an object that is there: what has no owner left is deleted."""

    async def create(self, by: Cluster, plural: str, **metadata: object) -> Stored:
        """Create an object with this metadata."""
        manifest = whole(plural)
        manifest["metadata"] |= metadata
        for field in ("requestedBy", "runId", "runUID"):
            manifest["spec"].pop(field, None)
        path = collection(plural, self.namespace)
        created = await by.request("POST", path, manifest)
        return Stored(by, f"{path}/{manifest['metadata']['name']}", created)

    async def marked(self, plural: str) -> Stored:
        """Return an object that has something of everything, for the editor to change."""
        made = await self.create(self.admin, plural, **MARKED, ownerReferences=[self.owner])
        return replace(made, cluster=self.editor)


@pytest_asyncio.fixture(scope="module")
async def place(control_plane: ControlPlane) -> AsyncIterator[Place]:
    cluster, name = control_plane.cluster, f"test-{uuid.uuid4().hex[:8]}"
    async with contextlib.AsyncExitStack() as stack:
        await make_namespace(cluster, name)
        stack.push_async_callback(remove_namespace, cluster, name)
        stack.push_async_callback(_free, cluster, name)
        configmap = await cluster.request(
            "POST", f"/api/v1/namespaces/{name}/configmaps", {"metadata": {"name": "owner"}}
        )
        accounts = {}
        for account, verbs in ROLES.items():
            rules = [
                {"apiGroups": [GROUP], "resources": list(KINDS), "verbs": verbs},
                {"apiGroups": [GROUP], "resources": [TARGETS], "verbs": ["run"]},
            ]
            role = {"metadata": {"name": account}, "rules": rules}
            path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}/roles"
            await cluster.request("POST", path, role)
            await make_account(cluster, name, account, account)
        for account in (*ROLES, SERVER, CONTROLLER):
            accounts[account] = await stack.enter_async_context(
                acting_as(control_plane, name, account)
            )
            await until_bound(accounts[account], name)
        yield Place(
            control_plane,
            name,
            cluster,
            accounts["editor"],
            accounts["remover"],
            accounts[SERVER],
            accounts[CONTROLLER],
            owner(configmap),
        )


async def _free(cluster: Cluster, namespace: str) -> None:
    """Take off what would hold the namespace."""
    for plural in KINDS:
        path = collection(plural, namespace)
        for item in (await cluster.request("GET", path))["items"]:
            if item["metadata"].get("finalizers"):
                stored = Stored(cluster, f"{path}/{item['metadata']['name']}", item)
                await stored.merge({"metadata": {"finalizers": None}})


@pytest.mark.parametrize("plural", KINDS)
@pytest.mark.parametrize("change", CHANGES)
async def test_only_who_may_delete_it_changes_what_is_ours(
    place: Place, plural: str, change: str
) -> None:
    stored = await place.marked(plural)
    before = await stored.read()
    await assert_refused(stored.merge({"metadata": CHANGES[change]}), "", 403)
    assert await stored.read() == before
    await replace(stored, cluster=place.remover).merge({"metadata": CHANGES[change]})


@pytest.mark.parametrize("plural", KINDS)
@pytest.mark.parametrize("what", ALONE)
async def test_only_who_may_delete_it_creates_it_so(place: Place, plural: str, what: str) -> None:
    await assert_refused(place.create(place.editor, plural, **ALONE[what]), "", 403)
    # What the garbage collector finds without its owner is gone soon after.
    await place.create(place.remover, plural, **ALONE[what])


@pytest.mark.parametrize("plural", KINDS)
@pytest.mark.parametrize("change", THEIRS)
async def test_who_may_write_edits_what_is_theirs(place: Place, plural: str, change: str) -> None:
    stored = await place.marked(plural)
    await stored.merge({"metadata": THEIRS[change]})
    await stored.replace(await stored.read())
    applied = {
        "apiVersion": stored.manifest["apiVersion"],
        "kind": stored.manifest["kind"],
        "metadata": {"labels": {"applied": "yes"}},
    }
    told = await place.editor.request("PATCH", stored.path, applied, APPLY, fieldManager="me")
    assert told["metadata"]["labels"]["applied"] == "yes"


@pytest.mark.parametrize("key", [*sorted(well_known.RESERVED), f"{GROUP}/any"])
async def test_a_label_that_the_service_refuses_kubectl_refuses(place: Place, key: str) -> None:
    await assert_refused(place.create(place.editor, JOBS, labels={key: "a"}), "service's own", 403)


@pytest.mark.parametrize("plural", KINDS)
async def test_a_write_of_the_status_changes_nothing_else(place: Place, plural: str) -> None:
    """So the policy need not ask about it; here by somebody who might do so."""
    stored = replace(await place.marked(plural), cluster=place.admin)
    before = (await stored.read())["metadata"]
    status = whole(plural)["status"]
    for change in CHANGES.values():
        await stored.merge({"metadata": change, "status": status}, "/status")
    after = (await stored.read())["metadata"]
    kept = ("finalizers", "ownerReferences", "annotations", "labels")
    assert [after.get(each) for each in kept] == [before.get(each) for each in kept]


@pytest.mark.parametrize("change", CHANGES)
async def test_the_server_may_not_delete_a_job_either(place: Place, change: str) -> None:
    stored = replace(await place.marked(JOBS), cluster=place.server)
    await assert_refused(stored.merge({"metadata": CHANGES[change]}), "", 403)
    assert (await stored.merge({"spec": {"stop": True}}))["spec"]["stop"] is True


async def test_the_server_marks_what_it_creates(place: Place) -> None:
    marks = {"labels": {well_known.SCENARIO_NAME: "a"}, "annotations": {OURS: "1"}}
    await place.create(place.server, JOBS, **marks)
    await place.create(place.server, TARGETS, **marks)
    await assert_refused(place.create(place.server, JOBS, finalizers=[FINALIZER]), "", 403)
    await assert_refused(place.create(place.server, JOBS, ownerReferences=[NOBODY]), "", 403)


async def test_the_server_asks_for_a_check_and_an_editor_does_not(place: Place) -> None:
    asked = {"annotations": {well_known.CHECK_REQUESTED: "2026-03-04T05:06:07.000+00:00"}}
    stored = await place.create(place.admin, TARGETS, labels={"team": "a"})
    await assert_refused(
        replace(stored, cluster=place.editor).merge({"metadata": asked}), "the service's own", 403
    )
    target = await stored.read()
    target["metadata"] |= asked
    target["metadata"]["labels"] = {"team": "b"}
    changed = await replace(stored, cluster=place.server).replace(target)
    assert changed["metadata"]["annotations"] == asked["annotations"]
    assert changed["metadata"]["labels"] == {"team": "b"}


async def test_the_controller_marks_its_provider(place: Place) -> None:
    stored = await place.create(place.controller, PROVIDERS)
    await stored.merge({"metadata": {"annotations": {well_known.INACTIVE_BY: "shutdown"}}})
    await stored.merge({"metadata": {"annotations": {well_known.INACTIVE_BY: None}}})


async def test_the_garbage_collector_is_not_held_up(place: Place, tmp_path: Path) -> None:
    """As a cluster runs it: with an account and a role of its own."""
    collector = "system:serviceaccount:kube-system:generic-garbage-collector"
    admin = await credentials.of_kubeconfig(place.control_plane.admin_kubeconfig, tmp_path)
    as_collector = replace(admin, headers={"Impersonate-User": collector})
    async with Cluster(as_collector) as cluster:
        for plural in KINDS:
            stored = replace(await place.marked(plural), cluster=cluster)
            await stored.merge({"metadata": {"finalizers": None, "ownerReferences": None}})


MANY = {f"label-{number}": "" for number in range(128)}
TEXT = "\N{LATIN SMALL LETTER A WITH DIAERESIS}" * 1024
NOTES = {f"note-{number:03}": "x" for number in range(128)}
# 64 KiB in all: 31 of 2056 bytes, and one of what is left of it.
LONG = {f"note-{number:03}": TEXT for number in range(31)}
LONG["rest"] = "x" * (65_536 - 31 * (2048 + 8) - 4)


@pytest.mark.parametrize("plural", KINDS)
async def test_an_object_has_so_much_and_no_more(place: Place, plural: str) -> None:
    # Only the server may create a run without the right to delete it.
    writer = place.server if plural == RUNS else place.editor
    for by in (writer, place.admin):
        stored = await place.create(by, plural, labels=MANY, annotations=NOTES)
        for what in ("labels", "annotations"):
            change, told = {what: {"one-more": ""}}, f"at most 128 {what}"
            await assert_refused(stored.merge({"metadata": change}), told)
            grown = {what: stored.manifest["metadata"][what] | change[what]}
            await assert_refused(place.create(by, plural, **grown), told)
        long = await place.create(by, plural, annotations=LONG)
        longer = {"metadata": {"annotations": {"rest": LONG["rest"] + "x"}}}
        await assert_refused(long.merge(longer), "64 KiB together")
        await assert_refused(place.create(by, plural, annotations=LONG | {"a": ""}), "64 KiB")


async def test_the_largest_objects_are_not_too_dear_to_ask_about(place: Place) -> None:
    """What an expression may cost has a bound; who passes it is refused."""
    path = collection(JOBS, place.namespace)
    job = whole(JOBS)
    name = job["metadata"]["name"]
    keys = [f"{'a' * 60}.{number:03}.example/{'b' * 63}" for number in range(128)]
    job["metadata"]["labels"] = dict.fromkeys(keys, "c" * 63)
    job["metadata"]["annotations"] = dict.fromkeys(keys, "d" * 376)
    job["spec"]["environment"] = {f"E{number}": "e" * 60_000 for number in range(16)}
    job["spec"]["requestedBy"] = ""
    del job["spec"]["runId"], job["spec"]["runUID"]
    made = Stored(place.editor, f"{path}/{name}", await place.editor.request("POST", path, job))
    await made.merge({"metadata": {"labels": {keys[0]: "f" * 63}}})
    await made.merge({"metadata": {"labels": dict.fromkeys(keys)}})
    # The longest lists of what must stay.
    owners = [NOBODY | {"uid": str(uuid.uuid4())} for _ in range(1_000)]
    held = [f"example.com/{number:04}" for number in range(1_000)]
    held_job = await place.create(place.admin, JOBS, finalizers=held)
    await replace(held_job, cluster=place.editor).merge({"metadata": {"labels": {"a": "b"}}})
    await assert_refused(
        replace(held_job, cluster=place.editor).merge({"metadata": {"ownerReferences": owners}}),
        "owners",
        403,
    )


async def test_an_object_of_earlier_days_can_be_stopped_and_mended(binaries: Binaries) -> None:
    """It came before the policy: nothing that leaves it as it is, or makes it less, is refused."""
    metadata = {
        "labels": MANY | {"one": "", "two": ""},
        "annotations": LONG | {"more": "", OURS: "1"},
    }
    async with ControlPlane(binaries, only_api_server=True, crds=[DEPLOY / "crds"]) as earlier:
        job = whole(JOBS)
        job["metadata"] |= metadata
        path = collection(JOBS, "default")
        created = await earlier.cluster.request("POST", path, job)
        stored = Stored(earlier.cluster, f"{path}/{job['metadata']['name']}", created)
        await earlier.cluster.apply(manifests.load(*POLICIES))

        one_more = {"metadata": {"labels": {"three": ""}}}

        async def is_refused() -> bool:
            try:
                await earlier.cluster.request("PATCH", stored.path, one_more, MERGE, dryRun="All")
            except ClusterError as error:
                return "at most 128 labels" in str(error)
            return False

        await eventually(is_refused)
        await stored.merge({"spec": {"stop": True}})
        await stored.merge({"metadata": {"labels": {"one": None}}})
        await stored.merge({"metadata": {"annotations": {"more": None}}})
        for change in ({"labels": {"two": None}}, {"annotations": {"rest": None}}):
            await stored.merge({"metadata": change})
