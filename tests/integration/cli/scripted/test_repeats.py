"""What the command makes of what a service may say, told by one that says just that."""

import grpc
import pytest
from google.api import httpbody_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2

from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1 import targets_pb2
from krkn_grpc.v1.runs_pb2 import ListRunsResponse, Run
from tests.integration.cli.scripted.conftest import WAIT
from tests.rest.edge.running import Upstream
from tests.support.command import Command
from tests.support.scripted import (
    AWAY,
    JOB,
    RUN,
    TARGET,
    asked,
    ended,
    error,
    in_turn,
    run_reply,
    told,
)

ADD = ("targets", "add", "--name", "a", "--api-url", "https://a", "--token-file", "-")


TOO_OLD = error(code_pb2.OUT_OF_RANGE)
PRESENT = [told("ADDED", "Pending"), told("SYNCED", token="t1")]


async def test_a_registration_is_sent_again_only_where_nothing_was_done(
    cli: Command, upstream: Upstream
) -> None:
    in_turn(upstream, "CreateTarget", AWAY)
    lost = await cli(*ADD, given="t")
    assert (lost.code, lost.line) == (4, "Error: said")
    assert len(asked(upstream, "CreateTarget")) == 1

    nothing_done = error(code_pb2.UNAVAILABLE, "said", error_details_pb2.RetryInfo())
    done = targets_pb2.CreateTargetResponse(uuid=TARGET)
    in_turn(upstream, "CreateTarget", nothing_done, done)
    assert (await cli(*ADD, given="t")).out.strip() == TARGET


@pytest.mark.parametrize(
    ("streams", "tokens"),
    [
        pytest.param(
            [[*PRESENT, told("MODIFIED", "Running", "t2"), AWAY], [told("MODIFIED", "Succeeded")]],
            ["", "t2"],
            id="resumed after a cut",
        ),
        pytest.param(
            [[*PRESENT, told("MODIFIED", "Running", "t2")], [told("MODIFIED", "Succeeded")]],
            ["", "t2"],
            id="resumed after an end without ERROR",
        ),
        pytest.param(
            [[*PRESENT, told("MODIFIED", "Running"), AWAY], [told("MODIFIED", "Succeeded")]],
            ["", "t1"],
            id="resumed with the last token that there was",
        ),
        pytest.param(
            [[*PRESENT, ended(8)], [told("MODIFIED", "Succeeded")]],
            ["", "t1"],
            id="resumed when it read too slowly",
        ),
        pytest.param(
            [[*PRESENT, ended(11)], [told("ADDED", "Succeeded"), told("SYNCED")]],
            ["", ""],
            id="begun anew when it is told to",
        ),
        pytest.param(
            [[*PRESENT, AWAY], [TOO_OLD], [told("ADDED", "Succeeded"), told("SYNCED")]],
            ["", "t1", ""],
            id="begun anew when the token is too old",
        ),
        pytest.param(
            [[told("ADDED", "Pending"), AWAY], [told("ADDED", "Succeeded"), told("SYNCED")]],
            ["", ""],
            id="begun anew when it was cut before all was told",
        ),
    ],
)
async def test_a_watch_goes_on(
    cli: Command, upstream: Upstream, streams: list[list[Message]], tokens: list[str]
) -> None:
    in_turn(upstream, "RunScenario", run_reply())
    in_turn(upstream, "WatchScenarioRuns", *streams)
    waited = await cli(*WAIT)
    assert waited.code == 0, waited
    assert [each.resume_token for each in asked(upstream, "WatchScenarioRuns")] == tokens


async def test_a_watch_that_is_refused_ends(cli: Command, upstream: Upstream) -> None:
    in_turn(upstream, "RunScenario", run_reply())
    in_turn(upstream, "WatchScenarioRuns", [*PRESENT, ended(7)])
    refused = await cli(*WAIT)
    assert refused.code == 3
    assert refused.err.splitlines() == [
        f"Run: {RUN}",
        f"The jobs go on. To stop them: krkn-grpc runs stop {RUN}",
        "Error: it ended",
    ]


@pytest.mark.parametrize(
    ("looked_up", "code", "status"),
    [
        pytest.param(error(code_pb2.NOT_FOUND), 1, "Deleted", id="gone"),
        pytest.param(pb.Job(job_id=JOB, status="Succeeded"), 0, "Succeeded", id="there after all"),
    ],
)
@pytest.mark.parametrize(
    "stream",
    [
        pytest.param([told("SYNCED", token="t1")], id="never seen"),
        pytest.param([*PRESENT, told("DELETED", "Running", "t2")], id="told as deleted"),
        pytest.param([*PRESENT, ended(11)], id="not there any more when begun anew"),
    ],
)
async def test_a_job_that_a_watch_misses_is_looked_up(
    cli: Command,
    upstream: Upstream,
    stream: list[Message],
    looked_up: Message,
    code: int,
    status: str,
) -> None:
    in_turn(upstream, "RunScenario", run_reply())
    in_turn(upstream, "WatchScenarioRuns", stream, [told("SYNCED", token="t2")])
    in_turn(upstream, "GetScenarioRunStatus", looked_up)
    waited = await cli(*WAIT, "-o", "json")
    assert waited.code == code
    assert [job["status"] for job in waited.json["jobs"]] == [status]


async def test_a_run_that_is_not_found_keeps_no_other_running(
    cli: Command, upstream: Upstream
) -> None:
    in_turn(upstream, "ListRuns", ListRunsResponse())
    in_turn(upstream, "StopRun", Run(run_id=RUN))
    in_turn(upstream, "ListScenarioRuns", pb.ListScenarioRunsResponse())
    stopped = await cli("stop", "--run", "abcdef", "--run", RUN)
    assert stopped.code == 3
    assert stopped.line == "Error: abcdef: there is no run whose id ends with 'abcdef'"
    assert [each.run_id for each in asked(upstream, "StopRun")] == [RUN]


async def test_reads_send_the_revision_of_the_write_before(
    cli: Command, upstream: Upstream
) -> None:
    def reply(_: object, context: grpc.ServicerContext) -> Message:
        context.send_initial_metadata((("krkn-revision", "krknchaosjobs.42"),))
        return run_reply()

    upstream.on("RunScenario", reply)
    in_turn(upstream, "WatchScenarioRuns", [told("ADDED", "Succeeded"), told("SYNCED")])
    assert (await cli(*WAIT)).code == 0
    [watch] = [call for call in upstream.calls if call.method == "WatchScenarioRuns"]
    assert watch.metadata["krkn-revision"] == "krknchaosjobs.42"


async def test_targets_are_watched_and_not_asked_for_again(
    cli: Command, upstream: Upstream
) -> None:
    listed = targets_pb2.Target(uuid=TARGET, cluster_name="a", reason="Unreachable")
    ready = targets_pb2.Target(uuid=TARGET, cluster_name="a", ready=True)
    watched = targets_pb2.WatchTargetsResponse
    in_turn(upstream, "ListTargets", targets_pb2.ListTargetsResponse(targets=[listed]))
    stream: list[Message] = [
        watched(type="ADDED", target=listed),
        watched(type="SYNCED", resume_token="t1"),
    ]
    in_turn(upstream, "WatchTargets", [*stream, AWAY], [watched(type="MODIFIED", target=ready)])
    waited = await cli("targets", "wait", TARGET)
    assert (waited.code, waited.line) == (0, "1 target ready.")
    assert len(asked(upstream, "ListTargets")) == 1
    assert [each.resume_token for each in asked(upstream, "WatchTargets")] == ["", "t1"]

    in_turn(upstream, "WatchTargets", stream)
    late = await cli("targets", "wait", TARGET, "--timeout", "1")
    assert late.code == 1
    assert late.err.splitlines()[0].startswith(f"{TARGET}  Unreachable")


async def test_a_log_is_printed_as_it_comes(cli: Command, upstream: Upstream) -> None:
    whole = "grün\n".encode()
    chunks: list[Message] = [httpbody_pb2.HttpBody(data=part) for part in (whole[:3], whole[3:])]
    in_turn(upstream, "StreamLogs", AWAY, chunks)
    shown = await cli("logs", JOB, "--tail", "0", "--timestamps")
    assert (shown.code, shown.out) == (0, "grün\n")
    assert asked(upstream, "StreamLogs")[-1] == pb.StreamLogsRequest(
        job_id=JOB, tail_lines=0, timestamps=True
    )

    in_turn(upstream, "StreamLogs", [*chunks, AWAY])
    cut = await cli("logs", JOB, "--follow")
    assert (cut.code, cut.out, cut.line) == (4, "grün\n", "Error: said")


async def test_violations_that_were_not_listed_are_mentioned(
    cli: Command, upstream: Upstream
) -> None:
    bad = error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field=f"f{number}", description="is bad")
            for number in range(20)
        ]
    )
    in_turn(upstream, "RunScenario", error(code_pb2.INVALID_ARGUMENT, "f0: is bad (and 24)", bad))
    refused = await cli(*WAIT)
    assert refused.code == 3
    assert refused.line.startswith("Error: f0: is bad; f1: is bad; ")
    assert refused.line.endswith("; f19: is bad; and more")


async def test_what_comes_from_elsewhere_is_no_markup_and_moves_no_terminal(
    cli: Command, upstream: Upstream
) -> None:
    job = pb.Job(job_id=JOB, scenario_name="[red]a[/red]", message="b\x1b[2Jc\nd")
    in_turn(upstream, "ListScenarioRuns", pb.ListScenarioRunsResponse(jobs=[job]))
    listed = await cli("jobs", "list")
    assert "[red]a[/red]" in listed.out
    wide = await cli("jobs", "list", "-o", "wide")
    assert wide.out.rstrip().endswith("b [2Jc d")
    said = "e\x1b]0;f\x07g\u202eh"
    for method in ("ListScenarioRuns", "StopScenarioRun"):
        in_turn(upstream, method, error(code_pb2.PERMISSION_DENIED, said))
    assert (await cli("jobs", "list")).line == "Error: e ]0;f g h"
    assert (await cli("stop", JOB)).line == f"Error: {JOB}: e ]0;f g h"
    in_turn(upstream, "RunScenario", pb.RunScenarioResponse(message=said, jobs=run_reply().jobs))
    assert (await cli(*WAIT[:-1])).err.splitlines()[0] == "e ]0;f g h"
