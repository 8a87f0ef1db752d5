"""Reports of runs that a service cannot be brought to have in a test: large, hostile, cut off."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.rpc import code_pb2

from krkn_grpc.cli.reports.log_ends import MOST_LAST_WORDS
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.runs_pb2 import Run, RunTarget
from tests.rest.edge.running import Upstream
from tests.support.command import Command
from tests.support.reports import HOSTILE_LOG, RUN, a_job, moment
from tests.support.scripted import AWAY, asked, error, in_turn

REPORT = ("runs", "report", RUN, "-o", "json")


def has_run(upstream: Upstream, *jobs: pb.Job) -> None:
    """Let the service have a run with these jobs."""
    run = Run(
        run_id=RUN,
        status="Failed",
        scenario_name="s",
        start_time=moment(0),
        completion_time=moment(60),
        targets=[RunTarget(target_uuid=job.target_uuid, job_id=job.job_id) for job in jobs],
    )
    in_turn(upstream, "GetRun", run)
    in_turn(upstream, "ListScenarioRuns", pb.ListScenarioRunsResponse(jobs=jobs))


def failed(count: int) -> list[pb.Job]:
    return [a_job(number, "Failed", exit_code=1) for number in range(count)]


async def only_log(cli: Command, *options: str) -> dict[str, Any]:
    """The log in the report of a run on one target."""
    made = await cli(*REPORT, *options)
    [target] = made.json["targets"]
    log: dict[str, Any] = target["log"]
    return log


async def test_two_hundred_targets_that_all_failed(
    cli: Command, upstream: Upstream, tmp_path: Path
) -> None:
    has_run(upstream, *failed(200))
    line = b"2026-11-30 03:01:00,118 [INFO] " + b"a line of krkn's usual length, more or less\n"
    in_turn(upstream, "StreamLogs", [HttpBody(data=line * 51)])
    paths = [tmp_path / name for name in ("report.xml", "report.html", "report.md", "report.json")]
    options = [option for path in paths for option in ("--file", str(path))]
    began = time.monotonic()
    made = await cli("runs", "report", RUN, *options)
    took = time.monotonic() - began
    assert (made.code, made.out, made.err) == (0, "", "")
    shown = json.loads(paths[-1].read_text())["targets"]
    assert [(len(each["log"]["lines"]), each["log"]["isWhole"]) for each in shown] == [
        (50, False)
    ] * 200
    sizes = {path.name: path.stat().st_size for path in paths}
    # 750 KB of logs, in each form. It takes about 1 s; the machine may be busy.
    assert max(sizes.values()) < 1_500_000, sizes
    assert took < 45


async def test_a_log_is_read_in_bounded_memory(cli: Command, upstream: Upstream) -> None:
    has_run(upstream, *failed(1))
    in_turn(upstream, "StreamLogs", [HttpBody(data=b"x" * 1024 * 1024)] * 20)
    log = await only_log(cli)
    assert [len(line) for line in log["lines"]] == [2_000]
    assert not log["isWhole"]


async def test_only_so_many_lines_are_asked_for(cli: Command, upstream: Upstream) -> None:
    has_run(upstream, *failed(1))
    in_turn(upstream, "StreamLogs", [HttpBody(data=b"1\n2\n3\n")])
    assert await only_log(cli, "--lines", "2") == {
        "lines": ["2", "3"],
        "isWhole": False,
        "problem": "",
        "source": "",
    }
    [request] = asked(upstream, "StreamLogs")
    assert (request.tail_lines, request.follow) == (3 + MOST_LAST_WORDS, False)


async def test_a_log_that_is_cut_off_is_read_again(cli: Command, upstream: Upstream) -> None:
    has_run(upstream, *failed(1))
    line = HttpBody(data=b"a line\n")
    in_turn(upstream, "StreamLogs", [line, AWAY], [line, line])
    assert (await only_log(cli))["lines"] == ["a line", "a line"]


@pytest.mark.parametrize(
    ("code", "said", "count"),
    [
        (code_pb2.NOT_FOUND, "the log is gone with the job's pod", 3),
        # Once more with a token that may be newer, and not of each job.
        (code_pb2.PERMISSION_DENIED, "you may not get krknchaosjobs/log", 2),
    ],
)
async def test_a_log_that_cannot_be_read_is_no_error_of_the_report(
    cli: Command, upstream: Upstream, code: code_pb2.Code, said: str, count: int
) -> None:
    has_run(upstream, *failed(3))
    upstream.fails("StreamLogs", error(code, said))
    made = await cli(*REPORT)
    assert (made.code, made.line) == (0, f"Not all logs are in the report: {said}")
    assert [each["log"]["problem"] for each in made.json["targets"]] == [said] * 3
    assert len(asked(upstream, "StreamLogs")) == count


async def test_no_log_is_asked_for_that_is_not_wanted(cli: Command, upstream: Upstream) -> None:
    ran, refused = a_job(0, "Succeeded"), a_job(1, "Failed", start=None)
    has_run(upstream, ran, refused)
    for options, count in (([], 0), (["--logs", "all"], 1), (["--logs", "none"], 0)):
        upstream.calls.clear()
        assert (await cli(*REPORT, *options)).code == 0
        assert len(asked(upstream, "StreamLogs")) == count


async def test_what_a_scenario_printed_is_shown_as_text(cli: Command, upstream: Upstream) -> None:
    def chunks(_: object, __: grpc.ServicerContext) -> Iterator[HttpBody]:
        for at in range(0, len(HOSTILE_LOG), 7):
            yield HttpBody(data=HOSTILE_LOG[at : at + 7])

    has_run(upstream, *failed(1))
    upstream.on("StreamLogs", chunks)
    first, *_, last = (await only_log(cli))["lines"]
    assert "\x1b" not in first
    assert first.endswith("evil")
    assert last == "\ufffd\ufffd"


async def test_a_refused_call_is_told_as_always(cli: Command, upstream: Upstream) -> None:
    upstream.fails("GetRun", error(code_pb2.PERMISSION_DENIED, "you may not get krknchaosruns"))
    made = await cli(*REPORT)
    assert made.code == 3
    assert "you may not get krknchaosruns" in json.loads(made.line)["message"]
