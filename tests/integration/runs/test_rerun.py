"""RerunRun: the same once more, on all targets or on those without success, as a run of its own."""

import base64
import uuid
from typing import Any

import pytest
from grpc import StatusCode

from krkn_grpc.v1 import runs_pb2
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.integration.runs.conftest import Site
from tests.support.jobs import Jobs
from tests.support.requests import IMAGE, canary
from tests.support.rpc import refused, told
from tests.support.waiting import eventually

PUBLIC = (
    *("scenario_name", "scenario_image", "kubeconfig_path", "environment", "labels"),
    *("timeout_seconds", "ttl_seconds_after_finished", "max_parallel", "max_failures"),
    *("abort_running", "queue_seconds", "on_busy", "abort_on"),
    *("secret_environment_names", "file_names"),
)


def a_file(path: str = "/etc/krkn/a.yaml") -> dict[str, str]:
    """A file with a content that shows wherever it leaks."""
    return {"name": "a.yaml", "content": encoded(canary()), "mountPath": path}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def targets_of(run: runs_pb2.Run) -> list[str]:
    """The targets that got a job."""
    return [each.target_uuid for each in run.targets]


async def an_ended_run(site: Site, *targets: str, **changes: Any) -> runs_pb2.Run:
    """Run, and wait until it has ended."""
    run = await site.runs.run_of(*targets, **changes)
    return await site.runs.run_when(run.run_id)


async def test_all_targets_and_all_that_is_public(site: Site) -> None:
    targets = await site.some_targets(2)
    asked = {
        "scenarioImage": f"{IMAGE}-lasts-0s",
        "kubeconfigPath": "/tmp/kubeconfig",
        "environment": {"NAMESPACE": "default"},
        "labels": {"team": "a"},
        "timeoutSeconds": 77,
        "ttlSecondsAfterFinished": 3600,
        "maxParallel": 1,
        "maxFailures": 0,
        "abortRunning": True,
        "queueSeconds": 99,
        "onBusy": "Refuse",
        "abortOn": ['{alertname="X"}'],
    }
    run = await an_ended_run(site, *targets, **asked)
    reply, metadata = await told(site.runs.rerun(run.run_id))
    assert metadata["x-http-code"] == "201"
    assert (reply.successful_jobs, reply.failed_jobs) == (2, 0)
    again = await site.runs.get(reply.run_id)
    assert again.run_id != run.run_id
    assert targets_of(again) == targets
    assert {each.job_id for each in again.targets}.isdisjoint(each.job_id for each in run.targets)
    assert [getattr(again, field) for field in PUBLIC] == [getattr(run, field) for field in PUBLIC]
    assert again.environment == {"NAMESPACE": "default"}
    assert (await site.runs.run_when(again.run_id)).status == "Succeeded"


async def test_secrets_are_given_again(site: Site, jobs: Jobs) -> None:
    [target] = await site.some_targets(1)
    run = await an_ended_run(
        site,
        target,
        scenarioImage=f"{IMAGE}-lasts-0s",
        environment={"API_TOKEN": canary()},
        secretEnvironment={"USER_NAME": canary()},
        files=[a_file()],
        registryUrl="registry.example",
        token=canary(),
    )
    found = await refused(site.runs.rerun(run.run_id))
    assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "SECRETS_MISSING")
    assert found.message == (
        "give the secret inputs of the run again: secretEnvironment[API_TOKEN],"
        " secretEnvironment[USER_NAME], files[a.yaml] at /etc/krkn/a.yaml, password or token"
    )
    secret = canary()
    given: dict[str, Any] = {
        "secret_environment": {"API_TOKEN": secret, "USER_NAME": "b"},
        "files": [pb.ScenarioFile(name="b", content=encoded("c"), mount_path="/etc/krkn/a.yaml")],
        "username": "u",
        "password": "p",
    }
    for left_out in ("secret_environment", "files", "password"):
        part = {name: value for name, value in given.items() if name != left_out}
        found = await refused(site.runs.rerun(run.run_id, **part))
        assert found.reason == "SECRETS_MISSING"
    reply = await site.runs.rerun(run.run_id, **given)
    again = await site.runs.run_when(reply.run_id)
    assert (again.status, list(again.secret_environment_names)) == (
        "Succeeded",
        ["API_TOKEN", "USER_NAME"],
    )
    assert list(again.file_names) == ["b"]
    spec = (await jobs.read(again.targets[0].job_id))["spec"]
    assert spec["pullSecret"] is True
    assert secret not in str(spec)


@pytest.mark.parametrize(
    ("fields", "violations"),
    [
        ({"secret_environment": {"OTHER": "x"}}, ["secretEnvironment[OTHER]"]),
        (
            {"files": [pb.ScenarioFile(name="a", content="", mount_path="/etc/krkn/other")]},
            ["files[0].mountPath"],
        ),
        ({"username": "u", "password": "p"}, ["username", "password"]),
        ({"token": "t"}, ["token"]),
        ({"request_id": "x"}, ["requestId"]),
    ],
)
async def test_what_the_run_did_not_have_is_refused(
    site: Site, fields: dict[str, Any], violations: list[str]
) -> None:
    [target] = await site.some_targets(1)
    run = await site.runs.run_of(target, scenarioImage=f"{IMAGE}-lasts-0s")
    found = await refused(site.runs.rerun(run.run_id, **fields))
    assert (found.code, found.violations) == (StatusCode.INVALID_ARGUMENT, violations)


async def test_only_what_failed_or_was_refused(site: Site) -> None:
    targets = await site.some_targets(2)
    run = await an_ended_run(site, *targets, scenarioImage=f"{IMAGE}-exit-3-lasts-0s")
    assert run.status == "Failed"
    reply = await site.runs.rerun(run.run_id, only_failed=True)
    assert [each.target_uuid for each in reply.jobs] == targets


async def test_a_target_that_was_refused_is_tried_again(site: Site) -> None:
    [target], absent = await site.some_targets(1), str(uuid.uuid4())
    run = await an_ended_run(site, target, absent, scenarioImage=f"{IMAGE}-lasts-0s")
    assert run.status == "PartiallyFailed"
    reply, metadata = await told(site.runs.rerun(run.run_id, only_failed=True))
    assert [(each.target_uuid, each.error) for each in reply.jobs] == [
        (absent, "there is no such target")
    ]
    assert metadata["x-http-code"] == "500"
    assert reply.run_id == ""


async def test_where_all_succeeded_nothing_is_run_again(site: Site) -> None:
    [target] = await site.some_targets(1)
    run = await an_ended_run(site, target, scenarioImage=f"{IMAGE}-lasts-0s")
    found = await refused(site.runs.rerun(run.run_id, only_failed=True))
    assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "NOTHING_TO_RERUN")


async def test_what_was_stopped_has_not_failed(site: Site) -> None:
    [target] = await site.some_targets(1)
    run = await site.runs.run_of(target, scenarioImage=f"{IMAGE}-never-ends")
    await site.runs.stop_run(run.run_id)
    await site.runs.run_when(run.run_id)
    found = await refused(site.runs.rerun(run.run_id, only_failed=True))
    assert found.reason == "NOTHING_TO_RERUN"


@pytest.mark.parametrize(("behaviour", "is_left"), [("lasts-0s", False), ("exit-3-lasts-0s", True)])
async def test_a_job_that_is_gone_counts_by_its_outcome(
    site: Site, jobs: Jobs, behaviour: str, is_left: bool
) -> None:
    [target] = await site.some_targets(1)
    run = await an_ended_run(site, target, scenarioImage=f"{IMAGE}-{behaviour}")
    job_id = run.targets[0].job_id
    await jobs.delete(job_id)
    await jobs.gone(job_id)
    call = site.runs.rerun(run.run_id, only_failed=True)
    if is_left:
        assert [each.target_uuid for each in (await call).jobs] == [target]
    else:
        assert (await refused(call)).reason == "NOTHING_TO_RERUN"


async def test_a_repeated_call_is_the_same_run(site: Site) -> None:
    [target] = await site.some_targets(1)
    run = await an_ended_run(site, target, scenarioImage=f"{IMAGE}-exit-3-lasts-0s")
    asked = {"request_id": str(uuid.uuid4()), "only_failed": True}
    first = await site.runs.rerun(run.run_id, **asked)
    again, metadata = await told(site.other_runs.rerun(run.run_id, **asked))
    assert metadata["krkn-repeated"] == "true"
    assert again == first
    other = await refused(site.runs.start(target, requestId=asked["request_id"]))
    assert other.reason == "REQUEST_ID_REUSED"


async def test_a_repeated_call_is_the_same_though_more_jobs_have_failed_since(site: Site) -> None:
    first, second = await site.some_targets(2)
    run = await site.runs.run_of(
        first, second, scenarioImage=f"{IMAGE}-exit-3-lasts-2s", maxParallel=1
    )
    await eventually(
        lambda: site.runs.job(run.targets[0].job_id), lambda job: job.status == "Failed"
    )
    asked = {"request_id": str(uuid.uuid4()), "only_failed": True}
    made = await site.runs.rerun(run.run_id, **asked)
    assert [each.target_uuid for each in made.jobs] == [first]
    await site.runs.run_when(run.run_id)
    assert await site.runs.rerun(run.run_id, **asked) == made


async def test_while_the_run_goes_on_only_what_failed_needs_a_request_id(site: Site) -> None:
    """A proxy that repeats the call when more jobs have failed would start another run."""
    [target] = await site.some_targets(1)
    run = await site.runs.run_of(target, scenarioImage=f"{IMAGE}-never-ends")
    found = await refused(site.runs.rerun(run.run_id, only_failed=True))
    assert (found.code, found.violations) == (StatusCode.INVALID_ARGUMENT, ["requestId"])
    await site.runs.stop_run(run.run_id)


async def test_it_obeys_what_holds_now(site: Site) -> None:
    [target] = await site.some_targets(1)
    run = await an_ended_run(site, target, scenarioImage=f"{IMAGE}-lasts-0s")
    await site.targets.delete(target)
    reply = await site.runs.rerun(run.run_id)
    assert [(each.success, each.error) for each in reply.jobs] == [
        (False, "there is no such target")
    ]
