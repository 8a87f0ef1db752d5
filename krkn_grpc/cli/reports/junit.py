"""The report as JUnit's XML: a suite for the run, a test case per target. Pure.

The form is the one that Jenkins, GitLab and others read: attributes and the order of elements are
those of Ant's schema. What is a failure, an error and skipped:

- failure: the job failed;
- error: the target was not tested as asked and nobody wanted that: it was refused, its job is gone,
  or an alert or a failure elsewhere stopped a scenario that ran;
- skipped: it was stopped on purpose or before it started, or has not ended.
"""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from krkn_grpc.cli.reports import facts, results
from krkn_grpc.cli.reports.model import Outcome, Report, Status
from krkn_grpc.cli.reports.texts import clean, cut

_LONGEST_ATTRIBUTE = 1_000
# Nobody decided these for the target itself.
_UNWANTED_STOPS = ("AbortCondition", "FailureThreshold", "RunDeleted")


def rendered(report: Report) -> str:
    """Return the file."""
    kinds = [kind_of(outcome) for outcome in report.outcomes]
    counts = {
        "tests": str(len(kinds)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
    }
    time = _seconds(report.seconds)
    root = ET.Element("testsuites", {"name": "krkn-grpc", **counts, "time": time})
    scenario = _name(clean(report.run.scenario_name), "scenario")
    began = report.run.start_time or report.run.created_at or report.made_at
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": scenario,
            "id": "0",
            "package": "krkn",
            "hostname": clean(report.server),
            "timestamp": _timestamp(began),
            **counts,
            "skipped": str(kinds.count("skipped")),
            "time": time,
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in [*facts.of_run(report), *_inputs(report)]:
        ET.SubElement(properties, "property", {"name": _name(name, "unnamed"), "value": value})
    for outcome, kind in zip(report.outcomes, kinds, strict=True):
        _add_case(suite, outcome, kind, f"krkn.{scenario}")
    ET.SubElement(suite, "system-out").text = facts.sentence(report)
    ET.SubElement(suite, "system-err").text = facts.note(report)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def kind_of(outcome: Outcome) -> str:
    """Return what a target is in JUnit's words: `failure`, `error`, `skipped`, "" if it passed."""
    match outcome.status:
        case Status.SUCCEEDED:
            return ""
        case Status.FAILED:
            return "failure"
        case Status.REFUSED | Status.ABSENT:
            return "error"
        case Status.STOPPED if outcome.reason in _UNWANTED_STOPS and outcome.job.start_time:
            return "error"
        case _:
            return "skipped"


def _add_case(suite: ET.Element, outcome: Outcome, kind: str, class_name: str) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "name": _name(outcome.name, clean(outcome.job.target_uuid)),
            "classname": class_name,
            "time": _seconds(outcome.seconds or 0.0),
        },
    )
    why = _name(cut(facts.why(outcome), _LONGEST_ATTRIBUTE), outcome.status)
    if kind == "skipped":
        ET.SubElement(case, kind, {"message": why})
    elif kind:
        kind_of_failure = _name(outcome.reason, outcome.status)
        made = ET.SubElement(case, kind, {"type": kind_of_failure, "message": why})
        made.text = "\n".join([facts.why(outcome), *_details(outcome), *_output(outcome)])
    # A reader shows the text of a failure; of others, their output.
    if (not kind or kind == "skipped") and (output := _output(outcome)):
        ET.SubElement(case, "system-out").text = "\n".join(output)


def _details(outcome: Outcome) -> list[str]:
    return [f"{name}: {words}" for name, words in facts.of_target(outcome)]


def _output(outcome: Outcome) -> list[str]:
    """Return what the scenario reported, and the end of its log."""
    reported = results.of_target(outcome)
    if not reported:
        return _log(outcome)
    lines = [f"{name}: {words}" for name, words in reported]
    return ["", f"{results.TITLE}:", *lines, *_log(outcome)]


def _log(outcome: Outcome) -> list[str]:
    if outcome.log is None:
        return []
    problem = [f"({outcome.log.problem})"] if outcome.log.problem else []
    return ["", f"{facts.log_title(outcome)}:", *problem, *outcome.log.lines]


def _inputs(report: Report) -> list[facts.Fact]:
    return [(f"parameter {name}", value) for name, value in facts.inputs(report)]


def _name(text: str, otherwise: str) -> str:
    """Return a text that is not blank: the schema takes no empty names, of which spaces are one."""
    return text.strip() or otherwise


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _timestamp(time: datetime) -> str:
    # The schema has no room for a time zone; UTC is what its readers assume.
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
