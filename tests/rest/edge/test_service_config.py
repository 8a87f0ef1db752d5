"""The published service config: retries where they are safe, and all replicas in turn."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from deploy.local.processes.ports import free_port
from docs import service_config
from krkn_grpc.client.address import Address, Certificates, open_channel
from krkn_grpc.client.errors import from_call, was_not_sent
from krkn_grpc.v1 import scenario_runs_pb2 as runs
from krkn_grpc.v1 import targets_pb2 as targets
from krkn_grpc.v1 import targets_pb2_grpc
from tests.rest.edge.running import (
    LOOPBACK,
    SECONDS,
    SERVICES,
    Door,
    Upstream,
    eventually,
    open_door,
)

JOB = "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"
CONFIG = service_config.PAGE.read_text()
NOT_REPEATED = {
    "CheckTarget",
    "CreateHalt",
    "CreateTarget",
    "DeleteDiscovery",
    "DeleteHalt",
    "DeleteTarget",
    # With its id it could be; without one the service does not refuse it.
    "DiscoverTargets",
    "PatchTarget",
    "ReceiveAlerts",
    "StopRun",
    "StopScenarioRun",
    "UpdateTarget",
}


def channel_of(*doors: Door) -> grpc.Channel:
    """A channel as a client of any language has it: the config, and a name with these addresses."""
    target = "ipv4:" + ",".join(door.address for door in doors)
    return grpc.insecure_channel(target, [("grpc.service_config", CONFIG)])


def fails_at_first(upstream: Upstream, method: str, reply: Any) -> None:
    """Answer a method with UNAVAILABLE twice, and then with `reply`."""

    def answer(_: object, context: grpc.ServicerContext) -> Any:
        if sum(call.method == method for call in upstream.calls) < 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        return reply

    upstream.on(method, answer)


def call(channel: grpc.Channel, method: str, request: Any) -> bytes:
    make: Any = channel.unary_unary(f"/krkn.v1.{method}", type(request).SerializeToString, bytes)
    reply: bytes = make(request, timeout=SECONDS)
    return reply


@pytest.mark.parametrize(
    ("method", "request_", "reply"),
    [
        ("TargetService/ListTargets", targets.ListTargetsRequest(), targets.ListTargetsResponse()),
        (
            "ScenarioRunService/RunScenario",
            runs.RunScenarioRequest(target_uuids=[JOB], request_id=JOB),
            runs.RunScenarioResponse(),
        ),
    ],
    ids=["a read", "a run with its requestId"],
)
def test_it_is_repeated(
    upstream: Upstream, door: Door, method: str, request_: Any, reply: Any
) -> None:
    fails_at_first(upstream, method.partition("/")[2], reply)
    with channel_of(door) as channel:
        call(channel, method, request_)
    assert [each.request for each in upstream.calls] == [request_] * 3
    # By this the server refuses to repeat a call that has no id.
    assert [each.metadata.get("krkn-is-retry") for each in upstream.calls] == [None, "true", "true"]


def test_other_writes_are_not(upstream: Upstream, door: Door) -> None:
    fails_at_first(upstream, "CreateTarget", targets.CreateTargetResponse())
    with channel_of(door) as channel, pytest.raises(grpc.RpcError) as caught:
        call(channel, "TargetService/CreateTarget", targets.CreateTargetRequest())
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert len(upstream.calls) == 1


def test_every_method_is_thought_of() -> None:
    [rule] = json.loads(CONFIG)["methodConfig"]
    repeated = {(name["service"], name["method"]) for name in rule["name"]}
    everything = {(each.full_name, m.name) for each in SERVICES for m in each.methods}
    assert {method for _, method in everything - repeated} <= NOT_REPEATED
    assert not {method for _, method in repeated} & NOT_REPEATED


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Door]:
    """Another replica."""
    with open_door(tmp_path) as opened:
        yield opened


def test_replicas_are_called_in_turn(upstream: Upstream, door: Door, other: Door) -> None:
    with channel_of(door, other) as channel:

        def ask() -> bool:
            call(channel, "TargetService/ListTargets", targets.ListTargetsRequest())
            return bool(upstream.calls and other.upstream.calls)

        eventually(ask)
        other.process.terminate()
        other.process.wait(SECONDS)
        # Reads that were on their way to it are repeated at the others.
        for _ in range(20):
            ask()


async def test_our_client_has_the_same_and_repeats_by_itself(
    upstream: Upstream, door: Door, other: Door
) -> None:
    to = Address(f"ipv4:{door.address},{other.address}", uses_tls=False)
    async with open_channel(to, Certificates(), "test") as channel:
        stub: Any = targets_pb2_grpc.TargetServiceStub(channel)
        while not (upstream.calls and other.upstream.calls):
            await stub.ListTargets(targets.ListTargetsRequest(), timeout=SECONDS)
        for each in (upstream, other.upstream):
            each.reset()
            fails_at_first(each, "ListTargets", targets.ListTargetsResponse())
        with pytest.raises(grpc.RpcError):
            await stub.ListTargets(targets.ListTargetsRequest(), timeout=SECONDS)
    assert len(upstream.calls) + len(other.upstream.calls) == 1


async def test_a_call_without_a_connection_was_not_sent() -> None:
    to = Address(f"{LOOPBACK}:{free_port()}", uses_tls=False)
    async with open_channel(to, Certificates(), "test") as channel:
        stub: Any = targets_pb2_grpc.TargetServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            await stub.ListTargets(targets.ListTargetsRequest(), timeout=SECONDS)
    assert was_not_sent(from_call(caught.value, "x"))
