"""Calls at a steady rate by REST and gRPC, runs and watches, while the service is changed.

async with load.calling():
    ... a rollout ...
load.nothing_failed()
"""

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import grpc

from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.support.callers import Way
from tests.support.requests import Body
from tests.support.run_calls import FINAL
from tests.support.runs import Message, Runs
from tests.support.waiting import eventually

RATE = 50
"""Calls a second."""
GOOD = {"REST 200", "REST 201", "gRPC OK"}
_ORDER = ("Pending", "Running", "Stopping", *FINAL)


@dataclass
class Follower:
    """A watch that goes on from its last token whenever it was cut.

    It starts anew where it is told to: a replica knows no change from before its own start, and
    there may be no change between the last message and that.
    """

    begun: int = 0
    anew: int = 0
    """How often it had to start anew."""
    told: list[Message] = field(default_factory=list)
    jobs: dict[str, pb.Job] = field(default_factory=dict)
    """As a client knows them that has read every message."""
    cuts: Counter[str] = field(default_factory=Counter)
    heard: float = 0.0
    """When the last message was read."""

    async def follow(self, channel: grpc.aio.Channel) -> None:
        """Watch until cancelled; a message that does not fit to those before is an error."""
        token = ""
        while True:
            try:
                async with Runs(channel).watch(resume_token=token) as watcher:
                    self.begun += 1
                    watcher.jobs, watcher.told = self.jobs, self.told
                    while True:
                        token = (await watcher.next()).resume_token or token
                        self.heard = time.time()
            except grpc.aio.AioRpcError as error:
                self.cuts[f"{error.code().name} {error.details()}"] += 1
                if error.code() is grpc.StatusCode.OUT_OF_RANGE:
                    token, self.jobs = "", {}
                    self.anew += 1
            await asyncio.sleep(0.05)

    def ends(self) -> list[str]:
        """Return the jobs in the order in which their ends were told."""
        told = [(message.job.job_id, message.job.status) for message in self.told]
        return list(dict.fromkeys(job for job, status in told if status in FINAL))

    def went_forward(self, job_id: str) -> bool:
        """Whether each status of the job was told once, in the order of a job's life."""
        told = [_ORDER.index(m.job.status) for m in self.told if m.job.job_id == job_id]
        seen = [status for status, _ in itertools.groupby(told)]
        return bool(seen) and all(one < next_ for one, next_ in itertools.pairwise(seen))


@dataclass
class Load:
    """The callers; `run` makes the body of the run with this number."""

    way: Way
    run: Callable[[int], Body]
    calls_per_run: int = RATE
    watches: int = 1
    ended: Counter[str] = field(default_factory=Counter)
    """How the calls ended that are no watches."""
    jobs: set[str] = field(default_factory=set)
    followers: list[Follower] = field(default_factory=list)
    seconds: float = 0.0

    @contextlib.asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Call meanwhile; at the end the calls that are open end, and then the watches."""
        enough = asyncio.Event()
        async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            self.followers = [Follower() for _ in range(self.watches)]
            following = []
            for follower in self.followers:
                channel = await stack.enter_async_context(self.way.channel())
                following.append(group.create_task(follower.follow(channel)))
            calls = group.create_task(self._call(enough))
            yield
            enough.set()
            await calls
            await eventually(self._untold, lambda jobs: not jobs, seconds=120)
            for task in following:
                task.cancel()

    async def many_more(self, seconds: float = 60.0) -> None:
        """Wait until the callers have made some hundred calls more."""
        wanted = self.ended.total() + 2 * RATE

        async def count() -> int:
            return self.ended.total()

        await eventually(count, lambda total: total >= wanted, seconds=seconds)

    def told(self) -> dict[str, Any]:
        """Return how it went, for people."""
        return {
            "calls": self.ended,
            "seconds": self.seconds,
            "jobs": len(self.jobs),
            "watches": [
                {
                    "begun": each.begun,
                    "anew": each.anew,
                    "cuts": each.cuts,
                    "messages": len(each.told),
                    "last": datetime.fromtimestamp(each.heard, UTC).isoformat(),
                    "not told": sorted(self.jobs - set(each.ends())),
                }
                for each in self.followers
            ],
        }

    def nothing_failed(self) -> None:
        """Assert that each call was answered as it should be, and that no watch lost anything."""
        assert self.ended.keys() <= GOOD, self.ended
        for follower in self.followers:
            assert not [job for job in self.jobs if not follower.went_forward(job)]

    async def _untold(self) -> set[str]:
        """Return the jobs whose end some watch has not told."""
        return {
            job
            for job in self.jobs
            for follower in self.followers
            if job not in follower.jobs or follower.jobs[job].status not in FINAL
        }

    async def _call(self, enough: asyncio.Event) -> None:
        async with (
            self.way.rest() as rest,
            # Callers with a new connection for each call are the first to meet a closed port.
            self.way.rest(fresh=True) as fresh,
            self.way.channel() as channel,
            asyncio.TaskGroup() as group,
        ):
            begin = time.monotonic()
            for number in itertools.count():
                if enough.is_set():
                    break
                match number % 4:
                    case 0:
                        group.create_task(self._rest(rest))
                    case 1:
                        group.create_task(self._rest(fresh))
                    case _:
                        group.create_task(self._grpc(channel))
                if number % self.calls_per_run == 0:
                    group.create_task(self._start(rest, number // self.calls_per_run))
                await asyncio.sleep(begin + (number + 1) / RATE - time.monotonic())
            self.seconds = time.monotonic() - begin

    async def _rest(self, rest: aiohttp.ClientSession) -> None:
        try:
            async with rest.get("/api/v1/operator/targets") as answer:
                await answer.read()
                self.ended[f"REST {answer.status}"] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            self.ended[f"REST {error!r}"] += 1

    async def _grpc(self, channel: grpc.aio.Channel) -> None:
        try:
            await Runs(channel).stub.ListScenarioRuns(pb.ListScenarioRunsRequest(), timeout=30)
            self.ended["gRPC OK"] += 1
        except grpc.aio.AioRpcError as error:
            self.ended[f"gRPC {error.code().name} {error.details()}"] += 1

    async def _start(self, rest: aiohttp.ClientSession, number: int) -> None:
        try:
            async with rest.post("/api/v1/scenarios/run", json=self.run(number)) as answer:
                told = await answer.json()
                self.ended[f"REST {answer.status}"] += 1
                self.jobs |= {job["jobId"] for job in told.get("jobs", ()) if job["success"]}
        except (aiohttp.ClientError, TimeoutError) as error:
            self.ended[f"REST {error!r}"] += 1
