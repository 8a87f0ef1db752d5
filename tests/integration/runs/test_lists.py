"""Lists: filters together, pages that stay whole, label selectors as the API server reads them."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.json_format import MessageToDict

from deploy.local.cluster.api import ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.integration.runs.conftest import Site, a_site
from tests.support.custom_objects import JOBS, MERGE, Manifest, collection, whole
from tests.support.rpc import refused, told
from tests.support.running import Wanted
from tests.support.waiting import eventually
from tests.unit.resources.test_label_selector import OBJECTS, REFUSED, SELECTS

TARGETS = [str(uuid.uuid4()) for _ in range(2)]
NAMES = ["pods", "nodes"]
TEAMS = ["a", "b"]
# What each needs besides the job itself: who writes a status is nobody's business here.
STATUSES: dict[str, Manifest] = {
    "Pending": {},
    "Running": {"phase": "Running"},
    "Stopping": {"phase": "Running", "stop": True},
    "Succeeded": {"phase": "Succeeded"},
    "Failed": {"phase": "Failed"},
    "Stopped": {"phase": "Stopped", "stop": True},
}


@pytest_asyncio.fixture(scope="module")
async def listed(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """A server without a controller: jobs stay as they are written."""
    folder = tmp_path_factory.mktemp("lists")
    async with a_site(control_plane, folder, Wanted(controller=False, envoy=False)) as site:
        yield site


@pytest_asyncio.fixture(scope="module")
async def every_kind(listed: Site) -> dict[tuple[str, str, str, str], str]:
    """One job of each target, status, scenario and team; their ids by these."""
    kinds = list(itertools.product(TARGETS, STATUSES, NAMES, TEAMS))
    ids = await asyncio.gather(*(write(listed, *kind) for kind in kinds))
    everything = dict(zip(kinds, ids, strict=True))
    await seen(listed, set(ids))
    return everything


def of(target: str) -> str:
    """Return the name of a target's cluster."""
    return f"cluster-{target[:4]}"


async def write(site: Site, target: str, status: str, name: str, team: str) -> str:
    """Write a job with kubectl; return its id."""
    wanted = dict(STATUSES[status])
    manifest = whole(JOBS)
    manifest.pop("status")
    manifest["metadata"]["labels"] = {"team": team}
    manifest["spec"] |= {"targetUUID": target, "scenarioName": name, "clusterName": of(target)}
    if wanted.pop("stop", False):
        manifest["spec"]["stop"] = True
    path = collection(JOBS, site.namespace)
    job_id: str = (await site.cluster.request("POST", path, manifest))["metadata"]["name"]
    if wanted:
        change = {"status": wanted}
        await site.cluster.request("PATCH", f"{path}/{job_id}/status", change, MERGE)
    return job_id


async def seen(site: Site, ids: set[str]) -> None:
    """Wait until the server's watch has brought the jobs, each with its status."""
    listed = await site.cluster.request("GET", collection(JOBS, site.namespace))
    newest = max(int(job["metadata"]["resourceVersion"]) for job in listed["items"])
    revision = (("krkn-revision", f"{JOBS}.{newest}"),)
    request = pb.ListScenarioRunsRequest(page_size=1000)

    async def look() -> set[str]:
        reply, _ = await told(site.runs.stub.ListScenarioRuns(request, metadata=revision))
        return {job.job_id for job in reply.jobs}

    await eventually(look, lambda found: ids <= found)


async def pages(site: Site, size: int, **filters: Any) -> list[str]:
    """Return the ids of all pages, one after the other."""
    found: list[str] = []
    token = ""
    while True:
        request = pb.ListScenarioRunsRequest(page_size=size, page_token=token, **filters)
        page = await site.runs.stub.ListScenarioRuns(request)
        assert len(page.jobs) <= size
        found += [job.job_id for job in page.jobs]
        if not (token := page.next_page_token):
            return found


@pytest.mark.parametrize("status", ["", *STATUSES])
async def test_filters_together(
    listed: Site, every_kind: dict[tuple[str, str, str, str], str], status: str
) -> None:
    choices: list[list[str]] = [["", *TARGETS], ["", *NAMES], ["", *TEAMS]]
    for by_name, (target, name, team) in itertools.product(
        (False, True), list(itertools.product(*choices))
    ):
        asked = (target, status, name, team)
        expected = {
            job_id
            for kind, job_id in every_kind.items()
            if all(not a or a == b for a, b in zip(asked, kind, strict=True))
        }
        found = await pages(
            listed,
            7,
            target_uuid="" if by_name else target,
            cluster_name=of(target) if by_name and target else "",
            status=status,
            scenario_name=name,
            label_selector=f"team={team}" if team else "team",
        )
        assert len(found) == len(expected)
        assert set(found) == expected


async def test_newest_first_to_the_second_and_the_same_again(
    listed: Site, every_kind: dict[tuple[str, str, str, str], str]
) -> None:
    jobs = await listed.runs.list(page_size=1000, label_selector="team")
    keys = [(job.created_at, job.job_id) for job in jobs]
    assert keys == sorted(keys, reverse=True)
    assert await pages(listed, 5, label_selector="team") == [job_id for _, job_id in keys]


async def test_pages_stay_whole_while_jobs_come_and_go(
    listed: Site, every_kind: dict[tuple[str, str, str, str], str]
) -> None:
    target, path = str(uuid.uuid4()), collection(JOBS, listed.namespace)
    stay = [await write(listed, target, "Pending", "pods", "x") for _ in range(20)]
    go = [await write(listed, target, "Pending", "pods", "x") for _ in range(20)]
    await seen(listed, {*stay, *go})
    found: list[str] = []
    token, deleted = "", list(go)
    while True:
        request = pb.ListScenarioRunsRequest(target_uuid=target, page_size=3, page_token=token)
        page = await listed.runs.stub.ListScenarioRuns(request)
        found += [job.job_id for job in page.jobs]
        if not (token := page.next_page_token):
            break
        # Also the very one that the token goes on from may be gone.
        for job_id in {page.jobs[-1].job_id} & set(deleted) or set(deleted[:1]):
            await listed.cluster.request("DELETE", f"{path}/{job_id}")
            deleted.remove(job_id)
        new = await write(listed, target, "Pending", "pods", "x")
        await seen(listed, {new})
    assert len(found) == len(set(found))
    assert set(stay) <= set(found)


async def test_pages_stay_whole_while_thousands_come_and_go(listed: Site) -> None:
    """Others write and delete all the time, as fast as they can."""
    target, path = str(uuid.uuid4()), collection(JOBS, listed.namespace)
    at_once = asyncio.Semaphore(32)

    async def write_one() -> str:
        async with at_once:
            return await write(listed, target, "Pending", "pods", "x")

    stay = set(await asyncio.gather(*(write_one() for _ in range(1000))))
    request = pb.ListScenarioRunsRequest(target_uuid=target, page_size=1000)
    await eventually(
        lambda: listed.runs.stub.ListScenarioRuns(request), lambda r: len(r.jobs) >= 1000
    )
    changes = 0

    async def come_and_go() -> None:
        nonlocal changes
        while True:
            job_id = await write_one()
            await listed.cluster.request("DELETE", f"{path}/{job_id}")
            changes += 1

    others = [asyncio.create_task(come_and_go()) for _ in range(8)]
    try:
        while changes < 500:
            found = await pages(listed, 50, target_uuid=target)
            assert len(found) == len(set(found))
            assert stay <= set(found)
            assert not any(other.done() for other in others)
    finally:
        for other in others:
            other.cancel()
        await asyncio.wait(others)


async def test_a_page_is_no_larger_than_clients_receive(listed: Site) -> None:
    """They take 4 MiB at once; so many jobs with the longest labels are more."""
    target, path = str(uuid.uuid4()), collection(JOBS, listed.namespace)
    longest = {f"{'p' * 253}/{'n' * 60}{number:03}": "v" * 63 for number in range(64)}

    async def write_one(_: int) -> str:
        manifest = whole(JOBS)
        manifest["metadata"]["labels"] = longest
        manifest["spec"] |= {"targetUUID": target}
        job_id: str = (await listed.cluster.request("POST", path, manifest))["metadata"]["name"]
        return job_id

    written = set(await asyncio.gather(*map(write_one, range(190))))
    found = await eventually(
        lambda: pages(listed, 1000, target_uuid=target), lambda found: len(found) >= len(written)
    )
    assert (len(found), set(found)) == (len(written), written)
    for job_id in written:
        await listed.cluster.request("DELETE", f"{path}/{job_id}")


async def test_a_token_is_for_its_own_filters(
    listed: Site, every_kind: dict[tuple[str, str, str, str], str]
) -> None:
    first = await listed.runs.stub.ListScenarioRuns(
        pb.ListScenarioRunsRequest(page_size=1, status="Failed", label_selector="team=a")
    )
    for other in ({"status": "Failed"}, {"label_selector": "team=a"}, {}):
        request = pb.ListScenarioRunsRequest(page_token=first.next_page_token, **other)  # type: ignore[arg-type]
        found = await refused(listed.runs.stub.ListScenarioRuns(request))
        assert (found.code.name, found.violations) == ("INVALID_ARGUMENT", ["pageToken"])
    # Another size is no other filter.
    again = pb.ListScenarioRunsRequest(
        page_size=1000, page_token=first.next_page_token, status="Failed", label_selector="team=a"
    )
    rest = await listed.runs.stub.ListScenarioRuns(again)
    assert len(rest.jobs) == 3


@pytest.mark.parametrize("text", [*SELECTS, *REFUSED])
async def test_the_api_server_reads_selectors_alike(control_plane: ControlPlane, text: str) -> None:
    """The table that our own reading is held against is held against Kubernetes here."""
    path = "/api/v1/namespaces/default/configmaps"
    for index, labels in enumerate(OBJECTS):
        metadata = {"name": f"selected-{index}", "labels": {**labels, "selected": "yes"}}
        await control_plane.cluster.apply(
            [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}]
        )
    if text in REFUSED:
        with pytest.raises(ClusterError) as refusal:
            await control_plane.cluster.request("GET", path, labelSelector=text)
        assert refusal.value.status == 400
        return
    reply = await control_plane.cluster.request("GET", path, labelSelector=text)
    found = {item["metadata"]["name"] for item in reply["items"]}
    expected = {f"selected-{index}" for index in SELECTS[text]}
    assert {name for name in found if name.startswith("selected-")} == expected


async def test_a_job_is_listed_as_it_is_shown(
    listed: Site, every_kind: dict[tuple[str, str, str, str], str]
) -> None:
    for job_id in every_kind.values():
        job = await listed.runs.job(job_id)
        assert job.labels["team"] in TEAMS
        [alike] = [
            each
            for each in await listed.runs.list(target_uuid=job.target_uuid, status=job.status)
            if each.job_id == job_id
        ]
        assert MessageToDict(alike) == MessageToDict(job)
