"""Finds in the end of a log what krkn says of its run. Pure, bounded in time, never raises.

Before it ends, krkn logs a line that ends with `Chaos data:`, and then JSON, indented, from a line
`{` to a line `}`. With a resiliency score it has printed the report of it on a line of its own
before that.

Whatever the scenario prints comes before krkn's own last words. So the last block that is whole and
has the right types wins: a forged one is overruled by krkn's, and one that was cut, because krkn
was killed as it printed, counts as none.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from krkn_grpc.resources import bounds
from krkn_grpc.resources.reported_result import (
    LONGEST_TEXT,
    MOST_HEALTH_CHECKS,
    MOST_SCENARIOS,
    Count,
    ExitStatus,
    ReportedHealthCheck,
    ReportedResult,
    ReportedScenario,
    Score,
)
from krkn_grpc.resources.text import on_one_line

_CHAOS_DATA = b"Chaos data:"
_OPENING = re.compile(rb"[ \t\r]{0,64}\n[ \t]{0,64}(?=\{)")
_REPORT = b"KRKN_RESILIENCY_REPORT_JSON:"

_ANSI = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
# More than a MiB of krkn's own has: two codes in a line, and a comma for each element of a list.
_MOST_ANSI = 40_000
_MOST_COMMAS = 60_000
_MOST_TRIES = 16
_MOST_MARKERS = 1_000

T = TypeVar("T")


class _Pods(msgspec.Struct):
    recovered: list[msgspec.Raw] = []
    unrecovered: list[msgspec.Raw] = []


class _Scenario(msgspec.Struct):
    scenario: str
    exit_status: ExitStatus
    scenario_type: str | None = None
    affected_pods: _Pods | None = None
    affected_nodes: list[msgspec.Raw] | None = None


class _HealthCheck(msgspec.Struct):
    url: str
    status: bool


class _Score(msgspec.Struct):
    resiliency_score: Score | None = None
    passed_slos: Count | None = None
    total_slos: Count | None = None


class _Telemetry(msgspec.Struct):
    scenarios: list[_Scenario]
    run_uuid: str | None = None
    health_checks: list[_HealthCheck] | None = None
    failed_alerts: list[msgspec.Raw] | Count | None = None
    overall_resiliency_report: _Score | None = None


class _Alerts(msgspec.Struct):
    post_chaos_alerts: list[msgspec.Raw] | None = None


class _Output(msgspec.Struct):
    telemetry: _Telemetry
    critical_alerts: _Alerts | None = None


class _Report(msgspec.Struct):
    overall_resiliency_report: _Score


_OUTPUT = msgspec.json.Decoder(_Output)
_REPORTS = msgspec.json.Decoder(_Report)


def parse(log: bytes) -> ReportedResult | None:
    """Return what krkn says in the end of a log, None where it says nothing that can be read."""
    text = _ANSI.sub(b"", log) if 0 < log.count(b"\x1b") <= _MOST_ANSI else log
    output = _last(_OUTPUT, _blocks(text))
    score = None if output is None else output.telemetry.overall_resiliency_report
    if score is None or score.resiliency_score is None:
        report = _last(_REPORTS, _reports(text))
        score = score if report is None else report.overall_resiliency_report
    if output is None and score is None:
        return None
    result = ReportedResult() if output is None else _result(output)
    if score is None:
        return result
    return msgspec.structs.replace(
        result,
        resiliency_score=score.resiliency_score,
        passed_slos=score.passed_slos,
        total_slos=score.total_slos,
    )


def _last(decoder: "msgspec.json.Decoder[T]", candidates: Iterator[bytes]) -> T | None:
    for candidate in islice(candidates, _MOST_TRIES):
        if candidate.count(b",") > _MOST_COMMAS:
            continue
        try:
            return decoder.decode(candidate)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            continue
    return None


def _blocks(text: bytes) -> Iterator[bytes]:
    """Yield what follows each marker, the last one first: no byte is in two of them."""
    end = len(text)
    for found in _markers(text, _CHAOS_DATA):
        # JSON has no line break in a text: so no marker with one is a part of it.
        if (opening := _OPENING.match(text, found + len(_CHAOS_DATA))) is None:
            continue
        begin = opening.end()
        # Indented JSON ends with the first brace at the begin of a line, other JSON with its line.
        close = text.find(b"\n}", begin, end)
        if not text.startswith((b"{\n", b"{\r\n"), begin):
            yield _line(text, begin)
        elif close >= 0:
            yield text[begin : close + 2]
        else:
            yield b""
        end = found


def _reports(text: bytes) -> Iterator[bytes]:
    return (_line(text, found + len(_REPORT)) for found in _markers(text, _REPORT))


def _markers(text: bytes, marker: bytes) -> Iterator[int]:
    end = len(text)
    for _ in range(_MOST_MARKERS):
        if (end := text.rfind(marker, 0, end)) < 0:
            return
        yield end


def _line(text: bytes, begin: int) -> bytes:
    stop = text.find(b"\n", begin)
    return text[begin : len(text) if stop < 0 else stop]


def _result(output: _Output) -> ReportedResult:
    telemetry = output.telemetry
    checks = [
        ReportedHealthCheck(url=_url(check.url), passed=check.status)
        for check in sorted(telemetry.health_checks or (), key=lambda check: check.status)[
            :MOST_HEALTH_CHECKS
        ]
    ]
    return ReportedResult(
        run_uuid=_text(telemetry.run_uuid),
        scenarios=[_scenario(each) for each in telemetry.scenarios[:MOST_SCENARIOS]],
        failed_alerts=_failed_alerts(output),
        health_checks=checks,
    )


def _scenario(said: _Scenario) -> ReportedScenario:
    pods = said.affected_pods or _Pods()
    return ReportedScenario(
        name=_text(said.scenario),
        type=_text(said.scenario_type),
        exit_status=said.exit_status,
        affected_pods=len(pods.recovered) + len(pods.unrecovered),
        affected_nodes=len(said.affected_nodes or ()),
    )


def _failed_alerts(output: _Output) -> int | None:
    """Return the number of alerts that made the run fail, None where krkn looked for none."""
    said: list[Any] | int | None = output.telemetry.failed_alerts
    if said is None and output.critical_alerts is not None:
        said = output.critical_alerts.post_chaos_alerts
    return len(said) if isinstance(said, list) else said


def _url(url: str) -> str:
    """Return a URL without what may be a credential in it: user, password, query, fragment.

    Empty without a host: there a password may be anywhere.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if not parts.netloc:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return _text(parts._replace(netloc=host, query="", fragment="").geturl())


def _text(text: str | None) -> str:
    # Longer ones are cut first: most of a MiB would only be thrown away later.
    return bounds.cut(on_one_line((text or "")[: 4 * LONGEST_TEXT]), LONGEST_TEXT)
