"""krkn-grpc runs, against the real services."""

import os
import uuid

from tests.support.command import Command
from tests.support.custom_objects import JOBS, collection
from tests.support.requests import IMAGE, canary, unused_name
from tests.support.rest import CHAOS_RUNS, Rest
from tests.support.running import Running


async def test_the_life_of_a_run(cli: Command, rest: Rest) -> None:
    names, label = [unused_name(), unused_name()], f"l{uuid.uuid4().hex}"
    targets = [await rest.register(clusterName=name) for name in names]
    absent = str(uuid.uuid4())
    run_id = await rest.run_of(
        *targets, absent, scenarioImage=f"{IMAGE}-never-ends", labels={"of": label}
    )
    await rest.run_when(run_id, "Running")

    header, row = (await cli("runs", "list", "-l", f"of={label}")).out.splitlines()
    assert header.split() == [
        "RUN",
        "SCENARIO",
        "STATUS",
        "OK",
        "FAILED",
        "TIME",
        "AGE",
        "BY",
        "LABELS",
    ]
    assert row.split()[:4] == [run_id, "pod-scenarios", "Running", "0/3"]
    listed = await cli("runs", "list", "-l", f"of={label}", "--limit", "1", "-o", "json")
    assert listed.json == (await rest.get(f"{CHAOS_RUNS}?labelSelector=of%3D{label}")).body
    none = await cli("runs", "list", "-l", f"of={label}", "--status", "Failed", "-o", "json")
    assert none.json["runs"] == []

    jobs = await cli("jobs", "list", "--run", run_id, "-o", "json")
    run = await rest.get_run(run_id)
    assert {job["jobId"] for job in jobs.json["jobs"]} == {t["jobId"] for t in run["targets"]}

    stopped = await cli("runs", "stop", run_id)
    assert (stopped.code, stopped.out.splitlines()[1].split()[:3]) == (
        0,
        [run_id, "pod-scenarios", "Stopping"],
    )
    run = await rest.run_when(run_id)
    assert (await cli("runs", "get", run_id, "-o", "json")).json == run

    shown = (await cli("runs", "get", run_id)).out.splitlines()
    said = dict(line.split(maxsplit=1) for line in shown[: shown.index("")])
    assert (said["runId:"], said["abortRunning:"]) == (run_id, "no")
    assert said["counts:"] == "3 total, 2 stopped, 1 refused"
    table = [line.split() for line in shown[shown.index("") + 1 :]]
    assert table[0] == ["TARGET", "STATUS", "EXIT", "TIME", "REASON", "ID"]
    assert [[*row[:2], *row[-2:]] for row in table[1:3]] == [
        [name, "Stopped", "StopRequested", each["jobId"]]
        for each, name in zip(run["targets"], names, strict=True)
    ]
    assert table[3] == [absent, "Refused", "there", "is", "no", "such", "target"]


async def test_a_run_once_more(cli: Command, rest: Rest) -> None:
    name, secret = unused_name(), canary()
    target = await rest.register(clusterName=name)
    run_id = await rest.run_of(
        target, scenarioImage=f"{IMAGE}-exit-3-lasts-0s", secretEnvironment={"A_SECRET": secret}
    )
    await rest.run_when(run_id)
    missing = await cli("runs", "rerun", run_id, "--failed")
    assert (missing.code, missing.line) == (
        3,
        "Error: give the secret inputs of the run again: secretEnvironment[A_SECRET]",
    )
    os.environ["A_SECRET"] = secret
    try:
        options = ["--failed", "--secret-env", "A_SECRET", "--wait", "-o", "json"]
        again = await cli("runs", "rerun", run_id, *options)
    finally:
        del os.environ["A_SECRET"]
    assert again.code == 1
    assert again.json["run"]["runId"] != run_id
    [job] = again.json["jobs"]
    assert (job["targetUUID"], job["clusterName"], job["status"]) == (target, name, "Failed")


async def test_a_rerun_that_is_repeated_is_the_same(cli: Command, rest: Rest) -> None:
    run_id = await rest.run_of(await rest.register(), scenarioImage=f"{IMAGE}-lasts-0s")
    options = ["--request-id", str(uuid.uuid4()), "-o", "json"]
    first = await cli("runs", "rerun", run_id, *options)
    assert (await cli("runs", "rerun", run_id, *options)).json == first.json


async def test_the_logs_of_a_run(cli: Command, rest: Rest) -> None:
    names = [unused_name(), unused_name()]
    targets = [await rest.register(clusterName=name) for name in names]
    run_id = await rest.run_of(*targets, scenarioImage=f"{IMAGE}-exit-3-lasts-1s")
    followed = await cli("runs", "logs", run_id, "--follow", "--tail", "100", "--failed")
    whole = await cli("runs", "logs", run_id)
    assert (whole.code, whole.out) == (0, (await rest.get(f"{CHAOS_RUNS}/{run_id}/logs")).text)
    assert sorted(followed.out.splitlines()) == sorted(whole.out.splitlines())
    last = [f"[{name}] the scenario ended with exit code 3" for name in names]
    assert (await cli("runs", "logs", run_id, "--tail", "1")).out.splitlines() == last


async def test_a_run_is_named_as_kubectl_shows_it(
    cli: Command, rest: Rest, shared_services: Running
) -> None:
    name = unused_name()
    run_id = await rest.run_of(await rest.register(clusterName=name))
    await rest.run_when(run_id)
    [target] = (await rest.get_run(run_id))["targets"]
    path = f"{collection(JOBS, shared_services.namespace)}/{target['jobId']}"
    shown = (await shared_services.cluster.request("GET", path))["status"]["run"]
    assert shown == run_id[-7:]

    assert (await cli("runs", "get", shown, "-o", "name")).out == f"{run_id}\n"
    jobs = await cli("jobs", "list", "--run", shown, "-o", "name")
    assert jobs.out == f"{target['jobId']}\n"
    assert (await cli("jobs", "get", f"{shown}/{name}", "-o", "name")).out == jobs.out
    assert (await cli("jobs", "get", target["jobId"][-7:], "-o", "name")).out == jobs.out


async def test_a_run_that_is_not_there(cli: Command) -> None:
    for command in ("get", "stop", "rerun", "logs"):
        gone = await cli("runs", command, str(uuid.uuid4()))
        assert (gone.code, gone.line) == (3, "Error: there is no such run"), command
