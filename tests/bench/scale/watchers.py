"""Watchers in a process of their own, which only count what they are sent.

`python -m tests.bench.scale.watchers ADDRESS SCENARIO COUNT CHANGES` says `synced` when all know
what there is, and then, when each has got so many changes, the time by the monotonic clock.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from krkn_grpc.v1 import scenario_runs_pb2 as pb

_METHOD = "/krkn.v1.ScenarioRunService/WatchScenarioRuns"
_A_CHANNEL = 50


async def main(address: str, scenario: str, count: int, changes: int) -> None:
    """Watch, and print the two lines."""
    channels = [
        grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
        for _ in range(0, count, _A_CHANNEL)
    ]
    request = pb.WatchScenarioRunsRequest(scenario_name=scenario)
    synced = pb.WatchScenarioRunsResponse(type="SYNCED").SerializeToString()

    async def until_synced(number: int) -> AsyncIterator[bytes]:
        # Without a deserializer, a message is its bytes: reading them must cost little here.
        watch: Any = channels[number // _A_CHANNEL].unary_stream(_METHOD)
        messages: AsyncIterator[bytes] = aiter(watch(request.SerializeToString()))
        while not (await anext(messages)).startswith(synced):
            pass
        return messages

    async def rest(messages: AsyncIterator[bytes]) -> None:
        for _ in range(changes):
            await anext(messages)

    watches = await asyncio.gather(*map(until_synced, range(count)))
    _say("synced")
    await asyncio.gather(*map(rest, watches))
    _say(str(time.monotonic()))
    await asyncio.gather(*(channel.close() for channel in channels))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
