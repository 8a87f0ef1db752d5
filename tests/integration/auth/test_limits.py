"""What the server bears: large, many, slow and silent, and what the others feel of it meanwhile."""

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

from krkn_grpc.server import limits
from krkn_grpc.server.auth.policy import CALLS, METHODS, PUBLIC_CALLS, PUBLIC_STREAMS, Protected
from tests.integration.auth import attacks
from tests.integration.auth.callers import bearer
from tests.integration.auth.calls import call
from tests.integration.auth.conftest import Guarded
from tests.integration.auth.raw_peer import RawPeer, raw_peer
from tests.integration.auth.test_runs import register, run
from tests.support.api_proxy import Call
from tests.support.custom_objects import JOBS, collection
from tests.support.waiting import SECONDS, eventually

GET, HEALTH = "/krkn.v1.TargetService/GetTarget", "/grpc.health.v1.Health/"
EXHAUSTED, TOO_SLOW = (
    str(code.value[0]) for code in (StatusCode.RESOURCE_EXHAUSTED, StatusCode.DEADLINE_EXCEEDED)
)
TOO_LARGE = "x" * (limits.LARGEST_MESSAGE + 1)


async def assert_others_are_well(guarded: Guarded) -> None:
    """Somebody else calls again and again: no call fails."""
    runner = await guarded.callers.metadata("runner")
    target = await register(guarded)
    for _ in range(10):
        found = await call(guarded.running.channel, "ListTargets", runner)
        assert found.code is StatusCode.OK, found
        started = await run(guarded, runner, target)
        assert started.reply.successful_jobs == 1, started


async def until_refused(count: int, *peers: RawPeer) -> None:
    """Read what comes until so many calls were refused; others may have lost their place."""
    reading = [asyncio.create_task(peer.closed()) for peer in peers]

    async def refused() -> int:
        statuses = [status for peer in peers for status in peer.statuses.values()]
        assert {*statuses} <= {EXHAUSTED, TOO_SLOW}, Counter(statuses)
        return statuses.count(EXHAUSTED)

    assert await eventually(refused, lambda refused: refused >= count) == count
    for task in reading:
        task.cancel()
    await asyncio.wait(reading)


async def test_a_large_message_is_refused(guarded: Guarded) -> None:
    runner = await guarded.callers.metadata("runner")
    found = await call(guarded.running.channel, "GetTarget", runner, uuid=TOO_LARGE)
    assert found.code is StatusCode.RESOURCE_EXHAUSTED, found


async def test_a_message_of_the_largest_size_is_read(guarded: Guarded) -> None:
    runner = await guarded.callers.metadata("runner")
    largest = TOO_LARGE[: limits.LARGEST_MESSAGE - 16]
    found = await call(guarded.running.channel, "GetTarget", runner, uuid=largest)
    assert found.code is StatusCode.NOT_FOUND, found


async def test_of_a_stranger_nothing_is_received(guarded: Guarded) -> None:
    """The answer comes before the request, so its size does not matter."""
    found = await call(guarded.running.channel, "GetTarget", uuid=TOO_LARGE)
    assert found.code is StatusCode.UNAUTHENTICATED, found
    async with raw_peer(guarded.running.processes.grpc_address) as peer:
        peer.begin()
        await peer.ended(peer.open(GET))
        assert set(peer.statuses.values()) == {str(StatusCode.UNAUTHENTICATED.value[0])}


NEED_NO_NAME = [
    path for path, rule in METHODS.items() if isinstance(rule, Protected) and rule.name_of is None
]


@pytest.mark.parametrize("path", NEED_NO_NAME)
async def test_of_whoever_may_not_call_nothing_is_received(guarded: Guarded, path: str) -> None:
    nobody = await guarded.callers.metadata("nobody")
    async with raw_peer(guarded.running.processes.grpc_address) as peer:
        peer.begin()
        await peer.ended(peer.open(path, nobody))
        assert set(peer.statuses.values()) == {str(StatusCode.PERMISSION_DENIED.value[0])}


@pytest.mark.parametrize(
    ("path", "review"), [(GET, "tokenreviews"), (attacks.RUN, "subjectaccessreviews")]
)
async def test_little_is_received_while_it_is_asked_who_may_call(
    guarded: Guarded, path: str, review: str
) -> None:
    metadata = await guarded.callers.make(f"held-{uuid.uuid4().hex[:8]}", "krkn-runner")
    asked, may_go_on = asyncio.Event(), asyncio.Event()

    async def hold(seen: Call) -> None:
        if seen.path.endswith(review):
            asked.set()
            await may_go_on.wait()

    guarded.proxy.before = hold
    address = guarded.running.processes.grpc_address
    try:
        for seconds in (1.5, 10.0, 60.0):  # A busy machine may not come to ask in the first.
            sent = await attacks.half_messages(
                address, path, metadata, streams=200, seconds=seconds
            )
            if asked.is_set():
                break
    finally:
        may_go_on.set()
    assert asked.is_set()
    # What each connection may send before it has heard how much that is comes on top.
    assert 0 < sent <= 200 * limits.UNASKED + 4 * 64 * 1024


@pytest.mark.parametrize("method", ["Check", "Watch", "List"])
async def test_a_stranger_may_send_little(guarded: Guarded, method: str) -> None:
    asked: Any = guarded.running.channel.unary_stream(f"{HEALTH}{method}")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async for _ in asked(b"\x12" + b"\x00" * 5_000):
            pass
    assert refused.value.code() is StatusCode.RESOURCE_EXHAUSTED
    assert "4096 bytes" in str(refused.value.details())


async def test_a_thousand_refusals_are_some_lines_and_their_number(guarded: Guarded) -> None:
    def lines() -> list[dict[str, Any]]:
        return [line for line in guarded.events if line["event"] == "call refused"]

    nobody, before = await guarded.callers.metadata("nobody"), len(lines())
    refused = (call(guarded.running.channel, "ListTargets", nobody) for _ in range(1_000))
    codes = {found.code for found in await asyncio.gather(*refused)}
    assert codes == {StatusCode.PERMISSION_DENIED}

    async def told() -> int:
        await call(guarded.running.channel, "ListTargets", nobody)
        return sum(1 + line.get("not_logged", 0) for line in lines()[before:])

    await eventually(told, lambda told: told >= 1_000)
    assert len(lines()) - before < 800


@pytest.mark.parametrize(
    ("size", "code"),
    [(24 * 1024, StatusCode.UNAUTHENTICATED), (48 * 1024, StatusCode.RESOURCE_EXHAUSTED)],
)
async def test_headers_have_a_size(guarded: Guarded, size: int, code: StatusCode) -> None:
    for _ in range(5):  # Between two limits of gRPC's own it would be chance.
        found = await call(guarded.running.channel, "ListTargets", bearer("x" * size))
        assert found.code is code, found


async def test_a_connection_is_told_how_many_streams_it_may_have(guarded: Guarded) -> None:
    async with raw_peer(guarded.running.processes.grpc_address) as peer:
        peer.begin()
        await peer.settled()
    max_concurrent_streams = 3
    assert peer.settings[max_concurrent_streams] == 1_000


async def test_calls_that_are_opened_and_left_take_no_others_place(guarded: Guarded) -> None:
    viewer = await guarded.callers.metadata("viewer")
    address, its_share = guarded.running.processes.grpc_address, CALLS.places // 2
    async with raw_peer(address) as one, raw_peer(address) as two:
        for peer in (one, two):
            peer.begin()
            await peer.settled()
            for _ in range(1_000):
                peer.open(GET, viewer)
        beyond = 2_000 - its_share

        await until_refused(beyond, one, two)
        found = await call(guarded.running.channel, "ListTargets", viewer)
        assert found.code is StatusCode.RESOURCE_EXHAUSTED
        assert found.details == "too many calls of yours are under way"
        await assert_others_are_well(guarded)
    await eventually(
        lambda: call(guarded.running.channel, "ListTargets", viewer),
        lambda found: found.code is StatusCode.OK,
    )


async def test_strangers_that_watch_the_health_keep_nobody_from_asking_for_it(
    guarded: Guarded,
) -> None:
    async with raw_peer(guarded.running.processes.grpc_address) as peer:
        peer.begin(initial_window_size=0)
        await peer.settled()
        watches = [peer.open(f"{HEALTH}Watch") for _ in range(PUBLIC_STREAMS.places + 5)]
        for stream in watches:
            peer.finish(stream)
        await peer.ended(*watches[-5:])
        assert list(peer.statuses.values()) == [EXHAUSTED] * 5
        await eventually(
            lambda: call(guarded.running.channel, "GetHealth"),
            lambda found: found.code is StatusCode.OK,
        )
        await assert_others_are_well(guarded)


async def test_a_question_about_the_health_has_to_come_soon(guarded: Guarded) -> None:
    async with raw_peer(guarded.running.processes.grpc_address) as peer:
        peer.begin()
        await peer.settled()
        left = [peer.open(f"{HEALTH}Check") for _ in range(PUBLIC_CALLS.places)]
        await peer.ended(*left)
        # Those that found room lose it, and the others have waited long enough.
        assert {*peer.statuses.values()} == {TOO_SLOW, EXHAUSTED}, Counter(peer.statuses.values())
    stub: Any = health_pb2_grpc.HealthStub(guarded.running.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_garbage_is_no_message(guarded: Guarded) -> None:
    runner = await guarded.callers.metadata("runner")
    async with raw_peer(guarded.running.processes.grpc_address) as peer:
        peer.begin()
        stream = peer.open(GET, runner)
        peer.finish(stream, b"\xff" * 100)
        await peer.ended(stream)
    assert peer.statuses[stream] == str(StatusCode.INVALID_ARGUMENT.value[0])
    await assert_others_are_well(guarded)


@contextlib.asynccontextmanager
async def brisk_server(patience: float = 0.5) -> AsyncIterator[str]:
    """A server without a method, that pings twice a second and waits `patience`; its address."""
    options = limits.options(
        keepalive_seconds=0.5, keepalive_timeout_seconds=patience, handshake_seconds=patience
    )
    server = grpc.aio.server(options=options)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def test_a_peer_that_answers_no_ping_is_cut_off() -> None:
    async with brisk_server() as address, raw_peer(address, answers_pings=False) as peer:
        peer.begin()
        await asyncio.wait_for(peer.closed(), SECONDS)


async def test_a_peer_that_answers_pings_is_not() -> None:
    async with brisk_server(SECONDS) as address, raw_peer(address) as peer:
        peer.begin()
        closed = asyncio.create_task(peer.closed())

        async def pings() -> int:
            assert not closed.done()
            return peer.pings

        # The second comes only when the first was answered.
        await eventually(pings, lambda pings: pings >= 4)
        closed.cancel()


@pytest.mark.parametrize("said", [b"", b"PRI * HTTP/2", b"GET / HTTP/1.1\r\nHost: a\r\nA: "])
async def test_a_peer_that_never_says_what_it_wants_is_cut_off(said: bytes) -> None:
    async with brisk_server() as address:
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(said)
        while await asyncio.wait_for(reader.read(1024), SECONDS):
            pass
        writer.close()


async def test_what_is_not_known_is_told_before_the_caller_gives_up(guarded: Guarded) -> None:
    """The caller's deadline is the write's: it is told of a job that may exist, and its id."""
    target = await register(guarded)
    metadata = await guarded.callers.metadata("runner")

    async def hold(seen: Call) -> None:
        if seen.method == "POST" and seen.path == collection(JOBS, guarded.running.namespace):
            await asyncio.sleep(60)

    guarded.proxy.before = hold
    found = await run(guarded, metadata, target, seconds=6.0)
    assert found.code is StatusCode.OK, found
    [job] = found.reply.jobs
    assert (job.status, job.success) == ("Unknown", False)
    assert job.job_id
