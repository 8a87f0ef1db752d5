"""krkn-grpc runs, against the real services."""

import os
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from krkn_grpc.cli import display
from tests.support.command import Command
from tests.support.requests import IMAGE, canary, unused_name
from tests.support.rest import CHAOS_RUNS, Rest


async def test_the_life_of_a_run(cli: Command, rest: Rest) -> None:
    names, label = [unused_name(), unused_name()], f"l{uuid.uuid4().hex}"
    targets = [await rest.register(clusterName=name) for name in names]
    absent = str(uuid.uuid4())
    run_id = await rest.run_of(
        *targets, absent, scenarioImage=f"{IMAGE}-never-ends", labels={"of": label}
    )
    await rest.run_when(run_id, "Running")

    header, row = (await cli("runs", "list", "-l", f"of={label}")).out.splitlines()
    assert header.split() == ["RUN", "STATUS", "OK", "AGE", "SCENARIO"]
    assert row.split()[:3] == [run_id, "Running", "0/3"]
    assert row.split()[4] == "pod-scenarios"
    listed = await cli("runs", "list", "-l", f"of={label}", "--limit", "1", "-o", "json")
    assert listed.json == (await rest.get(f"{CHAOS_RUNS}?labelSelector=of%3D{label}")).body
    none = await cli("runs", "list", "-l", f"of={label}", "--status", "Failed", "-o", "json")
    assert none.json["runs"] == []

    jobs = await cli("jobs", "list", "--run", run_id, "-o", "json")
    run = await rest.get_run(run_id)
    assert {job["jobId"] for job in jobs.json["jobs"]} == {t["jobId"] for t in run["targets"]}

    stopped = await cli("runs", "stop", run_id)
    assert (stopped.code, stopped.out.splitlines()[1].split()[:2]) == (0, [run_id, "Stopping"])
    run = await rest.run_when(run_id)
    assert (await cli("runs", "get", run_id, "-o", "json")).json == run

    shown = (await cli("runs", "get", run_id)).out.splitlines()
    assert f"runId: {run_id}" in shown
    assert "abortRunning: false" in shown
    table = [line.split() for line in shown[shown.index("") + 1 :]]
    assert table[0] == ["JOB", "STATUS", "TARGET", "REASON"]
    assert table[1:3] == [
        [each["jobId"], "Stopped", name, "StopRequested"]
        for each, name in zip(run["targets"], names, strict=True)
    ]
    assert table[3] == ["Refused", absent, "there", "is", "no", "such", "target"]


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


async def test_a_run_that_is_not_there(cli: Command) -> None:
    for command in ("get", "stop", "rerun", "logs"):
        gone = await cli("runs", command, str(uuid.uuid4()))
        assert (gone.code, gone.line) == (3, "Error: there is no such run"), command


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0s"),
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3_599, "59m"),
        (7_200, "2h"),
        (864_000, "10d"),
    ],
)
def test_an_age_is_short(seconds: int, shown: str) -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    moment = (now - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    assert display.age(moment, now) == shown


def test_what_has_no_time_has_no_age() -> None:
    assert display.age("", datetime.now(UTC)) == ""
