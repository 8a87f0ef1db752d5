"""How long one RunScenario takes over 1 to 1,000 targets, by gRPC and by REST.

The bare loop creates as many of the same resources, 32 at once. The controller is stopped: it
would work on our jobs and not on those of the bare loop.
"""

import dataclasses
import time
from typing import Any

import grpc.aio
import msgspec
from google.protobuf.json_format import MessageToDict

from deploy.local.services import CONTROLLER, SERVER
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bare import Bare, bare, each
from tests.bench.bench import Bench
from tests.bench.clearing import clear
from tests.bench.example import Example, request
from tests.bench.row import Goal, Row
from tests.bench.turns import in_turn, rounds_over
from tests.support.accounts import make_account
from tests.support.custom_objects import JOBS, collection
from tests.support.running import Wanted, running

GROUP = "submit"
_COUNTS = (1, 10, 100, 1000)
_MANY = 100
_AT_ONCE = 32
_GOAL = Goal(0.80, "at least")


_CALLER = "bench-caller"
_AUDIENCE = "krkn-grpc"


async def measure(bench: Bench) -> list[Row]:
    """Measure each number of targets."""
    counts = [count for count in _COUNTS if count <= bench.most]
    await bench.targets.first(max(counts))
    rows: list[Row] = []
    await bench.services.child(CONTROLLER).stop()
    try:
        async with bare(bench, bench.bare_namespace, SERVER) as loop:
            await _measure(bench, loop, min(_MANY, bench.most), rounds=1)  # warms up
            for count in counts:
                rows += await _measure(bench, loop, count, rounds_over(count, bench.rounds))
            rows += await _with_tokens(bench, loop)
    finally:
        bench.services.start_again(CONTROLLER)
        await bench.services.ready()
    return rows


async def _with_tokens(bench: Bench, loop: Bare) -> list[Row]:
    """Measure one number of targets with a server that asks Kubernetes who is calling."""
    cluster, namespace = bench.cluster, bench.namespace
    await make_account(cluster, namespace, _CALLER, "krkn-runner")
    token = await cluster.token(namespace, _CALLER, seconds=3600, audiences=[_AUDIENCE])
    folder = bench.folder / "asking"
    folder.mkdir()
    wanted = Wanted(controller=False, environment={"KRKN_AUTH": "kubernetes"})
    async with running(cluster, namespace, folder, wanted) as asking:
        door = asking.processes.rest_url.removeprefix("http://")
        async with grpc.aio.insecure_channel(door) as channel:
            known = dataclasses.replace(
                bench,
                channel=channel,
                rest=asking.rest,
                metadata=(("authorization", f"Bearer {token}"),),
            )
            count = min(_MANY, bench.most)
            rows = await _measure(known, loop, count, rounds_over(count, bench.rounds))
    return [
        msgspec.structs.replace(row, name=f"{row.name}, KRKN_AUTH=kubernetes", series="")
        for row in rows
    ]


async def _measure(bench: Bench, loop: Bare, count: int, rounds: int) -> list[Row]:
    targets = await bench.targets.first(count)
    service: Any = ScenarioRunServiceStub(bench.channel)
    asked = request(targets)
    body = MessageToDict(asked)
    example = await Example.ask_for(bench, targets[0])
    path = collection(JOBS, bench.bare_namespace)

    async def by_grpc() -> float:
        began = time.perf_counter()
        reply = await service.RunScenario(asked, metadata=bench.metadata)
        took = time.perf_counter() - began
        assert reply.successful_jobs == count, reply
        return took

    async def by_rest() -> float:
        began = time.perf_counter()
        headers = dict(bench.metadata)
        async with bench.rest.post("/api/v1/scenarios/run", json=body, headers=headers) as answer:
            reply = await answer.json()
        took = time.perf_counter() - began
        assert reply["successfulJobs"] == count, reply
        return took

    async def by_bare_loop() -> float:
        async def create(_: str) -> None:
            await loop.write("POST", path, example.copy())

        began = time.perf_counter()
        await each(targets, create, _AT_ONCE)
        return time.perf_counter() - began

    async def between() -> None:
        # What short calls leave is little, and waiting for rest would take longer than all of them.
        if count >= _MANY:
            await clear(bench)

    await clear(bench)
    ways = {"gRPC": by_grpc, "bare loop": by_bare_loop, "REST": by_rest}
    times = await in_turn(ways, rounds, between)
    goal = _GOAL if count >= _MANY else None
    plural = "target" if count == 1 else "targets"
    return [
        Row.of_times(
            GROUP,
            f"{way}, {count} {plural}",
            times[way],
            times["bare loop"],
            goal=goal,
            series=way,
            count=count,
        )
        for way in ("gRPC", "REST")
    ]
