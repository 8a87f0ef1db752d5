"""Running a scenario on many targets, through the real Envoy: who gets a job, and who an error."""

import uuid
from typing import Any
from urllib.parse import urlencode

import pytest

from krkn_grpc.resources.ids import is_id
from tests.support.inventory import written
from tests.support.requests import a_run
from tests.support.rest import RUNS, Rest, assert_invalid
from tests.support.running import Running

ABSENT = "there is no such target"


def created(job: dict[str, object], target: str) -> bool:
    """Whether an entry says that a job was created, with exactly the fields that it should have."""
    job_id = job["jobId"]
    assert isinstance(job_id, str)
    assert is_id(job_id)
    return job == {
        "targetUUID": target,
        "jobId": job_id,
        "status": "Pending",
        "podName": f"krkn-job-{job_id}",
        "success": True,
    }


def assert_whole(body: dict[str, Any], jobs: list[Any], succeeded: int, failed: int) -> None:
    """Assert that a reply has these entries, and exactly the fields that it should have."""
    assert is_id(body["runId"]) is bool(succeeded)
    assert body == {
        "jobs": jobs,
        "totalTargets": succeeded + failed,
        "successfulJobs": succeeded,
        "failedJobs": failed,
        "runId": body["runId"],
    }


def refused(target: str, error: str = ABSENT) -> dict[str, object]:
    """The entry of a target that got no job."""
    return {
        "targetUUID": target,
        "jobId": "",
        "status": "Failed",
        "podName": "",
        "success": False,
        "error": error,
    }


async def test_a_single_target(rest: Rest) -> None:
    target = await rest.register()
    reply = await rest.post(RUNS, a_run(target))

    assert reply.status == 201
    [job] = reply.body["jobs"]
    assert created(job, target)
    assert_whole(reply.body, [job], 1, 0)
    assert (await rest.job(job["jobId"]))["targetUUID"] == target


async def test_many_targets_all_succeed_in_the_order_of_the_request(rest: Rest) -> None:
    targets = sorted([await rest.register() for _ in range(5)], reverse=True)
    reply = await rest.post(RUNS, a_run(*targets))

    assert reply.status == 201
    jobs = reply.body["jobs"]
    assert all(created(job, target) for job, target in zip(jobs, targets, strict=True))
    assert len({job["jobId"] for job in jobs}) == 5
    assert_whole(reply.body, jobs, 5, 0)


async def test_one_failure_touches_no_other(rest: Rest) -> None:
    first, last, unknown = await rest.register(), await rest.register(), str(uuid.uuid4())
    reply = await rest.post(RUNS, a_run(first, unknown, "no uuid at all", last))

    assert reply.status == 201
    jobs = reply.body["jobs"]
    assert created(jobs[0], first)
    assert jobs[1:3] == [refused(unknown), refused("no uuid at all")]
    assert created(jobs[3], last)
    assert_whole(reply.body, jobs, 2, 2)


async def test_all_fail_is_a_500_with_the_whole_body(rest: Rest, shared_services: Running) -> None:
    before = await written(shared_services.cluster, shared_services.namespace)
    targets = [str(uuid.uuid4()), "../secrets/x", str(uuid.uuid4()).upper()]
    reply = await rest.post(RUNS, a_run(*targets))

    assert reply.status == 500
    assert_whole(reply.body, [refused(target) for target in targets], 0, 3)
    assert await written(shared_services.cluster, shared_services.namespace) <= before


async def test_one_unknown_target_is_an_array_too(rest: Rest) -> None:
    unknown = str(uuid.uuid4())
    reply = await rest.post(RUNS, a_run(unknown))
    assert (reply.status, reply.body["jobs"]) == (500, [refused(unknown)])


async def test_a_deleted_target_is_that_targets_failure(rest: Rest) -> None:
    gone, there = await rest.register(), await rest.register()
    assert (await rest.delete(f"/api/v1/operator/targets/{gone}")).status == 200
    reply = await rest.post(RUNS, a_run(gone, there))
    assert reply.status == 201
    assert reply.body["jobs"][0] == refused(gone)
    assert created(reply.body["jobs"][1], there)


@pytest.mark.parametrize(
    ("targets", "fields"),
    [
        pytest.param({}, ["targetUUIDs"], id="missing"),
        pytest.param({"targetUUIDs": None}, ["targetUUIDs"], id="null"),
        pytest.param({"targetUUIDs": []}, ["targetUUIDs"], id="empty array"),
        pytest.param({"targetUUIDs": ["a", "b", "a"]}, ["targetUUIDs[2]"], id="duplicate"),
        pytest.param({"targetUUIDs": [""]}, ["targetUUIDs[0]"], id="empty string"),
        pytest.param(
            {"targetUUIDs": ["a", "", ""]}, ["targetUUIDs[1]", "targetUUIDs[2]"], id="two empty"
        ),
        pytest.param(
            {"targetUUIDs": [str(number) for number in range(1001)]}, ["targetUUIDs"], id="1001"
        ),
    ],
)
async def test_targets_that_are_not_in_order_start_nothing(
    rest: Rest, shared_services: Running, targets: dict[str, object], fields: list[str]
) -> None:
    before = await written(shared_services.cluster, shared_services.namespace)
    body = a_run()
    del body["targetUUIDs"]
    assert_invalid(await rest.post(RUNS, body | targets), *fields)
    assert await written(shared_services.cluster, shared_services.namespace) <= before


async def test_a_known_target_does_not_run_when_it_is_named_twice(
    rest: Rest, shared_services: Running
) -> None:
    target = await rest.register()
    before = await written(shared_services.cluster, shared_services.namespace)
    assert_invalid(await rest.post(RUNS, a_run(target, target)), "targetUUIDs[1]")
    assert await written(shared_services.cluster, shared_services.namespace) <= before
    assert (await rest.get(f"{RUNS}?targetUUID={target}")).body["jobs"] == []


async def test_all_runs_are_listed(rest: Rest) -> None:
    targets = [await rest.register() for _ in range(3)]
    job_ids = await rest.run(*targets)
    reply = await rest.get(RUNS)

    assert reply.status == 200
    assert sorted(reply.body) == ["jobs", "nextPageToken"]
    listed = {job["jobId"]: job["targetUUID"] for job in reply.body["jobs"]}
    assert dict(zip(job_ids, targets, strict=True)).items() <= listed.items()


async def test_runs_are_listed_newest_first(rest: Rest) -> None:
    jobs = (await rest.get(RUNS)).body["jobs"]
    created_at = [job["createdAt"] for job in jobs]
    assert created_at == sorted(created_at, reverse=True)


async def test_runs_are_filtered_by_target(rest: Rest) -> None:
    mine, other = await rest.register(), await rest.register()
    first, _ = await rest.run(mine, other)
    [second] = await rest.run(mine)

    reply = await rest.get(f"{RUNS}?targetUUID={mine}")
    assert reply.status == 200
    assert {job["jobId"] for job in reply.body["jobs"]} == {first, second}
    assert {job["targetUUID"] for job in reply.body["jobs"]} == {mine}
    assert reply.body["nextPageToken"] == ""


@pytest.mark.parametrize("target", [str(uuid.uuid4()), "no-uuid", "a%2Cb", "..%2F.."])
async def test_a_filter_for_no_target_is_an_empty_array(rest: Rest, target: str) -> None:
    reply = await rest.get(f"{RUNS}?targetUUID={target}")
    assert (reply.status, reply.body) == (200, {"jobs": [], "nextPageToken": ""})


@pytest.mark.parametrize("name", ["targetId", "clusterUUID", "targetUuid", "foo"])
async def test_a_query_parameter_that_is_not_there_is_refused(rest: Rest, name: str) -> None:
    reply = await rest.get(f"{RUNS}?{name}=x")
    assert (reply.status, reply.body["code"]) == (400, 3)
    assert name in reply.body["message"]


async def test_names_may_have_any_characters_that_can_be_shown(rest: Rest) -> None:
    target = await rest.register()
    name = "ポッド\u3000シナリオ \xa0\u200c"
    path = "/home/krkn/kraken/scenarios/my\u3000scenario.yaml"
    file = {"name": "my scenario/本番.yaml", "content": "YTogMQo=", "mountPath": path}
    reply = await rest.post(RUNS, a_run(target, scenarioName=name, files=[file]))
    assert reply.status == 201, reply
    job = reply.body["jobs"][0]["jobId"]
    assert (await rest.job(job))["scenarioName"] == name
    listed = await rest.get(f"{RUNS}?{urlencode({'scenarioName': name})}")
    assert [each["jobId"] for each in listed.body["jobs"]] == [job]
