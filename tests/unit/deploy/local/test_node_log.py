"""The log of the fake node's containers follows from the pod, and grows as the scenario runs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.results.parse import parse
from deploy.local.fake_node import log

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AT = "2026-01-02T03:04:05Z"
RUNNING = {"running": {"startedAt": AT}}
ENDED = {"terminated": {"startedAt": AT, "finishedAt": "2026-01-02T03:04:07Z", "exitCode": 3}}
HEAD = [
    "scenario pods starts on target t",
    "image krkn-hub:x",
    "this is the local cluster: nothing runs here, and nothing is harmed",
]


def a_pod(state: dict[str, Any] | None, image: str = "krkn-hub:x") -> dict[str, Any]:
    statuses = [] if state is None else [{"name": "scenario", "state": state}]
    return {
        "metadata": {
            "name": "p",
            "labels": {"krkn-scenario-name": "pods", "krkn-target-uuid": "t"},
        },
        "spec": {"containers": [{"name": "scenario", "image": image}]},
        "status": {"containerStatuses": statuses},
    }


def read(pod: dict[str, Any], seconds: float = 0) -> log.ContainerLog:
    return log.read(pod, "scenario", BEGAN + timedelta(seconds=seconds))


def lines(log: log.ContainerLog) -> list[log.Line]:
    return log.lines.part(0, 1000)


def texts(log: log.ContainerLog) -> list[str]:
    return [line.text for line in lines(log)]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (None, "ContainerCreating"),
        ({}, "ContainerCreating"),
        ({"waiting": {"reason": "ErrImagePull"}}, "ErrImagePull"),
    ],
)
def test_what_has_not_started_waits(state: dict[str, Any] | None, reason: str) -> None:
    log = read(a_pod(state))
    assert (lines(log), log.is_whole, log.waiting) == ([], False, reason)


def test_it_grows_while_the_scenario_runs() -> None:
    assert texts(read(a_pod(RUNNING))) == HEAD
    assert texts(read(a_pod(RUNNING), 1.9)) == [*HEAD, "the scenario runs for 1 s"]
    assert not read(a_pod(RUNNING), 1.9).is_whole


def test_it_ends_with_the_scenario_whenever_it_is_read() -> None:
    seconds = [f"the scenario runs for {second} s" for second in (1, 2)]
    for later in (2, 3600):
        log = read(a_pod(ENDED), later)
        *said, last = texts(log)
        assert said[: len(HEAD) + 2] == [*HEAD, *seconds]
        assert "Chaos data:" in said[len(HEAD) + 2]
        assert last == "the scenario ended with exit code 3"
        assert log.is_whole


def test_what_is_read_earlier_is_how_it_begins_later() -> None:
    whole = lines(read(a_pod(ENDED)))
    for moment in range(3):
        begin = lines(read(a_pod(RUNNING), moment))
        assert begin == whole[: len(begin)]


def test_parts_make_the_whole() -> None:
    log = read(a_pod(ENDED, "krkn-hub:logs-5-lines-result-none")).lines
    assert len(log) == 3 + 5 + 2 + 1
    for size in (1, 4, 11, 12):
        parts = [log.part(start, size) for start in range(0, len(log), size)]
        assert [line for part in parts for line in part] == log.part(0, 100)
    assert log.part(11, 5) == []


def test_images_ask_for_more_or_nothing() -> None:
    many = texts(read(a_pod(RUNNING, "krkn-hub:logs-3-lines")))[3:]
    assert [line.split()[:2] for line in many] == [["line", "1"], ["line", "2"], ["line", "3"]]
    silent = read(a_pod(ENDED, "krkn-hub:logs-nothing"))
    assert (lines(silent), silent.is_whole, silent.waiting) == ([], True, "")
    assert log.is_cut(a_pod(RUNNING, "krkn-hub:log-is-cut"))
    assert not log.is_cut(a_pod(RUNNING))


def test_a_container_that_never_started_has_ended_all_the_same() -> None:
    ended = {"terminated": {"exitCode": 137, "finishedAt": AT}}
    log = read(a_pod(ended))
    assert (lines(log), log.is_whole, log.waiting) == ([], True, "")


def test_lines_are_as_a_kubelet_sends_them() -> None:
    line = log.Line(BEGAN, "text")
    assert line.encoded(timestamps=False) == b"text\n"
    assert line.encoded(timestamps=True) == b"2026-01-02T03:04:05.000000000Z text\n"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        pytest.param("krkn-hub:x", ("the-run", 61), id="as krkn prints it"),
        pytest.param("krkn-hub:result-none", None, id="nothing"),
        pytest.param("krkn-hub:result-cut", None, id="cut"),
        pytest.param("krkn-hub:result-forged", ("the-run", 61), id="forged before"),
    ],
)
def test_what_krkn_says_at_its_end(image: str, expected: tuple[str, float] | None) -> None:
    pod = a_pod(ENDED, image)
    pod["spec"]["containers"][0]["env"] = [{"name": "UUID", "value": "the-run"}]
    told = b"".join(line.encoded(timestamps=False) for line in lines(read(pod)))
    found = parse(told)
    assert (found and (found.run_uuid, found.resiliency_score)) == expected


def test_who_is_killed_says_nothing_at_its_end() -> None:
    killed = {"terminated": {**ENDED["terminated"], "exitCode": 143}}
    assert texts(read(a_pod(killed)))[-1] == "the scenario ended with exit code 143"
    assert not any("Chaos data" in text for text in texts(read(a_pod(killed))))
