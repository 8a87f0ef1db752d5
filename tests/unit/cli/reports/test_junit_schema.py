"""The report as JUnit's XML follows the rules of the strictest readers, whatever a run holds.

There is no standard. The rules are what these have in common: the schema of Ant's reports, that of
Jenkins' xUnit plugin, and GitLab's list of what it reads.
"""

import re
from dataclasses import dataclass, field
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml

from krkn_grpc.cli.reports import junit
from krkn_grpc.cli.reports.log_ends import log_end
from krkn_grpc.cli.reports.model import Report
from krkn_grpc.v1.scenario_runs_pb2 import Job
from tests.support.reports import a_job, a_report, hostile, of_many, refused, reported

ANY = r"(?s).*"
TEXT = r"\S(.*\S)?"  # on one line; readers that collapse white space change nothing
NAME = TEXT
NUMBER = r"\d{1,9}"
SECONDS = r"\d{1,9}\.\d{3}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"  # without a zone
# XML 1.0 can have others, which move a terminal or are invisible.
FORBIDDEN = re.compile("[^\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Rule:
    """What an element may have: required attributes, children in this order, at most so many."""

    attributes: dict[str, str] = field(default_factory=dict)
    children: tuple[str, ...] = ()
    repeated: str = ""
    has_text: bool = False


COUNTS = {"tests": NUMBER, "failures": NUMBER, "errors": NUMBER, "time": SECONDS}
RULES = {
    "testsuites": Rule({"name": NAME, **COUNTS}, ("testsuite",)),
    "testsuite": Rule(
        {
            **COUNTS,
            "name": NAME,
            "id": NUMBER,
            "package": NAME,
            "hostname": NAME,
            "timestamp": TIME,
            "skipped": NUMBER,
        },
        ("properties", "testcase", "system-out", "system-err"),
        repeated="testcase",
    ),
    "properties": Rule({}, ("property",), repeated="property"),
    "property": Rule({"name": NAME, "value": ANY}),
    "testcase": Rule(
        {"name": NAME, "classname": NAME, "time": SECONDS},
        ("skipped", "error", "failure", "system-out"),
    ),
    "skipped": Rule({"message": NAME}),
    "error": Rule({"type": NAME, "message": NAME}, has_text=True),
    "failure": Rule({"type": NAME, "message": NAME}, has_text=True),
    "system-out": Rule({}, has_text=True),
    "system-err": Rule({}, has_text=True),
}
RESULTS = ("skipped", "error", "failure")


def must_follow(element: ElementTree.Element) -> None:
    rule = RULES[element.tag]
    assert element.attrib.keys() == rule.attributes.keys(), element.tag
    for name, pattern in rule.attributes.items():
        value = element.attrib[name]
        assert re.fullmatch(pattern, value), (element.tag, name, value)
        assert not FORBIDDEN.search(value), (element.tag, name, value)
        assert "\n" not in value, (element.tag, name, value)
    tags = [child.tag for child in element]
    once = [tag for tag in tags if tag != rule.repeated]
    assert len(once) == len(set(once)), (element.tag, tags)
    assert tags == sorted(tags, key=rule.children.index), (element.tag, tags)
    texts = [element.text or "", *(child.tail or "" for child in element)]
    for text in texts:
        assert not FORBIDDEN.search(text), (element.tag, text)
        assert rule.has_text or not text.strip(), (element.tag, text)
    for child in element:
        must_follow(child)


def checked(report: Report) -> ElementTree.Element:
    """Return the report's suite; it follows all rules, and its numbers are those of its cases."""
    content = junit.rendered(report).encode()
    assert content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ')
    root = ElementTree.fromstring(content)
    must_follow(root)
    [suite] = root
    # Ant's schema wants all four, also without a case.
    assert {"properties", "system-out", "system-err"} <= {child.tag for child in suite}
    cases = suite.findall("testcase")
    found = [[child.tag for child in case if child.tag in RESULTS] for case in cases]
    assert all(len(results) <= 1 for results in found)
    counted = {
        "tests": len(cases),
        "failures": found.count(["failure"]),
        "errors": found.count(["error"]),
        "skipped": found.count(["skipped"]),
    }
    for name, number in counted.items():
        assert suite.attrib[name] == str(number)
        assert name == "skipped" or root.attrib[name] == str(number)
    # A parser that programs use reads the same.
    [read] = JUnitXml.fromstring(content)
    assert (read.tests, read.failures, read.errors, read.skipped) == (*counted.values(),)
    return suite


REPORTS = {
    "many": of_many(),
    "hostile": hostile(),
    "nothing has started": a_report([a_job(0, "Pending", start=None)], status="Pending"),
    "all refused": a_report([refused(0, "why"), refused(1, "")]),
    "no name, no reason": a_report([a_job(0, "Failed", cluster_name="")], scenario_name="\x1b[0m"),
    "for months": a_report([a_job(0, seconds=9_999_999)]),
}


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_it_follows_the_rules(report: Report) -> None:
    suite = checked(report)
    assert len(suite.findall("testcase")) == len(report.outcomes)


_texts = st.text(max_size=40) | st.sampled_from(
    ["", " ", "\x1b[31m", "\x00", "]]>", "\r\n", "\x85"]
)
_statuses = st.sampled_from(["Succeeded", "Failed", "Stopped", "Absent", "Running", "Refused"])


@given(
    st.tuples(_statuses, st.booleans(), _texts, _texts, _texts),
    st.binary(max_size=60) | _texts.map(str.encode),
    st.tuples(_texts, _texts, _texts),
)
def test_any_text_and_log_follows_the_rules(
    one: tuple[str, bool, str, str, str], log: bytes, of_run: tuple[str, str, str]
) -> None:
    status, has_result, name, reason, message = one
    job: Job = a_job(0, status, cluster_name=name, reason=reason, message=message)
    if has_result:
        job.result.CopyFrom(reported(name))
    scenario, variable, label = of_run
    checked(
        a_report(
            [job],
            {job.job_id: log_end(log, 50)},
            scenario_name=scenario,
            environment={variable: variable},
            labels={label: label},
            requested_by=label,
        )
    )
