"""What one cluster that answers nothing costs the others: 200 targets with it and without it.

In the place of the bare loop stands the same without it, so a ratio of 1 says: nobody notices.
"""

import asyncio
import base64
import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import grpc.aio

from krkn_grpc.v1 import scenario_runs_pb2, targets_pb2
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub
from tests.bench.bare import each
from tests.bench.bench import Bench
from tests.bench.clearing import clear
from tests.bench.row import Goal, Row
from tests.bench.turns import in_turn
from tests.support.requests import a_run, canary

GROUP = "black hole"
_OTHERS = 199
_AT_ONCE = 32
_MOST_ROUNDS = 3
_GOAL = Goal(0.8, "at least")
_STARTED = ("Running", "Succeeded")


async def measure(bench: Bench) -> list[Row]:
    """Register the targets and run a job on each, in turn with the hole among them and without."""
    address = bench.services.grpc_address
    starts: dict[str, list[float]] = {"with": [], "without": []}
    async with grpc.aio.insecure_channel(address) as channel:
        with _black_hole() as hole:

            async def measure_with() -> float:
                return await _round(bench, channel, [hole], starts["with"])

            async def measure_without() -> float:
                return await _round(bench, channel, [], starts["without"])

            async def between() -> None:
                await clear(bench)

            ways = {"with": measure_with, "without": measure_without}
            rounds = min(bench.rounds, _MOST_ROUNDS)
            times = await in_turn(ways, rounds, between)
    note = "bare loop: the same without the black hole"
    return [
        Row.of_times(
            GROUP,
            f"{_OTHERS} other targets registered and ready",
            times["with"],
            times["without"],
            goal=_GOAL,
            note=note,
        ),
        Row.of_times(
            GROUP,
            f"a job started on each of the {_OTHERS} others",
            starts["with"],
            starts["without"],
            goal=_GOAL,
            note=note,
        ),
    ]


@contextlib.contextmanager
def _black_hole() -> Iterator[str]:
    """Give the URL of a cluster to which nobody can connect, and that refuses nobody either."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        # Nobody takes what comes in; what is beyond the backlog gets no answer at all.
        for _ in range(4):
            parked = stack.enter_context(socket.socket())
            parked.setblocking(False)
            parked.connect_ex(listening.getsockname())
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"


async def _round(
    bench: Bench, channel: grpc.aio.Channel, holes: list[str], starts: list[float]
) -> float:
    """Return the seconds until the others are ready, and put away those until their jobs run."""
    service: Any = TargetServiceStub(channel)
    cluster = bench.cluster
    token = await cluster.token("default", "default", seconds=3600)
    began = time.perf_counter()
    uuids: dict[str, str] = {}

    async def register(url: str) -> None:
        request = targets_pb2.CreateTargetRequest(
            cluster_name=url.removeprefix("https://"),
            secret_type="token",
            cluster_api_url=url,
            ca_bundle=base64.b64encode(cluster.ca_pem.encode()).decode(),
            token=token if url not in holes else canary(),
        )
        uuids[url] = (await service.CreateTarget(request)).uuid

    others = [f"{cluster.url}/hole/{number}" for number in range(_OTHERS)]
    await each([*holes, *others], register, _AT_ONCE)
    await _ready(service, {uuids[url] for url in others})
    took = time.perf_counter() - began
    try:
        starts.append(await _started(channel, list(uuids.values()), {uuids[u] for u in others}))
    finally:

        async def remove(uuid: str) -> None:
            await service.DeleteTarget(targets_pb2.DeleteTargetRequest(uuid=uuid))

        await each(uuids.values(), remove, _AT_ONCE)
    return took


async def _ready(service: Any, waiting: set[str]) -> None:
    while waiting:
        listed = await service.ListTargets(targets_pb2.ListTargetsRequest(page_size=1000))
        # Nearly all of the newest thousand are these.
        waiting -= {target.uuid for target in listed.targets if target.ready}
        await asyncio.sleep(0.05)


async def _started(channel: grpc.aio.Channel, targets: list[str], others: set[str]) -> float:
    """Run a job on each target; return the seconds until all jobs on the others run."""
    service = ScenarioRunServiceStub(channel)
    body = a_run()
    watch = service.WatchScenarioRuns(scenario_runs_pb2.WatchScenarioRunsRequest())
    messages = aiter(watch)
    while (await anext(messages)).type != "SYNCED":
        pass
    began = time.perf_counter()
    request = scenario_runs_pb2.RunScenarioRequest(
        target_uuids=targets,
        scenario_image=body["scenarioImage"],
        scenario_name=body["scenarioName"],
    )
    reply = await service.RunScenario(request)
    assert reply.successful_jobs == len(targets), reply
    waiting = set(others)
    while waiting:
        message = await anext(messages)
        if message.job.status in _STARTED:
            waiting.discard(message.job.target_uuid)
    took = time.perf_counter() - began
    watch.cancel()
    return took
