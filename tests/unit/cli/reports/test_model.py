"""The content of a report: what became of the targets, the worst first, and the ends of logs."""

import json

import pytest
from junitparser import JUnitXml

from krkn_grpc.cli.reports import as_json, facts, junit, markdown, page
from krkn_grpc.cli.reports.log_ends import MOST_READ_BYTES, MOST_SHOWN, log_end
from krkn_grpc.cli.reports.model import LogEnd, Report, Status
from krkn_grpc.cli.reports.texts import LONGEST_LINE, clean
from krkn_grpc.v1.runs_pb2 import RunCounts, RunStop
from tests.support.reports import HOSTILE, RUN, a_job, a_report, of_many, refused


def test_the_worst_come_first() -> None:
    jobs = [
        a_job(0),
        a_job(1, "Stopped"),
        refused(2, "why"),
        a_job(3, "Failed", reason="OOMKilled"),
        a_job(4, "Running"),
        a_job(5, "Absent", start=None),
        a_job(6, "Failed", start=None, reason="OOMKilled"),
    ]
    report = a_report(jobs)
    assert [each.number for each in report.not_well] == [4, 7, 3, 6, 2]
    assert [each.number for each in report.worst_first] == [4, 7, 3, 6, 2, 1, 5]
    assert report.reasons == {"OOMKilled": 2, "Refused": 1, "Absent": 1, "Stopped": 1}
    assert not report.is_all_well


def test_it_is_all_well_when_each_has_succeeded() -> None:
    assert a_report([a_job(0), a_job(1)]).is_all_well
    assert not a_report([a_job(0), a_job(1, "Running")], status="Running").is_all_well


def test_how_it_ended_in_a_sentence() -> None:
    assert facts.sentence(of_many()) == (
        "184 of 200 targets succeeded in 5m48s: 10 failed, 3 refused, 3 stopped."
    )
    assert facts.sentence(a_report([a_job(0)])) == "1 of 1 target succeeded in 1m00s."


GONE = [a_job(0, "Absent", start=None), a_job(1, "Absent", start=None), a_job(2)]


def test_how_jobs_ended_that_are_deleted_is_known_when_all_succeeded() -> None:
    report = a_report(GONE, status="Succeeded", counts=RunCounts(total=3, succeeded=3))
    assert report.counts == {Status.SUCCEEDED: 3}
    assert report.is_all_well
    assert "2 jobs, which the run saw succeed" in facts.note(report)
    assert agreed(report) == "3 of 3 targets succeeded in 1m00s."


@pytest.mark.parametrize(
    ("status", "counts", "told"),
    [
        pytest.param(
            "PartiallyFailed", {"succeeded": 2, "failed": 1}, "counted 1 failed, 2", id="not which"
        ),
        pytest.param("PartiallyFailed", {"succeeded": 1, "failed": 2}, "2 failed, 1", id="failed"),
        pytest.param("Running", {"succeeded": 3}, "had not ended", id="the run goes on"),
    ],
)
def test_it_is_not_known_otherwise(status: str, counts: dict[str, int], told: str) -> None:
    report = a_report(GONE, status=status, counts=RunCounts(total=3, **counts))
    assert report.counts == {Status.ABSENT: 2, Status.SUCCEEDED: 1}
    assert not report.is_all_well
    assert told in facts.note(report)
    assert agreed(report) == "1 of 3 targets succeeded in 1m00s: 2 absent."


def agreed(report: Report) -> str:
    """Return the sentence of a report; all its forms count the same."""
    said = facts.sentence(report)
    xml = junit.rendered(report)
    [suite] = JUnitXml.fromstring(xml.encode())
    passed = suite.tests - suite.failures - suite.errors - suite.skipped
    summary = json.loads(as_json.rendered(report))["summary"]
    assert summary["byStatus"].get("Succeeded", 0) == passed
    assert summary["isAllWell"] == (passed == suite.tests)
    assert said.startswith(f"{passed} of {suite.tests} ")
    html = page.rendered(report)
    assert all(said in form for form in (xml, html, markdown.rendered(report)))
    # One in the table, and one in the card of each target.
    assert html.count('class="badge absent"') == 2 * suite.errors
    return said


def test_a_status_of_a_later_service_is_not_known() -> None:
    report = a_report([a_job(0, "Dreaming")])
    assert [each.status for each in report.outcomes] == [Status.ABSENT]


def test_only_the_names_of_secrets_and_files_are_told() -> None:
    assert facts.inputs(of_many()) == [
        ("NAMESPACE", "shop"),
        ("POD_LABEL", "app=cart"),
        ("ES_PASSWORD", "(secret)"),
        ("scenario.yaml", "(file)"),
    ]


def test_the_end_of_a_log() -> None:
    assert log_end(b"", 2) == LogEnd(())
    assert log_end(b"one\ntwo\n", 2) == LogEnd(("one", "two"))
    assert log_end(b"one\n\nthree", 2) == LogEnd(("", "three"), is_whole=False)
    assert log_end(b"one\r\n\x1b[1;31mtwo\x1b[0m\tthree\xff", 9) == LogEnd(
        ("one ", "two    three\ufffd")
    )


def test_a_long_line_is_cut() -> None:
    [line] = log_end(b"a" * 10 * LONGEST_LINE, 9).lines
    assert (len(line), line[-1]) == (LONGEST_LINE, "…")
    longer = log_end(b"\n".join([b"a" * 99] * (MOST_READ_BYTES // 50)), 10_000)
    assert not longer.is_whole
    assert MOST_SHOWN - 100 <= sum(len(line) + 1 for line in longer.lines) <= MOST_SHOWN


def test_krkns_last_words_are_one_line() -> None:
    words = b"[\x1b[37mINFO\x1b[0m] Chaos data:\n{\n" + b'    "a": {\n    },\n' * 500 + b"}\n"
    assert log_end(b"one\ntwo\n" + words + b"three\n", 3) == LogEnd(
        ("two", "[INFO] Chaos data: (here without its 1002 lines)", "three"), is_whole=False
    )
    # Without an end, or without JSON, they are what they are.
    assert log_end(b"Chaos data:\n{\nthree", 9) == LogEnd(("Chaos data:", "{", "three"))
    assert log_end(b"Chaos data:\nthree\n}", 9) == LogEnd(("Chaos data:", "three", "}"))
    assert log_end(b"Chaos data:", 9) == LogEnd(("Chaos data:",))


def test_nothing_moves_a_terminal_or_is_no_character() -> None:
    shown = clean(HOSTILE + "\ud800")
    assert "red" in shown
    assert "title\x07" not in shown
    assert not [each for each in shown if each < " " or each in "\u202e\ud800\ufffe\x7f"]


def test_a_stop_is_told_before_all_else() -> None:
    stop = RunStop(reason="AbortCondition", message="the alert Down fires.", by="alertmanager")
    report = a_report([a_job(0, "Stopped")], status="Stopped", stop=stop)
    said = "A stop of the run was asked for by alertmanager: AbortCondition, the alert Down fires."
    assert facts.note(report) == said


def test_commands_that_help_are_told() -> None:
    report = of_many()
    assert ("Failed ones again", f"krkn-grpc runs rerun {RUN} --failed") in facts.of_run(report)
    failed, succeeded = report.outcomes[7], report.outcomes[0]
    assert ("Whole log", f"krkn-grpc logs {failed.job.job_id}") in facts.of_target(failed)
    assert "Whole log" not in dict(facts.of_target(succeeded))
    assert "Failed ones again" not in dict(facts.of_run(a_report([a_job(0)])))


@pytest.mark.parametrize(
    ("source", "is_whole", "told"),
    [
        pytest.param("", True, {}, id="of the pod"),
        pytest.param("kept", True, {"Log": "the one that was kept: the pod is gone"}, id="kept"),
        pytest.param(
            "kept, truncated",
            False,
            {"Log": "its end, which was kept: the pod is gone", "All that was kept": "krkn-grpc"},
            id="truncated",
        ),
    ],
)
def test_it_is_told_of_a_log_that_it_was_kept(
    source: str, is_whole: bool, told: dict[str, str]
) -> None:
    job = a_job(0, "Failed")
    end = log_end(b"the last line\n", 50, source)
    assert (end.lines, end.is_whole) == (("the last line",), is_whole)
    [outcome] = a_report([job], {job.job_id: end}).outcomes
    found = dict(facts.of_target(outcome))
    shown = {name: words.split(" logs ")[0] for name, words in found.items()}
    names = ("Log", "All that was kept", "Whole log")
    assert {name: shown[name] for name in names if name in shown} == told
