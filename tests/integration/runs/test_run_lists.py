"""GetRun and ListRuns: runs as they are written, filters together, pages that stay whole."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from google.protobuf.json_format import MessageToDict
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import runs_pb2 as pb
from tests.integration.runs.conftest import Site, a_site
from tests.support.custom_objects import MERGE, RUNS, Manifest, collection, whole
from tests.support.requests import a_run
from tests.support.rpc import refused, told
from tests.support.running import Wanted
from tests.support.waiting import eventually

NAMES = ["pods", "nodes"]
USERS = ["alice", "bob"]
TEAMS = ["a", "b"]
STATUSES: dict[str, Manifest] = {
    "Pending": {},
    "Running": {"phase": "Running"},
    "Stopping": {"phase": "Running", "stop": True},
    "Succeeded": {"phase": "Succeeded"},
    "PartiallyFailed": {"phase": "PartiallyFailed"},
    "Failed": {"phase": "Failed"},
    "Stopped": {"phase": "Stopped", "stop": True},
}
Kinds = dict[tuple[str, str, str, str], str]


@pytest_asyncio.fixture(scope="module")
async def listed(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """A server without a controller: runs stay as they are written."""
    folder = tmp_path_factory.mktemp("lists")
    async with a_site(control_plane, folder, Wanted(controller=False, envoy=False)) as site:
        yield site


@pytest_asyncio.fixture(scope="module")
async def every_kind(listed: Site) -> Kinds:
    """One run of each status, scenario, user and team; their ids by these."""
    kinds = list(itertools.product(STATUSES, NAMES, USERS, TEAMS))
    ids = await asyncio.gather(*(write(listed, *kind) for kind in kinds))
    everything = dict(zip(kinds, ids, strict=True))
    await seen(listed, set(ids))
    return everything


async def write(site: Site, status: str, name: str, user: str, team: str) -> str:
    """Write a run as who restores a backup does; return its id."""
    wanted = dict(STATUSES[status])
    manifest = whole(RUNS)
    manifest.pop("status")
    manifest["metadata"]["labels"] = {"team": team, "krkn-scenario-name": name}
    manifest["spec"] |= {"scenarioName": name, "requestedBy": user}
    if not wanted.pop("stop", False):
        del manifest["spec"]["stop"]
    path = collection(RUNS, site.namespace)
    run_id: str = (await site.cluster.request("POST", path, manifest))["metadata"]["name"]
    if wanted:
        change = {"status": wanted}
        await site.cluster.request("PATCH", f"{path}/{run_id}/status", change, MERGE)
    return run_id


async def seen(site: Site, ids: set[str]) -> None:
    """Wait until the server's watch has brought the runs, each with its status."""
    listed = await site.cluster.request("GET", collection(RUNS, site.namespace))
    newest = max(int(run["metadata"]["resourceVersion"]) for run in listed["items"])
    revision = (("krkn-revision", f"{RUNS}.{newest}"),)
    request = pb.ListRunsRequest(page_size=1000)

    async def look() -> set[str]:
        reply, _ = await told(site.runs.stub.ListRuns(request, metadata=revision))
        return {run.run_id for run in reply.runs}

    await eventually(look, lambda found: ids <= found)


async def pages(site: Site, size: int, **filters: Any) -> list[pb.Run]:
    """Return the runs of all pages, one after the other."""
    found: list[pb.Run] = []
    token = ""
    while True:
        request = pb.ListRunsRequest(page_size=size, page_token=token, **filters)
        page = await site.runs.stub.ListRuns(request)
        assert len(page.runs) <= size
        found += page.runs
        if not (token := page.next_page_token):
            return found


@pytest.mark.parametrize("status", ["", *STATUSES])
async def test_filters_together(listed: Site, every_kind: Kinds, status: str) -> None:
    choices: list[list[str]] = [["", *NAMES], ["", *USERS], ["", *TEAMS]]
    for name, user, team in itertools.product(*choices):
        asked = (status, name, user, team)
        expected = {
            run_id
            for kind, run_id in every_kind.items()
            if all(want in ("", has) for want, has in zip(asked, kind, strict=True))
        }
        found = await pages(
            listed,
            7,
            status=status,
            scenario_name=name,
            requested_by=user,
            label_selector=team and f"team={team}",
        )
        ids = [run.run_id for run in found]
        assert len(ids) == len(set(ids))
        assert set(ids) == expected, asked


async def test_the_newest_is_first_and_a_page_stays_whole(listed: Site, every_kind: Kinds) -> None:
    whole_list = await pages(listed, 1000, label_selector="team in (a,b)")
    keys = [(run.created_at, run.run_id) for run in whole_list]
    assert keys == sorted(keys, reverse=True)
    first = await listed.runs.stub.ListRuns(pb.ListRunsRequest(page_size=5))
    new = await write(listed, "Pending", "pods", "alice", "later")
    await seen(listed, {new})
    token = first.next_page_token
    second = await listed.runs.stub.ListRuns(pb.ListRunsRequest(page_size=1000, page_token=token))
    ids = [run.run_id for run in (*first.runs, *second.runs)]
    assert len(ids) == len(set(ids))
    assert {*every_kind.values()} <= {*ids}


async def test_a_run_is_listed_as_it_is_shown_but_for_its_targets(
    listed: Site, every_kind: Kinds
) -> None:
    in_list = {run.run_id: run for run in await pages(listed, 1000)}
    for run_id in every_kind.values():
        run = await listed.runs.get(run_id)
        assert [each.job_id for each in run.targets]
        assert [each.error for each in run.refused]
        assert dict(run.labels).keys() == {"team"}, "the service's own are not shown"
        run.ClearField("targets")
        run.ClearField("refused")
        assert MessageToDict(in_list[run_id]) == MessageToDict(run)


async def test_every_field_is_shown(listed: Site, every_kind: Kinds) -> None:
    spec = whole(RUNS)["spec"]
    run = await listed.runs.get(every_kind["Stopped", "pods", "alice", "a"])
    shown = MessageToDict(run, always_print_fields_with_no_presence=True)
    same = (
        *("targets", "refused", "scenarioImage", "kubeconfigPath", "environment"),
        *("timeoutSeconds", "ttlSecondsAfterFinished", "maxParallel", "maxFailures"),
        *("abortRunning", "queueSeconds", "onBusy", "abortOn", "stop"),
    )
    assert {name: shown[name] for name in same} == {name: spec[name] for name in same}
    assert (shown["requestedBy"], shown["scenarioName"]) == ("alice", "pods")
    assert shown["secretEnvironmentNames"] == spec["secretEnvironment"]
    assert shown["fileNames"] == [file["name"] for file in spec["files"]]
    # Of a run that was never counted: as it began.
    assert shown["counts"]["total"] == len(spec["targets"]) + len(spec["refused"])
    assert not {"fingerprint", "claims"} & shown.keys()


@pytest.mark.parametrize(
    ("fields", "violations"),
    [
        ({"status": "pending"}, ["status"]),
        ({"status": "Refused"}, ["status"]),
        ({"label_selector": "a in b"}, ["labelSelector"]),
        ({"status": "x", "label_selector": "=="}, ["status", "labelSelector"]),
        ({"page_size": 1001}, ["pageSize"]),
        ({"page_size": -1}, ["pageSize"]),
        ({"page_token": "x"}, ["pageToken"]),
    ],
)
async def test_a_list_that_is_not_in_order_is_refused(
    listed: Site, fields: dict[str, Any], violations: list[str]
) -> None:
    found = await refused(listed.runs.stub.ListRuns(pb.ListRunsRequest(**fields)))
    assert (found.code, found.violations) == (StatusCode.INVALID_ARGUMENT, violations)


async def test_a_token_is_for_its_filters(listed: Site, every_kind: Kinds) -> None:
    first = await listed.runs.stub.ListRuns(pb.ListRunsRequest(page_size=1, scenario_name="pods"))
    other = pb.ListRunsRequest(page_size=1, page_token=first.next_page_token)
    assert (await refused(listed.runs.stub.ListRuns(other))).violations == ["pageToken"]


@pytest.mark.parametrize("run_id", [str(uuid.uuid4()), "x", "", "..", str(uuid.uuid4()).upper()])
async def test_a_run_that_is_not_there(listed: Site, run_id: str) -> None:
    calls = (
        listed.runs.stub.GetRun(pb.GetRunRequest(run_id=run_id)),
        listed.runs.stub.StopRun(pb.StopRunRequest(run_id=run_id)),
        listed.runs.rerun(run_id),
        listed.runs.run_log(run_id).read(),
    )
    for call in calls:
        found = await refused(call)
        assert (found.code, found.message) == (StatusCode.NOT_FOUND, "there is no such run")


async def test_a_run_of_two_targets_and_one_that_is_not_there(site: Site) -> None:
    targets, absent = await site.some_targets(2), str(uuid.uuid4())
    asked = a_run(*targets, absent, labels={"team": "x"}, maxParallel=1, maxFailures=0)
    reply = await site.runs.ask(*targets, absent, **asked)
    run = await site.runs.get(reply.run_id)
    assert [(each.target_uuid, each.job_id) for each in run.targets] == [
        (each.target_uuid, each.job_id) for each in reply.jobs[:2]
    ]
    assert [(each.target_uuid, each.error) for each in run.refused] == [
        (absent, "there is no such target")
    ]
    assert (run.max_parallel, run.max_failures, dict(run.labels)) == (1, 0, {"team": "x"})
    assert (run.counts.total, run.counts.refused) == (3, 1)
    for job_id in [each.job_id for each in run.targets]:
        assert (await site.runs.job(job_id)).run_id == run.run_id
    listed = await site.runs.list(run_id=run.run_id)
    assert {job.job_id for job in listed} == {each.job_id for each in run.targets}
    for no_run in (str(uuid.uuid4()), "x"):
        assert await site.runs.list(run_id=no_run) == []


async def test_the_server_that_wrote_a_run_lists_it_at_once_and_others_by_its_revision(
    site: Site,
) -> None:
    [target], name = await site.some_targets(1), f"n{uuid.uuid4().hex}"
    reply, metadata = await told(site.runs.start(target, scenarioName=name))
    [listed] = await site.runs.list_runs(scenario_name=name)
    assert listed.run_id == reply.run_id
    assert (await site.other_runs.get(reply.run_id)).run_id == reply.run_id
    write = (("krkn-revision", metadata["krkn-revision"]),)
    call = site.other_runs.stub.ListRuns(pb.ListRunsRequest(scenario_name=name), metadata=write)
    assert [run.run_id for run in (await call).runs] == [reply.run_id]
