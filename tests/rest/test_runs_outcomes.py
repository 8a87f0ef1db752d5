"""What becomes of jobs, as REST shows it: every field at every stage, on real pods."""

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from krkn_grpc.resources.ids import is_id
from tests.support.requests import IMAGE, canary, token_target, unused_name
from tests.support.rest import RUNS, TARGETS, Rest

ALWAYS = {
    "jobId",
    "runId",
    "targetUUID",
    "scenarioName",
    "status",
    "podName",
    "message",
    "reason",
    "createdAt",
    "requestedBy",
    "labels",
    "clusterName",
    "scenarioImage",
    "timeoutSeconds",
    "ttlSecondsAfterFinished",
    "environment",
    "secretEnvironmentNames",
    "fileNames",
}
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def moment(text: str) -> datetime:
    """Read a time of a reply, which must be RFC 3339 and UTC."""
    assert RFC_3339.fullmatch(text), text
    return datetime.fromisoformat(text)


def assert_times_are_in_order(job: dict[str, Any]) -> None:
    """Assert that the times are recent and follow each other."""
    fields = ("createdAt", "startTime", "completionTime")
    times = [moment(job[field]) for field in fields if field in job]
    assert times == sorted(times)
    assert abs(datetime.now(UTC) - times[0]) < timedelta(minutes=2)


async def test_a_scenario_that_succeeds(rest: Rest) -> None:
    name = unused_name()
    target = await rest.register(clusterName=name)
    [job_id] = await rest.run(target, scenarioName="pod scenarios")
    job = await rest.job_when(job_id)

    assert set(job) == ALWAYS | {"startTime", "completionTime", "exitCode", "result"}
    assert_times_are_in_order(job)
    assert is_id(job["runId"])
    assert job["result"] == {
        "runUuid": job_id,
        "scenarios": [
            {
                "name": "scenarios/kube/pods.yml",
                "type": "pod_disruption_scenarios",
                "exitStatus": 0,
                "affectedPods": 1,
                "affectedNodes": 0,
            }
        ],
        "resiliencyScore": 92,
        "passedSlos": 12,
        "totalSlos": 13,
        "failedAlerts": 0,
        "healthChecks": [{"url": "https://shop.example/health", "passed": True}],
    }
    assert {name: job[name] for name in ALWAYS - {"createdAt", "runId"}} == {
        "jobId": job_id,
        "targetUUID": target,
        "scenarioName": "pod scenarios",
        "status": "Succeeded",
        "podName": f"krkn-job-{job_id}",
        "message": "The scenario ended with exit code 0.",
        "reason": "Completed",
        "requestedBy": "",
        "labels": {},
        "clusterName": name,
        "scenarioImage": IMAGE,
        "timeoutSeconds": 3600,
        "ttlSecondsAfterFinished": 604_800,
        "environment": {},
        "secretEnvironmentNames": [],
        "fileNames": [],
    }
    assert job["exitCode"] == 0


async def test_what_was_asked_for_is_shown_when_the_target_is_gone(rest: Rest) -> None:
    name, password, content = unused_name(), canary(), canary()
    target = await rest.register(clusterName=name)
    [job_id] = await rest.run(
        target,
        timeoutSeconds=60,
        ttlSecondsAfterFinished=900,
        environment={"NAMESPACE": "default", "PRICE": "$5"},
        secretEnvironment={"PASSWORD": password, "A": ""},
        files=[
            {
                "name": f"{each}.yaml",
                "content": base64.b64encode(content.encode()).decode(),
                "mountPath": f"/mnt/{each}",
            }
            for each in ("b", "a")
        ],
    )
    await rest.job_when(job_id)
    await rest.put(f"{TARGETS}/{target}", token_target(clusterName=unused_name()))
    assert (await rest.delete(f"{TARGETS}/{target}")).status == 200
    job = await rest.job(job_id)
    shown = ("clusterName", "timeoutSeconds", "ttlSecondsAfterFinished", "environment")
    environment = {"NAMESPACE": "default", "PRICE": "$5"}
    assert [job[field] for field in shown] == [name, 60, 900, environment]
    assert job["secretEnvironmentNames"] == ["A", "PASSWORD"]
    assert job["fileNames"] == ["b.yaml", "a.yaml"]
    assert password not in str(job)
    assert content not in str(job)
    listed = await rest.get(f"{RUNS}?clusterName={name}")
    assert [each["jobId"] for each in listed.body["jobs"]] == [job_id]


async def test_a_scenario_that_fails_says_its_exit_code(rest: Rest) -> None:
    [job_id] = await rest.run(await rest.register(), scenarioImage=f"{IMAGE}-exit-3")
    job = await rest.job_when(job_id)
    assert (job["status"], job["reason"], job["exitCode"]) == ("Failed", "HealthCheckFailed", 3)
    assert job["message"] == (
        "The scenario ended with exit code 3, by which krkn says that a health check failed."
    )
    assert_times_are_in_order(job)


async def test_a_scenario_that_still_runs_has_no_exit_code(rest: Rest) -> None:
    changes = {"scenarioImage": f"{IMAGE}-never-ends"}
    [job_id] = await rest.run(await rest.register(), **changes)
    job = await rest.job_when(job_id, "Running")
    assert set(job) == ALWAYS | {"startTime"}
    assert_times_are_in_order(job)
    assert job["podName"] == f"krkn-job-{job_id}"


async def test_a_scenario_that_has_not_started_has_no_times_but_one(rest: Rest) -> None:
    changes = {"scenarioImage": f"{IMAGE}-never-starts"}
    [job_id] = await rest.run(await rest.register(), **changes)
    job = await rest.job(job_id)
    assert set(job) == ALWAYS
    assert job["status"] == "Pending"
    assert_times_are_in_order(job)


async def test_one_run_ends_differently_on_each_target(rest: Rest) -> None:
    """A run is one image; what differs is what became of each target's own job."""
    targets = [await rest.register() for _ in range(4)]
    job_ids = await rest.run(*targets, scenarioImage=f"{IMAGE}-exit-7")
    jobs = [await rest.job_when(job_id) for job_id in job_ids]
    assert [job["targetUUID"] for job in jobs] == targets
    assert {(job["status"], job["exitCode"]) for job in jobs} == {("Failed", 7)}


@pytest.mark.parametrize(
    ("image", "reason", "exit_code"),
    [
        pytest.param("oom-killed", "OOMKilled", 137, id="out of memory"),
        pytest.param("evicted", "Evicted", None, id="evicted"),
    ],
)
async def test_what_ended_a_scenario_is_told(
    rest: Rest, image: str, reason: str, exit_code: int | None
) -> None:
    [job_id] = await rest.run(await rest.register(), scenarioImage=f"{IMAGE}-{image}")
    job = await rest.job_when(job_id)
    assert (job["status"], job["reason"]) == ("Failed", reason)
    if exit_code is not None:
        assert job["exitCode"] == exit_code


async def test_a_scenario_that_runs_too_long_fails(rest: Rest) -> None:
    changes = {"scenarioImage": f"{IMAGE}-never-ends", "timeoutSeconds": 1}
    [job_id] = await rest.run(await rest.register(), **changes)
    job = await rest.job_when(job_id)
    assert (job["status"], job["reason"]) == ("Failed", "DeadlineExceeded")


async def test_a_finished_job_goes_when_its_time_has_come(rest: Rest) -> None:
    [job_id] = await rest.run(await rest.register(), ttlSecondsAfterFinished=0)
    await rest.job_gone(job_id)
    assert job_id not in (await rest.get(RUNS)).text


async def test_labels_of_the_request_are_shown_and_no_others(rest: Rest) -> None:
    labels = {"team": "chaos", "example.com/build": "42", "empty": ""}
    [job_id] = await rest.run(await rest.register(), labels=labels)
    assert (await rest.job(job_id))["labels"] == labels


async def test_options_without_effect_are_named_in_the_reply_and_in_the_job(rest: Rest) -> None:
    target = await rest.register()
    sentence = (
        "These options are accepted for compatibility and have no effect: "
        "scenarioRepository, skipTls, insecure."
    )
    options = {"scenarioRepository": "https://git.example/x", "skipTls": True, "insecure": True}
    body = {"targetUUIDs": [target], "scenarioImage": IMAGE, "scenarioName": "s"} | options
    reply = await rest.post(RUNS, body)
    assert (reply.status, reply.body["message"]) == (201, sentence)
    job = await rest.job_when(reply.body["jobs"][0]["jobId"])
    assert job["status"] == "Succeeded"
    assert job["message"].endswith(sentence)


async def test_a_job_is_shown_alike_alone_and_in_the_list(rest: Rest) -> None:
    target = await rest.register()
    [job_id] = await rest.run(target)
    job = await rest.job_when(job_id)
    assert (await rest.get(f"{RUNS}?targetUUID={target}")).body["jobs"] == [job]
