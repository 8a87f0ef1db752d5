"""krkn-grpc runs report, against the real services."""

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from krkn_grpc.cli.reports.as_json import VERSION
from krkn_grpc.cli.reports.log_ends import log_end
from tests.support.browser import Browser
from tests.support.command import Command
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import RUNS, Rest
from tests.support.running import Running

FILES = ("report.xml", "report.html", "report.md", "report.json")


async def a_mixed_run(rest: Rest, services: Running) -> tuple[str, dict[str, str]]:
    """A run with a target of each outcome; returns the runId, and statuses by name."""
    names = {status: unused_name() for status in ("Succeeded", "Failed", "Stopped")}
    targets = [await rest.register(clusterName=name) for name in names.values()]
    absent = str(uuid.uuid4())
    run_id = await rest.run_of(
        *targets,
        absent,
        scenarioImage=f"{IMAGE}-lasts-5s",
        environment={"NAMESPACE": "shop"},
        secretEnvironment={"ES_PASSWORD": "not-to-be-told"},
    )
    jobs = [each["jobId"] for each in (await rest.get_run(run_id))["targets"]]
    _, failed, stopped = await asyncio.gather(*(rest.job_when(job, "Running") for job in jobs))
    pod = f"/api/v1/namespaces/{services.namespace}/pods/{failed['podName']}"
    await services.cluster.request("DELETE", pod)
    assert (await rest.delete(f"{RUNS}/{stopped['jobId']}")).status == 200
    await rest.run_when(run_id)
    return run_id, {name: status for status, name in names.items()} | {absent: "Refused"}


async def test_a_report_in_each_form(
    cli: Command, rest: Rest, shared_services: Running, browser: Browser, tmp_path: Path
) -> None:
    run_id, outcomes = await a_mixed_run(rest, shared_services)
    paths = {name: tmp_path / name for name in FILES}
    options = [option for path in paths.values() for option in ("--file", str(path))]
    made = await cli("runs", "report", run_id, *options)
    assert (made.code, made.out) == (0, ""), made
    told: dict[str, Any] = json.loads(paths["report.json"].read_text())
    run = await rest.get_run(run_id)
    assert told["version"] == VERSION
    assert told["run"] == {
        name: value for name, value in run.items() if name not in ("targets", "refused")
    }
    shown = {each["clusterName"] or each["targetUUID"]: each for each in told["targets"]}
    assert {name: each["status"] for name, each in shown.items()} == outcomes
    for each in told["targets"]:
        if each["jobId"]:
            job = await rest.job(each["jobId"])
            assert {name: job[name] for name in each.keys() & job.keys()}.items() <= each.items()
    by_status = {each["status"]: each for each in told["targets"]}
    assert by_status["Failed"]["reason"] == "PodDeleted"
    # Their pods are gone, or their logs are kept.
    assert {status for status, each in by_status.items() if "log" in each} == {"Failed", "Stopped"}
    assert by_status["Refused"]["message"] == "there is no such target"

    [suite] = JUnitXml.fromstring(paths["report.xml"].read_bytes())
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (4, 1, 1, 1)
    markdown = paths["report.md"].read_text()
    for path in paths.values():
        assert all(name in path.read_text() for name in outcomes)
        assert "ES_PASSWORD" in path.read_text()
        assert "not-to-be-told" not in path.read_text()
    assert markdown.startswith("## `pod-scenarios on 4 targets`: Stopped\n")
    async with browser.tab() as tab:
        await tab.page.goto(paths["report.html"].as_uri())
        rows = await tab.page.locator("#all tbody tr").all_inner_texts()
        assert [row.split()[1] for row in rows] == list(outcomes.values())
        assert tab.errors == []


async def test_the_log_of_a_failure_is_in_it(cli: Command, rest: Rest) -> None:
    target = await rest.register(clusterName=unused_name())
    run_id = await rest.run_of(target, scenarioImage=f"{IMAGE}-exit-3-logs-100-lines")
    await rest.run_when(run_id)
    [job] = (await cli("runs", "report", run_id, "-o", "json")).json["targets"]
    whole = (await rest.get(f"{RUNS}/{job['jobId']}/logs")).text
    assert job["log"] == {
        "lines": list(log_end(whole.encode(), 50).lines),
        "isWhole": False,
        "problem": "",
        "source": "",
    }
    assert len(job["log"]["lines"]) == 50
    # What it said before krkn's last words is in it.
    assert whole.splitlines()[90] in job["log"]["lines"]
    result = (await rest.job(job["jobId"]))["result"]
    assert job["result"] == result
    junit = (await cli("runs", "report", run_id, "-o", "junit")).out
    assert f"Resiliency score: {result['resiliencyScore']}" in junit
    [short] = (await cli("runs", "report", run_id, "-o", "json", "--lines", "2")).json["targets"]
    assert short["log"]["lines"] == job["log"]["lines"][-2:]
    [none] = (await cli("runs", "report", run_id, "-o", "json", "--logs", "none")).json["targets"]
    assert "log" not in none
    shown = await cli("runs", "report", run_id)
    assert (await cli("runs", "report", run_id, "--file", "-")).out.startswith(shown.out[:40])
    assert shown.out.startswith("## `pod-scenarios on 1 target`: Failed\n")
    assert job["log"]["lines"][0] in shown.out


async def test_the_log_of_one_that_succeeded_is_in_it_if_wanted(cli: Command, rest: Rest) -> None:
    run_id = await rest.run_of(await rest.register())
    await rest.run_when(run_id)
    [job] = (await cli("runs", "report", run_id, "-o", "json")).json["targets"]
    assert "log" not in job
    [job] = (await cli("runs", "report", run_id, "-o", "json", "--logs", "all")).json["targets"]
    assert job["log"]["lines"]


async def test_it_fails_with_the_run_if_that_is_wanted(cli: Command, rest: Rest) -> None:
    target = await rest.register()
    for image, code in ((IMAGE, 0), (f"{IMAGE}-exit-3", 1)):
        run_id = await rest.run_of(target, scenarioImage=f"{image}-lasts-0s")
        await rest.run_when(run_id)
        assert (await cli("runs", "report", run_id)).code == 0
        assert (await cli("runs", "report", run_id, "--fail")).code == code


async def test_a_run_that_goes_on_has_a_report(cli: Command, rest: Rest) -> None:
    run_id = await rest.run_of(await rest.register(), scenarioImage=f"{IMAGE}-never-ends")
    await rest.run_when(run_id, "Running")
    shown = await cli("runs", "report", run_id, "-o", "junit")
    [suite] = JUnitXml.fromstring(shown.out.encode())
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (1, 0, 0, 1)
    assert "had not ended" in (await cli("runs", "report", run_id)).out
    await cli("runs", "stop", run_id)
    await rest.run_when(run_id)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--file", "report.pdf"], 2, "give the format with --output, or a name that ends with"),
        (["-o", "pdf"], 2, "'pdf' is not one of"),
        (["--file", "no/such/folder/report.xml"], 2, "No such file or directory"),
        (["--lines", "0"], 2, "0 is not in the range"),
    ],
)
async def test_wrong_usage(
    cli: Command, rest: Rest, options: list[str], code: int, said: str
) -> None:
    run_id = await rest.run_of(await rest.register(), scenarioImage=f"{IMAGE}-lasts-0s")
    ended = await cli("runs", "report", run_id, *options)
    assert (ended.code, said in ended.err) == (code, True), ended


async def test_there_is_no_such_run(cli: Command) -> None:
    ended = await cli("runs", "report", str(uuid.uuid4()), "-o", "json")
    assert ended.code == 3
    assert json.loads(ended.err)["reason"] == "NOT_FOUND"
