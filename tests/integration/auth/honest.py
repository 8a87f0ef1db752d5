"""A program that calls as honest people do, and probes as a pod does, until its input ends.

Apart from the test, so that what an attack costs the one who attacks is not measured. Its input is
one line of JSON: address, health_address, probe_url, metadata, targets. It says when it has begun,
and in the end, as JSON, what was `Felt`.
"""

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aiohttp
import grpc
from grpc_health.v1 import health_pb2

from krkn_grpc.v1 import scenario_runs_pb2, targets_pb2
from tests.support.requests import IMAGE
from tests.support.waiting import eventually

SECONDS = 60.0
PAUSE_SECONDS = 0.02
# Enough calls that a hundredth of them is more than one.
CALLERS = 3
RUN = "/krkn.v1.ScenarioRunService/"
LIST = "/krkn.v1.TargetService/ListTargets"


@dataclass
class Felt:
    """How long calls took, in seconds, and how calls and probes ended, each by its code."""

    seconds: list[float] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    probes: Counter[str] = field(default_factory=Counter)

    @property
    def p99(self) -> float:
        """What 99 of 100 calls took at most."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)]


async def code_of(call: Awaitable[Any]) -> str:
    """Return the code that the call ends with; UNKNOWN when it did nothing of what it should."""
    try:
        reply = await call
    except grpc.aio.AioRpcError as error:
        return error.code().name
    is_done = not isinstance(reply, scenario_runs_pb2.RunScenarioResponse) or reply.successful_jobs
    return "OK" if is_done else str(reply.jobs[0].error)


async def go_on(felt: Felt, asks: Sequence[Callable[[], Awaitable[Any]]]) -> None:
    """Call again and again."""
    for ask in itertools.cycle(asks):
        began = time.monotonic()
        code = await code_of(ask())
        felt.seconds.append(time.monotonic() - began)
        felt.calls[code] += 1
        await asyncio.sleep(PAUSE_SECONDS)


async def probe(felt: Felt, address: str) -> None:
    """Ask for the health as the pod's probe does, with a new connection each time."""
    while True:
        async with grpc.aio.insecure_channel(address) as channel:
            check: Any = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            felt.probes[await code_of(check(b"", timeout=5.0))] += 1
        await asyncio.sleep(0.1)


async def probe_envoy(felt: Felt, url: str) -> None:
    """Ask as the kubelet does, with a new connection each time."""
    while True:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5.0)) as session:
            for path in ("/livez", "/readyz"):
                try:
                    async with session.get(f"{url}{path}") as response:
                        felt.probes["OK" if response.status == 200 else str(response.status)] += 1
                except (aiohttp.ClientError, TimeoutError) as error:
                    felt.probes[type(error).__name__] += 1
        await asyncio.sleep(0.1)


async def called(felt: Felt) -> int:
    """Return how many calls have been answered."""
    return felt.calls.total()


async def main() -> None:
    """Read what is to be done, do it until the input ends, and print what was felt."""
    told = json.loads(sys.stdin.readline())
    metadata = [tuple(pair) for pair in told["metadata"]]
    runs, felt = scenario_runs_pb2, Felt()

    async with grpc.aio.insecure_channel(told["address"]) as channel:

        def ask(path: str, request: Any, reply: Any) -> Callable[[], Awaitable[Any]]:
            method: Any = channel.unary_unary(path, lambda m: m.SerializeToString(), reply)
            return lambda: method(request, metadata=metadata, timeout=SECONDS)

        def a_run(**more: Any) -> Callable[[], Awaitable[Any]]:
            request = runs.RunScenarioRequest(
                target_uuids=told["targets"], scenario_image=IMAGE, scenario_name="pods", **more
            )
            return ask(f"{RUN}RunScenario", request, runs.RunScenarioResponse.FromString)

        selected = runs.ListScenarioRunsRequest(page_size=5, label_selector="a=b")
        asks = [
            ask(LIST, targets_pb2.ListTargetsRequest(), targets_pb2.ListTargetsResponse.FromString),
            a_run(validate_only=True),
            ask(f"{RUN}ListScenarioRuns", selected, runs.ListScenarioRunsResponse.FromString),
            a_run(labels={"a": "b"}),
        ]
        tasks = [
            *(asyncio.create_task(go_on(felt, asks)) for _ in range(CALLERS)),
            asyncio.create_task(probe(felt, told["health_address"])),
            asyncio.create_task(probe_envoy(felt, told["probe_url"])),
        ]
        await eventually(partial(called, felt), lambda number: number >= len(asks))
        sys.stdout.write("calling\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    sys.stdout.write(json.dumps(vars(felt)))


if __name__ == "__main__":
    asyncio.run(main())
