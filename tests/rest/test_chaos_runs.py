"""Runs by REST, through the real Envoy: list, get, stop, run again, and their logs as text."""

import asyncio
import uuid

import aiohttp
import pytest

from tests.support.requests import IMAGE, canary
from tests.support.rest import CHAOS_RUNS, RUNS, Rest, assert_error, assert_invalid
from tests.support.rest import Reply as RestReply
from tests.support.running import Running
from tests.support.waiting import eventually

PLAIN = "text/plain; charset=utf-8"
FIELDS = {
    *("runId", "status", "scenarioName", "scenarioImage", "kubeconfigPath", "environment"),
    *("secretEnvironmentNames", "fileNames", "timeoutSeconds", "ttlSecondsAfterFinished"),
    *("labels", "requestedBy", "createdAt", "startTime", "completionTime", "counts", "targets"),
    *("refused", "maxParallel", "maxFailures", "abortRunning", "queueSeconds", "onBusy", "abortOn"),
}


def logs_of(run_id: str) -> str:
    return f"{CHAOS_RUNS}/{run_id}/logs"


async def a_run(rest: Rest, *behaviours: str, **changes: object) -> str:
    """Run on as many targets as there are behaviours; the last one is that of all."""
    targets = [await rest.register() for _ in behaviours]
    return await rest.run_of(*targets, scenarioImage=f"{IMAGE}-{behaviours[-1]}", **changes)


async def test_a_run_from_its_start_to_its_end(rest: Rest) -> None:
    target, absent = await rest.register(), str(uuid.uuid4())
    run_id = await rest.run_of(
        target, absent, scenarioImage=f"{IMAGE}-lasts-0s", maxFailures=0, labels={"team": "a"}
    )
    run = await rest.run_when(run_id)
    assert run.keys() == FIELDS
    assert (run["status"], run["counts"]["succeeded"], run["counts"]["refused"]) == (
        "PartiallyFailed",
        1,
        1,
    )
    assert run["refused"] == [{"targetUUID": absent, "error": "there is no such target"}]
    [of_target] = run["targets"]
    assert of_target["targetUUID"] == target
    assert (await rest.job(of_target["jobId"]))["runId"] == run_id
    jobs = await rest.get(f"{RUNS}?runId={run_id}")
    assert [job["jobId"] for job in jobs.body["jobs"]] == [of_target["jobId"]]


async def test_a_list_in_pages_newest_first(rest: Rest) -> None:
    label = f"l{uuid.uuid4().hex}"
    runs = [
        await a_run(rest, "lasts-0s", labels={"of": label}, scenarioName=f"n{number}")
        for number in range(3)
    ]
    path = f"{CHAOS_RUNS}?labelSelector=of%3D{label}"
    listed = (await rest.get(path)).body
    assert {run["runId"] for run in listed["runs"]} == {*runs}
    assert listed["nextPageToken"] == ""
    times = [run["createdAt"] for run in listed["runs"]]
    assert times == sorted(times, reverse=True)
    assert all(run["targets"] == run["refused"] == [] for run in listed["runs"])
    first = (await rest.get(f"{path}&pageSize=2")).body
    second = await rest.get(f"{path}&pageSize=2&pageToken={first['nextPageToken']}")
    together = [*first["runs"], *second.body["runs"]]
    assert [run["runId"] for run in together] == [run["runId"] for run in listed["runs"]]
    [one] = (await rest.get(f"{path}&scenarioName=n1")).body["runs"]
    assert one["scenarioName"] == "n1"
    assert (await rest.get(f"{path}&requestedBy=nobody")).body["runs"] == []


async def test_what_is_wrong_is_a_400(rest: Rest) -> None:
    assert_invalid(await rest.get(f"{CHAOS_RUNS}?status=x"), "status")
    assert_invalid(await rest.get(f"{CHAOS_RUNS}?pageSize=-1"), "pageSize")
    assert_invalid(await rest.get(f"{logs_of(str(uuid.uuid4()))}?tailLines=-1"), "tailLines")
    for path in (f"{CHAOS_RUNS}?runId=x", f"{logs_of(str(uuid.uuid4()))}?timestamps=true"):
        reply = await rest.get(path)
        assert (reply.status, reply.body["code"]) == (400, 3), path
    reply = await rest.post(f"{CHAOS_RUNS}/{uuid.uuid4()}:rerun", {"onlyfailed": True})
    assert (reply.status, reply.body["code"]) == (400, 3)
    assert "onlyfailed" in reply.body["message"]


@pytest.mark.parametrize("run_id", [str(uuid.uuid4()), "x"])
async def test_a_run_that_is_not_there(rest: Rest, run_id: str) -> None:
    path = f"{CHAOS_RUNS}/{run_id}"
    for reply in (
        await rest.get(path),
        await rest.delete(path),
        await rest.post(f"{path}:rerun", {}),
        await rest.get(f"{path}/logs"),
    ):
        assert_error(reply, 404, 5, "NOT_FOUND")


@pytest.mark.parametrize(
    ("fields", "violation"),
    [({"maxParallel": -1}, "maxParallel"), ({"maxFailures": -1}, "maxFailures")],
)
async def test_limits_below_zero(rest: Rest, fields: dict[str, int], violation: str) -> None:
    body = {"targetUUIDs": [str(uuid.uuid4())], "scenarioImage": IMAGE, "scenarioName": "n"}
    assert_invalid(await rest.post(RUNS, body | fields), violation)


async def test_a_run_that_is_stopped(rest: Rest) -> None:
    run_id = await a_run(rest, "never-ends", "never-ends")
    await rest.run_when(run_id, "Running")
    stopping = await rest.delete(f"{CHAOS_RUNS}/{run_id}")
    assert (stopping.status, stopping.body["status"]) == (200, "Stopping")
    assert stopping.headers["krkn-revision"].startswith("krknchaosruns.")
    run = await rest.run_when(run_id)
    assert (run["status"], run["counts"]["stopped"]) == ("Stopped", 2)
    assert run["stop"]["reason"] == "StopRequested"
    again = await rest.delete(f"{CHAOS_RUNS}/{run_id}")
    assert (again.status, again.body) == (200, run)


async def rerun(rest: Rest, run_id: str, body: dict[str, object] | None = None) -> RestReply:
    """Ask for a run once more."""
    return await rest.post(f"{CHAOS_RUNS}/{run_id}:rerun", body or {})


async def test_a_run_once_more(rest: Rest) -> None:
    run_id = await a_run(rest, "exit-3-lasts-0s")
    assert (await rest.run_when(run_id))["status"] == "Failed"
    for body in ({}, {"onlyFailed": True, "requestId": str(uuid.uuid4())}):
        reply = await rerun(rest, run_id, body)
        assert (reply.status, reply.body["successfulJobs"]) == (201, 1)
        assert reply.body["runId"] != run_id
    async with rest.session.post(f"{CHAOS_RUNS}/{run_id}:rerun") as response:
        assert response.status == 201, "no field is required, so there may be no body"


async def test_secrets_are_given_again(rest: Rest) -> None:
    run_id = await a_run(rest, "lasts-0s", secretEnvironment={"A": canary()})
    missing = await rerun(rest, run_id)
    body = assert_error(missing, 400, 9, "SECRETS_MISSING")
    assert body["message"] == "give the secret inputs of the run again: secretEnvironment[A]"
    given = await rerun(rest, run_id, {"secretEnvironment": {"A": "b"}})
    assert given.status == 201


async def test_where_nothing_failed_there_is_nothing_to_run_again(rest: Rest) -> None:
    run_id = await a_run(rest, "lasts-0s")
    await rest.run_when(run_id)
    assert_error(await rerun(rest, run_id, {"onlyFailed": True}), 400, 9, "NOTHING_TO_RERUN")


async def test_logs_are_text_with_the_name_before_each_line(rest: Rest) -> None:
    run_id = await a_run(rest, "lasts-0s", "exit-3-lasts-0s")
    run = await rest.run_when(run_id)
    reply = await rest.get(logs_of(run_id))
    assert (reply.status, reply.headers["content-type"]) == (200, PLAIN)
    assert reply.headers["transfer-encoding"] == "chunked"
    expected = ""
    for each in run["targets"]:
        name = (await rest.job(each["jobId"]))["clusterName"]
        log = (await rest.get(f"{RUNS}/{each['jobId']}/logs")).text
        expected += "".join(f"[{name}] {line}\n" for line in log.splitlines())
    assert reply.text == expected
    tail = (await rest.get(f"{logs_of(run_id)}?tailLines=1&onlyFailed=true")).text
    assert tail.count("] the scenario ended with exit code 3\n") == 2 == tail.count("\n")


async def test_logs_say_which_of_them_are_kept_and_which_are_gone(
    rest: Rest, shared_services: Running
) -> None:
    run_id = await a_run(rest, "", "lasts-0s-logs-20000-lines")
    targets = (await rest.run_when(run_id))["targets"]
    kept, gone = [await rest.job(each["jobId"]) for each in targets]
    before = (await rest.get(logs_of(run_id))).text.splitlines()
    assert {line[0] for line in before} == {"["}
    namespace = f"namespaces/{shared_services.namespace}"
    for job in (kept, gone):
        pod = f"/api/v1/{namespace}/pods/{job['podName']}"
        await shared_services.cluster.request("DELETE", pod)
    all_logs = f"/apis/krkn.krkn-chaos.dev/v1alpha1/{namespace}/krknchaosjoblogs"
    await shared_services.cluster.request("DELETE", f"{all_logs}/{gone['jobId']}")
    said = [
        f"# {kept['clusterName']}: the pod is gone; this is the end of the log, which was kept",
        f"# {gone['clusterName']}: the log is gone with the job's pod: "
        "its kept copy was deleted for newer ones, or logs are not kept here",
    ]

    async def shown() -> list[str]:
        return (await rest.get(logs_of(run_id))).text.splitlines()

    first, *lines, last = await eventually(
        shown, lambda lines: sum(line[0] == "#" for line in lines) == 2
    )
    assert [first, last] == said
    of_kept = [line for line in before if line.startswith(f"[{kept['clusterName']}] ")]
    assert lines == of_kept[-len(lines) :]
    assert 1_000 < len(lines) < len(of_kept)


async def test_logs_are_followed_as_they_are_written(rest: Rest) -> None:
    run_id = await a_run(rest, "lasts-2s", "lasts-2s")
    async with rest.session.get(f"{logs_of(run_id)}?follow=true") as response:
        assert (await response.content.readline()).startswith(b"[cluster-")
        rest_of_it = await response.text()
    assert rest_of_it.count("] the scenario ended with exit code 0\n") == 2


async def test_the_headers_come_at_once_also_for_head(rest: Rest) -> None:
    run_id = await a_run(rest, "never-starts")
    path = f"{logs_of(run_id)}?follow=true"
    for method in ("GET", "HEAD"):
        async with asyncio.timeout(60), rest.session.request(method, path) as response:
            assert (response.status, response.headers["content-type"]) == (200, PLAIN)
    await rest.delete(f"{CHAOS_RUNS}/{run_id}")


async def test_logs_of_which_one_breaks_off_are_cut(rest: Rest) -> None:
    run_id = await a_run(rest, "never-ends-log-is-cut")
    async with rest.session.get(f"{logs_of(run_id)}?follow=true") as response:
        assert (await response.content.readline()).startswith(b"[cluster-")
        with pytest.raises(aiohttp.ClientError):
            await response.read()
    await rest.delete(f"{CHAOS_RUNS}/{run_id}")
