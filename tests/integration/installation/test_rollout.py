"""A new version takes over from the former: no call fails, no job is lost, none runs twice."""

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import grpc
import pytest

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.processes.ports import LOOPBACK
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.faults.scenarios import is_over, lived_rightly, phase
from tests.support import kubelet
from tests.support.jobs import Jobs
from tests.support.object_watch import ObjectWatch
from tests.support.requests import IMAGE, a_run
from tests.support.running import Running, Wanted, running
from tests.support.runs import Runs
from tests.support.service_address import ServiceAddress
from tests.support.target_client import Targets
from tests.support.waiting import eventually

RATE = 50
WAIT_SECONDS = 2.0
"""Of the preStop hook; the endpoint is taken away after half of it."""
DRAIN_SECONDS = 7.0
"""As long as an open watch holds it up here; Envoy needs five for its connections."""
ROLLOUTS = 2


@dataclass
class Instance:
    """The processes of one pod."""

    running: Running
    admin: Path

    @property
    def port(self) -> int:
        """Envoy's."""
        return self.running.processes.options.rest_port


@contextlib.asynccontextmanager
async def an_instance(
    control_plane: ControlPlane, namespace: str, folder: Path
) -> AsyncIterator[Instance]:
    """Envoy, server, log reader and controller, serving."""
    own = folder / uuid.uuid4().hex[:6]
    own.mkdir()
    admin = own / "admin.sock"
    settings = {"KRKN_ENVOY_ADMIN_SOCKET": str(admin), "KRKN_LEASE_SECONDS": "4"}
    wanted = Wanted(log_reader=True, environment=settings)
    async with running(control_plane.cluster, namespace, own, wanted) as started:
        yield Instance(started, admin)


@dataclass
class Load:
    """Calls at a steady rate through the Service's address, by REST and by gRPC."""

    address: ServiceAddress
    target: str
    ended: Counter[str] = field(default_factory=Counter)
    jobs: set[str] = field(default_factory=set)
    watches: int = 0

    async def run(self, enough: asyncio.Event) -> None:
        """Call until it is enough, and wait for the calls that are open."""
        at = f"{LOOPBACK}:{self.address.port}"
        async with (
            aiohttp.ClientSession(f"http://{at}") as rest,
            # Callers with a new connection for each call are the first to meet a closed port.
            aiohttp.ClientSession(
                f"http://{at}", connector=aiohttp.TCPConnector(force_close=True)
            ) as fresh,
            grpc.aio.insecure_channel(at) as channel,
            asyncio.TaskGroup() as group,
        ):
            watching = group.create_task(self._watch(Runs(channel)))
            number = 0
            while not enough.is_set():
                match number % 4:
                    case 0:
                        group.create_task(self._rest(rest))
                    case 1:
                        group.create_task(self._rest(fresh))
                    case _:
                        group.create_task(self._grpc(channel))
                if number % RATE == 0:
                    group.create_task(self._start(rest, f"lasts-{number // RATE % 4}s"))
                number += 1
                await asyncio.sleep(1 / RATE)
            watching.cancel()

    async def _rest(self, rest: aiohttp.ClientSession) -> None:
        try:
            async with rest.get("/api/v1/operator/targets") as answer:
                await answer.read()
                self.ended[f"REST {answer.status}"] += 1
        except aiohttp.ClientError as error:
            self.ended[f"REST {error!r}"] += 1

    async def _grpc(self, channel: grpc.aio.Channel) -> None:
        try:
            await Runs(channel).stub.ListScenarioRuns(pb.ListScenarioRunsRequest(), timeout=20)
            self.ended["gRPC OK"] += 1
        except grpc.aio.AioRpcError as error:
            self.ended[f"gRPC {error.code().name} {error.details()}"] += 1

    async def _start(self, rest: aiohttp.ClientSession, behaviour: str) -> None:
        body = a_run(self.target, scenarioImage=f"{IMAGE}-{behaviour}")
        async with rest.post("/api/v1/scenarios/run", json=body) as answer:
            told = await answer.json()
            self.ended[f"REST {answer.status}"] += 1
            self.jobs |= {job["jobId"] for job in told["jobs"] if job["success"]}

    async def _watch(self, runs: Runs) -> None:
        """Watch all the while; a watch that was cut goes on from its last token."""
        token, known = "", dict[str, pb.Job]()
        while True:
            with contextlib.suppress(grpc.aio.AioRpcError):
                async with runs.watch(resume_token=token) as watcher:
                    self.watches += 1
                    watcher.jobs = known
                    while True:
                        token = (await watcher.next()).resume_token or token
            await asyncio.sleep(0.05)


@pytest.mark.timeout(240)
async def test_nothing_is_lost_and_nothing_is_doubled(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    jobs, enough = Jobs(control_plane, namespace), asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        address = await stack.enter_async_context(ServiceAddress().serving())
        old = await stack.enter_async_context(an_instance(control_plane, namespace, tmp_path))
        address.endpoints = [old.port]
        target = await Targets(old.running.channel).create()
        watch = await stack.enter_async_context(jobs.watch())
        before = await Runs(old.running.channel).run(target, scenarioImage=f"{IMAGE}-lasts-20s")
        load = Load(address, target, jobs=set(before))
        calling = asyncio.create_task(load.run(enough))
        for _ in range(ROLLOUTS):
            # As a Deployment with maxUnavailable 0: the new one is ready before the old one goes.
            new = await stack.enter_async_context(an_instance(control_plane, namespace, tmp_path))
            address.endpoints.append(new.port)
            await asyncio.gather(_ends(old, address), _many_more_calls(load))
            old = new
        enough.set()
        await calling
        assert load.ended.keys() == {"REST 200", "REST 201", "gRPC OK"}, load.ended
        await _all_jobs_ran_once(watch, load.jobs)
    assert load.watches > ROLLOUTS


async def _ends(instance: Instance, address: ServiceAddress) -> None:
    """Delete the pod: nodes learn a moment later that it gets no new calls."""

    async def leaves() -> None:
        await asyncio.sleep(WAIT_SECONDS / 2)
        address.endpoints.remove(instance.port)

    await asyncio.gather(
        leaves(),
        kubelet.terminate(
            instance.running.processes, instance.admin, (WAIT_SECONDS, DRAIN_SECONDS)
        ),
    )


async def _many_more_calls(load: Load) -> None:
    wanted = load.ended.total() + 2 * RATE

    async def count() -> int:
        return load.ended.total()

    await eventually(count, lambda total: total >= wanted, seconds=60)


async def _all_jobs_ran_once(watch: ObjectWatch, started: set[str]) -> None:
    assert len(started) > 2 * ROLLOUTS
    for job in started:
        await watch.until("over", lambda job=job: is_over(watch, job), seconds=60)  # type: ignore[misc]
        lived_rightly(watch, job)
        assert phase(watch, job) == "Succeeded"
