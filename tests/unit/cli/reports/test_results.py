"""What scenarios said of their runs, in each form of a report."""

import json

from junitparser import JUnitXml

from krkn_grpc.cli.reports import as_json, facts, junit, markdown, results
from krkn_grpc.cli.reports.model import LogEnd
from krkn_grpc.v1.scenario_runs_pb2 import ReportedResult, ReportedScenario
from tests.support.reports import a_job, a_report, of_many, reported

WORDS = [
    ("Resiliency score", "87.5"),
    ("SLOs met", "7 of 8"),
    ("Alerts that failed it", "2"),
    ("pod-scenarios", "pod_disruption_scenarios, exit status 1, 3 pods and 1 node affected"),
    ("Health check", "https://shop.example/pod-scenarios failed"),
    ("Run of krkn", "krkns-own"),
]


def words(result: ReportedResult | None) -> list[facts.Fact]:
    [outcome] = a_report([a_job(0, result=result)]).outcomes
    return results.of_target(outcome)


def test_all_that_was_said() -> None:
    assert words(reported(exit_status=1, passed=False)) == WORDS


def test_what_was_not_said_is_left_out() -> None:
    assert words(None) == []
    assert words(ReportedResult()) == []
    assert words(ReportedResult(resiliency_score=0.0)) == [("Resiliency score", "0")]
    assert words(ReportedResult(resiliency_score=100)) == [("Resiliency score", "100")]
    assert words(ReportedResult(total_slos=3)) == [("SLOs met", "? of 3")]
    assert words(ReportedResult(failed_alerts=0)) == [("Alerts that failed it", "0")]
    alone = ReportedResult(scenarios=[ReportedScenario()], run_uuid=a_job(0).job_id)
    assert words(alone) == [("Scenario", "succeeded")]


def test_it_is_in_each_form() -> None:
    report = of_many()
    [suite] = JUnitXml.fromstring(junit.rendered(report).encode())
    cases = {case.name: case for case in suite}
    said = [f"{name}: {text}" for name, text in WORDS]
    failure = cases["eu-west-007"].result[0].text.splitlines()
    begin = failure.index("As the scenario reported:") + 1
    assert failure[begin : begin + len(said)] == said
    assert "As the scenario reported:\n" in cases["eu-west-000"].system_out
    shown = json.loads(as_json.rendered(report))["targets"]
    assert shown[7]["result"]["resiliencyScore"] == 87.5
    assert "result" not in shown[5]
    [line] = {
        line for line in markdown.rendered(report).splitlines() if line.startswith("| `pod-scen")
    }
    assert line == f"| `pod-scenarios` | `{WORDS[3][1]}` |"


def test_without_it_nothing_is_said_of_it() -> None:
    job = a_job(0, "Failed", exit_code=1)
    report = a_report([job], {job.job_id: LogEnd(("a line",))})
    for text in (junit.rendered(report), markdown.rendered(report)):
        assert results.TITLE not in text
