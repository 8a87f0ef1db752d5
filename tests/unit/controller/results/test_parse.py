"""What krkn says of its run, in the end of a log that anyone may have written."""

import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.results.parse import parse
from krkn_grpc.resources.reported_result import (
    LONGEST_TEXT,
    MOST_HEALTH_CHECKS,
    MOST_SCENARIOS,
    ReportedHealthCheck,
    ReportedResult,
    ReportedScenario,
)

SCENARIO: dict[str, Any] = {
    "start_timestamp": 1767323045,
    "scenario": "scenarios/kube/pods.yml",
    "scenario_type": "pod_disruption_scenarios",
    "exit_status": 1,
    "affected_pods": {"recovered": [{"pod_name": "a"}], "unrecovered": [{}, {}], "error": None},
    "affected_nodes": [{"node_name": "n"}],
    "parameters": {"config": ["Chaos data:", "}", "{"]},
    "resiliency_report": {"score": 3},
}
OUTPUT: dict[str, Any] = {
    "telemetry": {
        "scenarios": [SCENARIO],
        "run_uuid": "the-run",
        "job_status": False,
        "health_checks": [
            {"url": "https://a.example/health", "status": True, "status_code": 200},
            {"url": f"https://{'me:hunter2'}@b.example/x?token=hunter2", "status": False},
        ],
        "failed_alerts": [{"alert": "a"}, {"alert": "b"}],
        "overall_resiliency_report": {
            "scenarios": {"pods": 87.5},
            "resiliency_score": 87.5,
            "passed_slos": 7,
            "total_slos": 8,
        },
    },
    "critical_alerts": {"chaos_alerts": [{}], "post_chaos_alerts": [{}]},
}
RESULT = ReportedResult(
    run_uuid="the-run",
    scenarios=[
        ReportedScenario(
            name="scenarios/kube/pods.yml",
            type="pod_disruption_scenarios",
            exit_status=1,
            affected_pods=3,
            affected_nodes=1,
        )
    ],
    resiliency_score=87.5,
    passed_slos=7,
    total_slos=8,
    failed_alerts=2,
    health_checks=[
        ReportedHealthCheck(url="https://b.example/x", passed=False),
        ReportedHealthCheck(url="https://a.example/health", passed=True),
    ],
)
STAMP = "2026-01-02 03:04:05,678 [INFO] "
COLORED = "2026-01-02 03:04:05,678 [\x1b[37mINFO\x1b[0m] "
REPORT = "KRKN_RESILIENCY_REPORT_JSON:"


def printed(output: object, before: str = STAMP, indent: int | None = 4) -> str:
    return f"{before}Chaos data:\n{json.dumps(output, indent=indent)}\n"


def changed(**telemetry: Any) -> dict[str, Any]:
    output = copy.deepcopy(OUTPUT)
    output["telemetry"] |= telemetry
    return output


def found(text: str) -> ReportedResult | None:
    return parse(text.encode())


WHOLE = printed(OUTPUT)
FORGED = printed(changed(run_uuid="forged"))
CUT = WHOLE[: len(WHOLE) // 2]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(WHOLE, id="as krkn prints it"),
        pytest.param(printed(OUTPUT, COLORED), id="colored"),
        pytest.param(printed(OUTPUT, indent=None), id="on one line"),
        pytest.param("before\n" * 10 + WHOLE + "after\n}\n{\n", id="among other lines"),
        pytest.param(WHOLE.removesuffix("\n"), id="no newline at the end"),
        pytest.param(WHOLE.replace("\n", "\r\n"), id="of a terminal"),
        pytest.param(
            "".join(f"\x1b[37m{line}\x1b[0m\n" for line in WHOLE.splitlines()),
            id="each line colored",
        ),
        pytest.param(WHOLE.removesuffix("\n") + "\x1b[0m\n", id="color ends after it"),
        pytest.param(FORGED + WHOLE, id="the last of two"),
        pytest.param(FORGED * 20 + WHOLE + "done\n", id="the last of many"),
        pytest.param(WHOLE + CUT, id="whole, then cut"),
        pytest.param(WHOLE + printed({"telemetry": 1}), id="then one of other types"),
        pytest.param(WHOLE + printed([OUTPUT]), id="then no object"),
        pytest.param(WHOLE + "Chaos data:\n" * 3, id="then markers of nothing"),
        pytest.param(FORGED[len(FORGED) // 2 :] + WHOLE, id="begins in the midst of one"),
    ],
)
def test_what_krkn_says_last_is_found(text: str) -> None:
    assert found(text) == RESULT


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("the scenario ended\n", id="other lines"),
        pytest.param(CUT, id="cut"),
        pytest.param(WHOLE.removesuffix("}\n"), id="its last line is missing"),
        pytest.param(WHOLE.split("Chaos data:")[1], id="no marker"),
        pytest.param(f"{STAMP}Chaos data: {json.dumps(OUTPUT)}\n", id="on the line of its marker"),
        pytest.param(printed({"a": OUTPUT}), id="deeper than it should be"),
        pytest.param(printed({"telemetry": {}}), id="no scenarios"),
        pytest.param(printed(changed(run_uuid=7)), id="a number for a text"),
        pytest.param(printed(changed(scenarios={})), id="an object for a list"),
        pytest.param(printed(changed(scenarios=[{"scenario": "a"}])), id="no exit status"),
        pytest.param(
            printed(changed(scenarios=[SCENARIO | {"exit_status": True}])),
            id="a truth for a number",
        ),
        pytest.param(
            printed(changed(scenarios=[SCENARIO | {"exit_status": 2**31}])), id="a huge number"
        ),
        pytest.param(printed(changed(any=float("nan"))), id="NaN"),
        pytest.param(
            printed(changed(overall_resiliency_report={"resiliency_score": float("inf")})),
            id="infinity",
        ),
        pytest.param(
            printed(changed(overall_resiliency_report={"resiliency_score": 100.1})), id="above 100"
        ),
        pytest.param(WHOLE.replace("87.5,\n", "1e400,\n"), id="a number that no computer has"),
        pytest.param(
            printed(changed(overall_resiliency_report={"passed_slos": -1})), id="below zero"
        ),
        pytest.param(printed(changed(failed_alerts="2")), id="a text for a number"),
        pytest.param(WHOLE + "Chaos data:\n{\n" * 16, id="too many broken ones after it"),
    ],
)
def test_anything_else_is_nothing(text: str) -> None:
    assert found(text) is None


def test_bytes_that_are_no_text() -> None:
    assert parse(b"\xff\xfe\x00" * 100 + WHOLE.encode() + b"\xff") == RESULT
    assert parse(WHOLE.encode().replace(b"the-run", b"the-\xff")) is None
    assert parse(WHOLE.encode().replace(b"the-run", b"\\ud800")) is None


@pytest.mark.parametrize(
    ("telemetry", "alerts", "expected"),
    [
        pytest.param([{}, {}], None, 2, id="a list"),
        pytest.param(4, None, 4, id="a number"),
        pytest.param([], {"post_chaos_alerts": [{}]}, 0, id="none, whatever fires"),
        pytest.param(None, {"post_chaos_alerts": [{}], "chaos_alerts": [{}] * 9}, 1, id="after it"),
        pytest.param(None, None, None, id="it did not look"),
    ],
)
def test_alerts_that_made_it_fail(telemetry: Any, alerts: Any, expected: int | None) -> None:
    output = changed(failed_alerts=telemetry) | {"critical_alerts": alerts}
    result = found(printed(output))
    assert result is not None
    assert result.failed_alerts == expected


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(None, 66.5, id="only on the line before"),
        pytest.param({}, 66.5, id="only on the line before, and an empty one"),
        pytest.param({"resiliency_score": 0}, 0, id="zero is a score"),
    ],
)
def test_the_score_is_that_of_the_block_or_of_the_line_before(
    report: object, expected: float
) -> None:
    line = REPORT + json.dumps({"overall_resiliency_report": {"resiliency_score": 66.5}})
    result = found(f"{line}\n{printed(changed(overall_resiliency_report=report))}")
    assert result is not None
    assert result.resiliency_score == expected
    assert result.run_uuid == "the-run"


def test_a_score_alone_is_a_result() -> None:
    line = f'{REPORT} {{"overall_resiliency_report": {{"resiliency_score": 5, "total_slos": 2}}}}'
    assert found(line) == ReportedResult(resiliency_score=5, total_slos=2)
    assert found(line[:-1]) is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param("https://a.example:8443/x#hunter2", "https://a.example:8443/x", id="fragment"),
        pytest.param("//me:hunter2@a.example/x", "//a.example/x", id="no scheme"),
        pytest.param("me:hunter2@a.example/x", "", id="no host"),
        pytest.param("https:me:hunter2@a.example", "", id="slashes left out"),
        pytest.param(r"https:\\me:hunter2@a.example", "", id="the other slashes"),
        pytest.param("https://[hunter2", "", id="no URL"),
    ],
)
def test_a_url_is_told_without_what_may_be_a_credential(said: str, expected: str) -> None:
    result = found(printed(changed(health_checks=[{"url": said, "status": True}])))
    assert result is not None
    assert [check.url for check in result.health_checks] == [expected]


def test_it_is_bounded() -> None:
    long = "ä\u202e\x00\n" + "x" * 5000
    result = found(
        printed(
            changed(
                run_uuid=long,
                scenarios=[SCENARIO | {"scenario": long, "scenario_type": long}] * 500,
                health_checks=[{"url": "https://a/" + long, "status": True}] * 500
                + [{"url": "https://failed/", "status": False}],
            )
        )
    )
    assert result is not None
    assert len(result.scenarios) == MOST_SCENARIOS
    assert len(result.health_checks) == MOST_HEALTH_CHECKS
    assert result.health_checks[0].url == "https://failed/"
    texts = [result.run_uuid, *(check.url for check in result.health_checks)]
    texts += [text for each in result.scenarios for text in (each.name, each.type)]
    assert all(len(text.encode()) <= LONGEST_TEXT for text in texts)
    assert not any(character in text for text in texts for character in "\u202e\x00\n")
    assert len(msgspec.json.encode(result)) < 32 * 1024


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(deep for key, each in inner for deep in paths(each, (*path, key)))]


@given(st.sampled_from(paths(OUTPUT)[1:]), JSON)
def test_any_value_anywhere_gives_a_result_or_none(path: tuple[Any, ...], value: Any) -> None:
    output = copy.deepcopy(OUTPUT)
    place: Any = output
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert_fits(found(printed(output)))


@given(st.lists(st.sampled_from([WHOLE, CUT, FORGED, REPORT, "Chaos data:", "\n", "{", "}", "["])))
def test_any_order_of_its_parts(parts: list[str]) -> None:
    assert_fits(found("".join(parts)))


@given(st.binary(), st.integers(0, len(WHOLE)), st.integers(0, 50))
def test_any_bytes_in_place_of_others(noise: bytes, start: int, length: int) -> None:
    text = WHOLE.encode()
    assert_fits(parse(text[:start] + noise + text[start + length :]))


def assert_fits(result: ReportedResult | None) -> None:
    """It has the types and bounds of the resource definition."""
    if result is not None:
        assert msgspec.json.decode(msgspec.json.encode(result), type=ReportedResult) == result
