"""A run that is sent, and of which it is not known what became of it."""

import asyncio
import signal
import socket
import threading
from collections.abc import Awaitable, Callable

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2

from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.runs_pb2 import Run, RunCounts
from tests.integration.cli.scripted.conftest import WAIT
from tests.rest.edge.running import Upstream
from tests.support.command import Command
from tests.support.scripted import (
    AWAY,
    RUN,
    asked,
    error,
    in_turn,
    run_reply,
)
from tests.support.waiting import eventually


async def test_a_run_is_sent_again_as_it_was(cli: Command, upstream: Upstream) -> None:
    in_turn(upstream, "RunScenario", AWAY, error(code_pb2.DEADLINE_EXCEEDED), run_reply())
    ran = await cli(*WAIT[:-1])
    assert (ran.code, ran.out) == (0, f"1 job started (run {RUN})\n")
    assert ran.err.splitlines()[0] == "said; trying again, Ctrl-C ends it"
    first, second, third = asked(upstream, "RunScenario")
    assert first == second == third
    assert first.request_id


async def test_jobs_of_which_nobody_knows_are_asked_for_again(
    cli: Command, upstream: Upstream
) -> None:
    in_turn(upstream, "RunScenario", run_reply("Unknown"), run_reply())
    assert (await cli(*WAIT[:-1])).code == 0
    first, second = asked(upstream, "RunScenario")
    assert first == second

    in_turn(upstream, "RunScenario", run_reply("Unknown"))
    unknown = await cli(*WAIT[:-1])
    assert unknown.code == 1
    assert unknown.out == f"0 jobs started, 1 not known yet (run {RUN})\n"
    assert f"--request-id {asked(upstream, 'RunScenario')[-1].request_id}" in unknown.err


async def test_a_refusal_says_nothing_of_the_attempt_before_it(
    cli: Command, upstream: Upstream
) -> None:
    for before in (AWAY, run_reply("Unknown")):
        in_turn(upstream, "RunScenario", before, error(code_pb2.PERMISSION_DENIED))
        refused = await cli(*WAIT[:-1])
        assert refused.code == 3
        *_, hint, said = refused.err.splitlines()
        assert f"--request-id {asked(upstream, 'RunScenario')[-1].request_id}" in hint
        assert said == "Error: said"


@pytest.mark.parametrize("choice", ["stop", "leave"])
async def test_a_run_that_is_interrupted_before_its_reply(
    cli: Command, upstream: Upstream, choice: str
) -> None:
    is_over = threading.Event()

    def reply(_: object, __: grpc.ServicerContext) -> Message:
        if len(asked(upstream, "RunScenario")) == 1:
            is_over.wait(30)
        return run_reply()

    upstream.on("RunScenario", reply)
    in_turn(upstream, "StopRun", Run(run_id=RUN, counts=RunCounts(total=1)))
    try:
        async with cli.start(*WAIT, "--on-interrupt", choice) as command:
            await eventually(_is_asked(upstream))
            command.process.send_signal(signal.SIGTERM)
            ended = await command.ended()
    finally:
        is_over.set()
    assert ended.code == 143, ended
    sent = asked(upstream, "RunScenario")
    if choice == "stop":
        assert (sent[0], [each.run_id for each in asked(upstream, "StopRun")]) == (sent[1], [RUN])
        assert ended.line == f"Stopping 1 job of run {RUN}."
    else:
        assert (len(sent), asked(upstream, "StopRun")) == (1, [])
        assert f"--request-id {sent[0].request_id}" in ended.line


async def test_a_rerun_that_is_interrupted_after_its_reply_is_stopped(
    cli: Command, upstream: Upstream
) -> None:
    is_over, is_asked = threading.Event(), threading.Event()

    def reply(_: object, __: grpc.ServicerContext) -> Message:
        is_asked.set()
        is_over.wait(30)
        return pb.ListScenarioRunsResponse()

    in_turn(upstream, "RerunRun", run_reply())
    upstream.on("ListScenarioRuns", reply)
    in_turn(upstream, "StopRun", Run(run_id=RUN, counts=RunCounts(total=1)))
    try:
        rerun = ("runs", "rerun", RUN, "--wait", "--on-interrupt", "stop")
        async with cli.start(*rerun) as command:
            assert await asyncio.to_thread(is_asked.wait, 30)
            command.process.send_signal(signal.SIGTERM)
            ended = await command.ended()
    finally:
        is_over.set()
    assert (ended.code, ended.err) == (143, f"Stopping 1 job of run {RUN}.\n")


@pytest.mark.parametrize("choice", ["stop", "leave"])
async def test_an_interrupt_of_a_run_that_was_never_sent_does_not_start_it(
    upstream: Upstream, choice: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with Command(f"127.0.0.1:{port}").start(*WAIT, "--on-interrupt", choice) as command:
        assert (await command.error_line()).endswith("trying again, Ctrl-C ends it")
        command.process.send_signal(signal.SIGTERM)
        assert await command.error_line() == "Nothing was started."
        # It is there again, and nothing is sent to it.
        server = upstream.serve(port)
        try:
            ended = await command.ended()
        finally:
            server.stop(grace=None).wait()
    assert (ended.code, upstream.calls) == (143, [])


def _is_asked(upstream: Upstream) -> Callable[[], Awaitable[bool]]:
    async def is_asked() -> bool:
        return bool(asked(upstream, "RunScenario"))

    return is_asked
