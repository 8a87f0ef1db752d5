"""The client in Go has the published service config, and repeats by it what is safe to repeat."""

from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message

from krkn_grpc.v1 import scenario_runs_pb2, targets_pb2
from tests.rest.edge.running import Door, open_door
from tests.support.client_programs import go_quickstart

TARGET = "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"


def fails(door: Door, method: str, times: int, reply: Message) -> None:
    """Answer a method with UNAVAILABLE so many times, and then with `reply`."""

    def answer(_: object, context: grpc.ServicerContext) -> Message:
        if sum(call.method == method for call in door.upstream.calls) <= times:
            context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        return reply

    door.upstream.on(method, answer)


@pytest.mark.parametrize("times", [2, 4], ids=["it comes back", "it stays away"])
async def test_go_repeats_reads_and_runs(client_packages: None, tmp_path: Path, times: int) -> None:
    listed = targets_pb2.ListTargetsResponse(targets=[targets_pb2.Target(uuid=TARGET)])
    with open_door(tmp_path) as door:
        fails(door, "ListTargets", 2, listed)
        fails(door, "RunScenario", times, scenario_runs_pb2.RunScenarioResponse())
        ended = await go_quickstart().run(KRKN_SERVER=door.address)
    lists, runs = (
        [call for call in door.upstream.calls if call.method == method]
        for method in ("ListTargets", "RunScenario")
    )
    assert len(lists) == 3
    # As often as the config says; then the caller is told.
    assert (ended.code, len(runs)) == ((0, 3) if times == 2 else (1, 4)), ended
    assert len({call.request.request_id for call in runs}) == 1
    assert [call.metadata.get("krkn-is-retry") for call in runs] == [
        None,
        *["true"] * (len(runs) - 1),
    ]
