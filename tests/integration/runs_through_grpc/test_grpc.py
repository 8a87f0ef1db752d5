"""ScenarioRunService by typed stubs: what a gRPC client sees that REST does not, or otherwise."""

import uuid
from typing import Any

import pytest
from grpc import StatusCode

from krkn_grpc.resources.ids import is_id
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.support.inventory import written
from tests.support.requests import IMAGE
from tests.support.rpc import refused, told
from tests.support.running import Running
from tests.support.target_client import Targets
from tests.support.waiting import eventually

ABSENT = "there is no such target"


@pytest.fixture
def runs(shared_services: Running) -> Any:
    """The generated stub."""
    return ScenarioRunServiceStub(shared_services.channel)


@pytest.fixture
def targets(shared_services: Running) -> Targets:
    """Targets to run on."""
    return Targets(shared_services.channel)


def a_run(*targets: str, **changes: Any) -> pb.RunScenarioRequest:
    """A run of a scenario on these targets."""
    fields = {"target_uuids": targets, "scenario_image": IMAGE, "scenario_name": "pods"}
    return pb.RunScenarioRequest(**(fields | changes))


async def test_a_run_on_many_targets(runs: Any, targets: Targets) -> None:
    known = [await targets.create() for _ in range(3)]
    reply, metadata = await told(runs.RunScenario(a_run(*known)))

    assert metadata["x-http-code"] == "201"
    assert [job.target_uuid for job in reply.jobs] == known
    assert all(is_id(job.job_id) for job in reply.jobs)
    assert all(job.pod_name == f"krkn-job-{job.job_id}" for job in reply.jobs)
    assert {(job.status, job.success) for job in reply.jobs} == {("Pending", True)}
    assert not any(job.HasField("error") for job in reply.jobs)
    assert (reply.total_targets, reply.successful_jobs, reply.failed_jobs) == (3, 3, 0)
    assert not reply.HasField("message")


async def test_a_part_of_the_targets_fails(runs: Any, targets: Targets) -> None:
    known, unknown = await targets.create(), str(uuid.uuid4())
    reply, metadata = await told(runs.RunScenario(a_run(unknown, known)))

    assert metadata["x-http-code"] == "201"
    failed, created = reply.jobs
    assert failed == pb.TargetJobResult(target_uuid=unknown, status="Failed", error=ABSENT)
    assert (created.target_uuid, created.success) == (known, True)
    assert (reply.total_targets, reply.successful_jobs, reply.failed_jobs) == (2, 1, 1)


async def test_when_all_fail_the_call_is_ok_all_the_same(runs: Any) -> None:
    unknown = [str(uuid.uuid4()), "x"]
    reply, metadata = await told(runs.RunScenario(a_run(*unknown)))

    assert metadata["x-http-code"] == "500"
    assert "krkn-revision" not in metadata
    assert [(job.target_uuid, job.error) for job in reply.jobs] == [(u, ABSENT) for u in unknown]
    assert (reply.total_targets, reply.successful_jobs, reply.failed_jobs) == (2, 0, 2)


async def test_validate_only_has_no_status_of_its_own(runs: Any, targets: Targets) -> None:
    request = a_run(await targets.create(), validate_only=True)
    reply, metadata = await told(runs.RunScenario(request))
    assert metadata.keys().isdisjoint({"x-http-code", "krkn-revision"})
    [job] = reply.jobs
    assert (job.success, job.status, job.job_id, job.pod_name) == (True, "Pending", "", "")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        pytest.param({"target_uuids": []}, ["targetUUIDs"], id="no targets"),
        pytest.param({"target_uuids": ["a", "a"]}, ["targetUUIDs[1]"], id="a target twice"),
        pytest.param({"target_uuids": ["a", ""]}, ["targetUUIDs[1]"], id="an empty target"),
        pytest.param({"scenario_image": ""}, ["scenarioImage"], id="no image"),
        pytest.param({"scenario_name": ""}, ["scenarioName"], id="no name"),
        pytest.param(
            {"target_uuids": [], "scenario_name": "", "timeout_seconds": 0},
            ["targetUUIDs", "scenarioName", "timeoutSeconds"],
            id="several",
        ),
    ],
)
async def test_a_request_that_is_not_in_order(
    runs: Any, shared_services: Running, changes: dict[str, Any], fields: list[str]
) -> None:
    before = await written(shared_services.cluster, shared_services.namespace)
    found = await refused(runs.RunScenario(a_run("a", **changes)))
    assert (found.code, found.reason) == (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert found.violations == fields
    assert await written(shared_services.cluster, shared_services.namespace) <= before


async def test_at_most_twenty_faults_are_listed(runs: Any) -> None:
    found = await refused(runs.RunScenario(a_run(*[""] * 900)))
    assert found.violations == [f"targetUUIDs[{index}]" for index in range(20)]
    assert found.message == "targetUUIDs[0]: must not be empty (and 899 more, 900 in all)"


async def test_faults_with_long_names_reach_the_client(runs: Any) -> None:
    environment = {"\N{ROCKET}" * 250 + str(number): "" for number in range(60)}
    found = await refused(runs.RunScenario(a_run("a", environment=environment)))
    assert found.code is StatusCode.INVALID_ARGUMENT
    assert found.message.endswith("(and 59 more, 60 in all)")


async def test_a_job_is_shown_and_listed(runs: Any, targets: Targets) -> None:
    target = await targets.create()
    [created] = (await runs.RunScenario(a_run(target, labels={"team": "a"}))).jobs
    request = pb.GetScenarioRunStatusRequest(job_id=created.job_id)
    job = await eventually(
        lambda: runs.GetScenarioRunStatus(request), lambda job: job.status == "Succeeded"
    )
    assert (job.target_uuid, job.scenario_name, job.exit_code) == (target, "pods", 0)
    assert job.HasField("exit_code")
    assert dict(job.labels) == {"team": "a"}
    listed = await runs.ListScenarioRuns(pb.ListScenarioRunsRequest(target_uuid=target))
    assert list(listed.jobs) == [job]


async def test_what_has_not_ended_has_no_exit_code(runs: Any, targets: Targets) -> None:
    request = a_run(await targets.create(), scenario_image=f"{IMAGE}-never-ends")
    [created] = (await runs.RunScenario(request)).jobs
    wanted = pb.GetScenarioRunStatusRequest(job_id=created.job_id)
    job = await eventually(
        lambda: runs.GetScenarioRunStatus(wanted), lambda job: job.status == "Running"
    )
    assert not job.HasField("exit_code")
    assert not job.HasField("completion_time")


HOSTILE = ["", "x", "../../secrets/x", "a/b", "\0", "%2e%2e", "\N{ROCKET}", "a" * 100_000]


@pytest.mark.parametrize("job_id", [str(uuid.uuid4()), str(uuid.uuid4()).upper(), *HOSTILE])
async def test_a_job_that_is_not_there(runs: Any, job_id: str) -> None:
    found = await refused(runs.GetScenarioRunStatus(pb.GetScenarioRunStatusRequest(job_id=job_id)))
    assert (found.code, found.reason) == (StatusCode.NOT_FOUND, "NOT_FOUND")
    assert found.message == "there is no such job"
    found = await refused(runs.StopScenarioRun(pb.StopScenarioRunRequest(job_id=job_id)))
    assert found.code is StatusCode.NOT_FOUND


@pytest.mark.parametrize("target", HOSTILE[1:])
async def test_a_filter_that_names_no_target_lists_nothing(runs: Any, target: str) -> None:
    listed = await runs.ListScenarioRuns(pb.ListScenarioRunsRequest(target_uuid=target))
    assert listed == pb.ListScenarioRunsResponse()


async def test_pages_of_a_filtered_list(runs: Any, targets: Targets) -> None:
    target, other = await targets.create(), await targets.create()
    created = {(await runs.RunScenario(a_run(target))).jobs[0].job_id for _ in range(5)}
    found, token = [], ""
    for size in (2, 2, 1):
        page = await runs.ListScenarioRuns(
            pb.ListScenarioRunsRequest(target_uuid=target, page_size=2, page_token=token)
        )
        assert len(page.jobs) == size
        found += [job.job_id for job in page.jobs]
        token = page.next_page_token or token
    assert page.next_page_token == ""
    assert set(found) == created
    assert len(found) == 5

    elsewhere = pb.ListScenarioRunsRequest(target_uuid=other, page_token=token)
    assert (await refused(runs.ListScenarioRuns(elsewhere))).violations == ["pageToken"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"page_size": -1}, "pageSize"),
        ({"page_size": 1001}, "pageSize"),
        ({"page_token": "x"}, "pageToken"),
        ({"status": "running"}, "status"),
        ({"label_selector": "a in"}, "labelSelector"),
    ],
)
async def test_a_list_that_is_asked_for_wrongly(
    runs: Any, changes: dict[str, Any], field: str
) -> None:
    found = await refused(runs.ListScenarioRuns(pb.ListScenarioRunsRequest(**changes)))
    assert (found.code, found.violations) == (StatusCode.INVALID_ARGUMENT, [field])


async def test_the_same_request_id_gives_the_same_jobs(runs: Any, targets: Targets) -> None:
    request = a_run(await targets.create(), request_id=str(uuid.uuid4()))
    first, again = await runs.RunScenario(request), await runs.RunScenario(request)
    assert again == first
    request.scenario_name = "another"
    found = await refused(runs.RunScenario(request))
    assert (found.code, found.reason) == (StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_the_revision_of_a_write_is_told(runs: Any, targets: Targets) -> None:
    _, metadata = await told(runs.RunScenario(a_run(await targets.create())))
    of_jobs, of_runs = metadata["krkn-revision"].split(",")
    assert of_runs.startswith("krknchaosruns.")
    kind, revision = of_jobs.split(".")
    assert (kind, revision.isdecimal()) == ("krknchaosjobs", True)


@pytest.mark.parametrize("revision", ["", "x", "krknchaosjobs.", "krknchaosjobs.-1", "a" * 5000])
async def test_a_revision_that_is_none_is_ignored(runs: Any, revision: str) -> None:
    await runs.ListScenarioRuns(
        pb.ListScenarioRunsRequest(page_size=1), metadata=(("krkn-revision", revision),)
    )
