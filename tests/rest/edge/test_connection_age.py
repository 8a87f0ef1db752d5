"""Old connections are left without a call being cut, so that clients come to new pods."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import hpack
import httpx
import pytest
from hyperframe.frame import Frame, GoAwayFrame, HeadersFrame, SettingsFrame

from krkn_grpc.v1 import scenario_runs_pb2 as runs
from krkn_grpc.v1 import scenario_runs_pb2_grpc as runs_grpc
from tests.rest.edge.running import LOOPBACK, SECONDS, Door, eventually, open_door

AGE = 1
CONNECTIONS = 3
"""That a client is to have had, one after another."""

LIST = "/api/v1/scenarios/run"
WATCH = f"{LIST}:watch"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    left = threading.Event()

    def ticks(_: object, context: grpc.ServicerContext) -> Iterator[runs.WatchScenarioRunsResponse]:
        context.add_callback(left.set)
        number = 0
        while context.is_active() and not left.wait(0.05):
            yield runs.WatchScenarioRunsResponse(type="ADDED", resume_token=str(number))
            number += 1

    admin = tmp_path / "admin.sock"
    with open_door(tmp_path, max_connection_seconds=AGE, envoy_admin_socket=admin) as opened:
        opened.upstream.on("WatchScenarioRuns", ticks)
        yield opened
        left.set()


def had(door: Door) -> int:
    """Connections there have been so far."""
    admin = httpx.HTTPTransport(uds=str(door.settings.envoy_admin_socket))
    with httpx.Client(transport=admin) as client:
        said = client.get("http://admin/stats?filter=^http.edge.downstream_cx_total$").text
    return int(said.split()[-1])


def until_it_has_moved(door: Door, call: Callable[[], object]) -> None:
    """Call until the client has had new connections several times; each call must succeed."""
    began, first = time.monotonic(), had(door)

    def has_moved() -> bool:
        call()
        return had(door) >= first + CONNECTIONS

    eventually(has_moved)
    # It was left at its age, and not after each call.
    assert time.monotonic() - began > (CONNECTIONS - 1) * AGE


def test_rest(door: Door) -> None:
    with door.client() as client:
        until_it_has_moved(door, lambda: client.get(LIST).raise_for_status())


def frames(peer: socket.socket) -> Iterator[Frame]:
    """The frames of HTTP/2 that arrive."""
    with peer.makefile("rb") as received:
        while head := received.read(9):
            frame, length = Frame.parse_frame_header(memoryview(head))
            frame.parse_body(memoryview(received.read(length)))
            yield frame


def test_http2_is_told_before_calls_are_not_taken(door: Door) -> None:
    # Without a library: those for Python take nothing any more that comes after GOAWAY.
    names = [(":method", "GET"), (":path", LIST), (":scheme", "http"), (":authority", "x")]
    encoder, decoder = hpack.Encoder(), hpack.Decoder()

    def call(stream: int) -> None:
        head = HeadersFrame(stream, encoder.encode(names), flags=["END_HEADERS", "END_STREAM"])
        peer.sendall(head.serialize())

    with socket.create_connection((LOOPBACK, door.settings.rest_port), SECONDS) as peer:
        peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame(0).serialize())
        last_streams, stream, called_after = list[int](), 1, 0
        call(stream)
        for frame in frames(peer):
            if isinstance(frame, GoAwayFrame):
                last_streams.append(frame.last_stream_id)
            elif isinstance(frame, HeadersFrame):
                headers = dict(decoder.decode(frame.data, raw=True))
                # The second are the trailers.
                assert headers.get(b":status") == b"200" or b"krkn-complete" in headers
            if frame.stream_id == stream and "END_STREAM" in frame.flags:
                called_after += len(last_streams)
                if called_after > 1:
                    break
                stream += 2
                call(stream)
    # The first GOAWAY excludes no call, so that none is lost that is on its way.
    assert last_streams == [2**31 - 1]


def test_a_watch_of_rest_goes_on_over_the_age_of_its_connection(door: Door) -> None:
    with door.client() as client, client.stream("GET", WATCH) as response:
        lines, began, number = response.iter_lines(), time.monotonic(), 0
        while time.monotonic() < began + 4 * AGE:
            assert f'"resumeToken":"{number}"' in next(lines)
            number += 1


def test_grpc_with_a_watch_on_the_way(door: Door) -> None:
    with door.channel() as channel:
        stub: Any = runs_grpc.ScenarioRunServiceStub(channel)
        watch = stub.WatchScenarioRuns(runs.WatchScenarioRunsRequest())
        tokens = (change.resume_token for change in watch)
        assert next(tokens) == "0"
        until_it_has_moved(door, lambda: stub.ListScenarioRuns(runs.ListScenarioRunsRequest()))
        # The watch is still the first, on the first connection.
        assert [next(tokens) for _ in range(40)] == [str(number) for number in range(1, 41)]
        watch.cancel()


async def test_asyncio(door: Door) -> None:
    async with grpc.aio.insecure_channel(door.address) as channel:
        stub: Any = runs_grpc.ScenarioRunServiceStub(channel)
        watch = stub.WatchScenarioRuns(runs.WatchScenarioRunsRequest())
        assert (await watch.read()).resume_token == "0"
        first, end = await asyncio.to_thread(had, door), time.monotonic() + SECONDS
        while await asyncio.to_thread(had, door) < first + CONNECTIONS:
            assert time.monotonic() < end, "it stays on its connection"
            await stub.ListScenarioRuns(runs.ListScenarioRunsRequest())
            await asyncio.sleep(0.01)
        for number in range(1, 41):
            assert (await watch.read()).resume_token == str(number)
        watch.cancel()
