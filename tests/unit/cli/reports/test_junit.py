"""The report as JUnit's XML, read by a parser that CI programs use."""

from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from krkn_grpc.cli.reports import junit
from krkn_grpc.cli.reports.model import LogEnd
from krkn_grpc.cli.reports.texts import clean
from krkn_grpc.v1.scenario_runs_pb2 import Job
from tests.support.reports import HOSTILE, RUN, a_job, a_report, hostile, of_many, refused


def test_what_a_program_reads() -> None:
    report = of_many()
    [suite] = JUnitXml.fromstring(junit.rendered(report).encode())
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (200, 10, 3, 3)
    assert (suite.name, suite.time, suite.timestamp) == (
        "pod-scenarios",
        348.0,
        "2026-11-30T03:00:00",
    )
    properties: Any = suite.properties()  # type: ignore[no-untyped-call]
    known = {each.name: each.value for each in properties}
    assert known["Run"] == RUN
    assert known["Requested by"] == "system:serviceaccount:ci:chaos"
    assert known["parameter NAMESPACE"] == "shop"
    assert known["parameter ES_PASSWORD"] == "(secret)"
    cases = {case.name: case for case in suite}
    assert len(cases) == 200
    assert (cases["eu-west-000"].result, cases["eu-west-000"].time) == ([], 40.0)
    assert cases["eu-west-000"].classname == "krkn.pod-scenarios"
    [failure] = cases["eu-west-007"].result
    assert isinstance(failure, Failure)
    assert failure.type == "ScenarioFailed"
    assert failure.message.startswith("ScenarioFailed (exit code 1): the scenario failed")
    assert failure.text.splitlines()[-1].endswith("pod cart-49 of namespace shop")
    assert "Log, the last 50 lines:" in failure.text


@pytest.mark.parametrize(
    ("job", "kind"),
    [
        pytest.param(a_job(1, "Failed"), Failure, id="failed"),
        pytest.param(refused(1, "why"), Error, id="refused"),
        pytest.param(a_job(1, "Absent", start=None), Error, id="its outcome is not known"),
        pytest.param(a_job(1, "Stopped", reason="StopRequested"), Skipped, id="stopped"),
        pytest.param(a_job(1, "Stopped", reason="Halted"), Skipped, id="halted"),
        pytest.param(a_job(1, "Stopped", reason="AbortCondition"), Error, id="an alert ended it"),
        pytest.param(
            a_job(1, "Stopped", start=None, reason="AbortCondition"),
            Skipped,
            id="an alert came before it started",
        ),
        pytest.param(a_job(1, "Running"), Skipped, id="not ended"),
    ],
)
def test_what_is_a_failure_an_error_and_skipped(job: Job, kind: type) -> None:
    [suite] = JUnitXml.fromstring(junit.rendered(a_report([a_job(0), job])).encode())
    passed, other = suite
    assert passed.result == []
    assert [type(each) for each in other.result] == [kind]
    counted = {Failure: suite.failures, Error: suite.errors, Skipped: suite.skipped}
    assert counted == {each: int(each is kind) for each in counted}


def test_what_a_scenario_said_is_text() -> None:
    [suite] = JUnitXml.fromstring(junit.rendered(hostile()).encode())
    case = next(iter(suite))
    assert case.name == clean(HOSTILE)
    assert case.result[0].type == clean(HOSTILE)
    assert "# a heading\n| a | b |\n\ufffd\ufffd" in case.result[0].text


def test_a_log_of_a_target_that_succeeded_is_its_output() -> None:
    job = a_job(0)
    logs = {job.job_id: LogEnd(("a line",), problem="cut")}
    [suite] = JUnitXml.fromstring(junit.rendered(a_report([job], logs)).encode())
    assert next(iter(suite)).system_out == "\nLog, 1 line:\n(cut)\na line"
