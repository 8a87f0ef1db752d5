"""API server and etcd are killed under load, and come back with what they had."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from krkn_grpc.server.errors import NO_SUCH_TARGET
from tests.faults.conftest import ALL
from tests.faults.scenarios import is_over, left_of, lived_rightly
from tests.integration.runs.conftest import Site, a_site
from tests.support.jobs import Jobs
from tests.support.object_watch import ObjectWatch
from tests.support.requests import IMAGE, canary
from tests.support.running import CLUSTER_WIDE, Wanted
from tests.support.runs import Runs
from tests.support.waiting import eventually

VICTIMS = ("kube-apiserver", "etcd") * (4 if ALL else 1)
CALLERS = 4
SECONDS = 90.0
SETTINGS = {
    "KRKN_GRACE_SECONDS": "5",
    "KRKN_SWEEP_SECONDS": "2",
    # Longer than a call may write: what is under way is not swept up.
    "KRKN_UNCLAIMED_SECONDS": "30",
    "KRKN_LEASE_SECONDS": "2",
    "KRKN_WRITE_SECONDS": "5",
}


@pytest_asyncio.fixture
async def fragile(binaries: Binaries, tmp_path: Path) -> AsyncIterator[Site]:
    """Two servers, each with a controller beside it, in a cluster of their own."""
    wanted = Wanted(envoy=False, environment=SETTINGS)
    async with (
        ControlPlane(binaries, crds=CLUSTER_WIDE) as control_plane,
        a_site(control_plane, tmp_path, wanted, wanted) as site,
    ):
        yield site


@dataclass
class Caller:
    """Asks for runs without a pause, each until it is answered, and stops each third of them."""

    site: Site
    targets: list[str]
    accepted: dict[str, str] = field(default_factory=dict)
    """The image of each job that exists for sure."""
    stopped: set[str] = field(default_factory=set)
    failures: int = 0
    _servers: Iterator[Runs] = field(init=False)

    def __post_init__(self) -> None:
        self._servers = itertools.cycle([self.site.runs, self.site.other_runs])

    async def ask_until(self, enough: asyncio.Event) -> None:
        """Go on until it is enough."""
        for number in itertools.count():
            if enough.is_set():
                return
            is_stopped = number % 3 == 2
            image = f"{IMAGE}-{'never-ends' if is_stopped else 'lasts-0s'}"
            job_ids = await self._run(image)
            self.accepted |= dict.fromkeys(job_ids, image)
            if is_stopped:
                for job_id in job_ids:
                    await self._stop(job_id)
            await asyncio.sleep(0.1)

    async def _run(self, image: str) -> list[str]:
        asked = {"requestId": str(uuid.uuid4()), "secretEnvironment": {"S": canary()}}
        while True:
            try:
                reply = await next(self._servers).ask(*self.targets, scenarioImage=image, **asked)
                if reply.failed_jobs == 0:
                    return [job.job_id for job in reply.jobs]
                # An API server that has just begun must not be believed that a thing is not there.
                assert NO_SUCH_TARGET not in {job.error for job in reply.jobs}
            except grpc.aio.AioRpcError as error:
                must_be_away(error)
            await self._failed()

    async def _stop(self, job_id: str) -> None:
        while job_id not in self.stopped:
            try:
                await next(self._servers).stop(job_id)
                self.stopped.add(job_id)
            except grpc.aio.AioRpcError as error:
                must_be_away(error)
                await self._failed()

    async def _failed(self) -> None:
        self.failures += 1
        await asyncio.sleep(0.1)


def must_be_away(error: grpc.aio.AioRpcError) -> None:
    """Raise an error that does not say that the API server is away or did not answer in time."""
    if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        raise error


@pytest.mark.timeout(900 if ALL else 300)
async def test_killed_under_load(fragile: Site) -> None:
    jobs = Jobs(fragile.control_plane, fragile.namespace)
    targets = await fragile.some_targets(2 * CALLERS)
    callers = [Caller(fragile, targets[n::CALLERS]) for n in range(CALLERS)]
    enough = asyncio.Event()
    async with jobs.watch(may_list_anew=True) as watch:
        async with asyncio.TaskGroup() as group:
            for caller in callers:
                group.create_task(caller.ask_until(enough))
            for victim in VICTIMS:
                await _more(callers, "accepted")
                await fragile.control_plane.kill(victim)
                await _more(callers, "failures", of=any)
                await fragile.control_plane.start(victim)
            await _more(callers, "accepted")
            enough.set()
        await _all_is_well(fragile, jobs, watch, callers)


async def _more(
    callers: list[Caller], what: str, of: Callable[[Iterable[bool]], bool] = all
) -> None:
    """Wait until all callers have had more of it than now, or any."""

    async def count() -> list[int]:
        found = [getattr(caller, what) for caller in callers]
        return [each if isinstance(each, int) else len(each) for each in found]

    before = await count()
    await eventually(
        count,
        lambda now: of(new > old for new, old in zip(now, before, strict=True)),
        seconds=SECONDS,
    )


async def _all_is_well(site: Site, jobs: Jobs, watch: ObjectWatch, callers: list[Caller]) -> None:
    accepted = {job_id: image for caller in callers for job_id, image in caller.accepted.items()}
    for job_id, image in accepted.items():
        status = await jobs.finished(job_id, seconds=SECONDS)
        expected = ("Stopped",) if image.endswith("never-ends") else ("Succeeded",)
        assert status["phase"] in expected, (job_id, status)
        await watch.until("over", partial(is_over, watch, job_id), seconds=SECONDS)
        await watch.until("tidy", partial(_is_tidy, watch, job_id), seconds=SECONDS)
        lived_rightly(watch, job_id)
    targets = [target for caller in callers for target in caller.targets]
    found = {job["metadata"]["name"] for job in await site.jobs_on(*targets)}
    assert found == set(accepted), "there is a job that nobody was told of"
    for server in (site.runs, site.other_runs):
        # Its watch may still wait before it asks the new API server.
        await eventually(
            partial(_listed, server), lambda listed: accepted.keys() <= listed, seconds=SECONDS
        )


async def _listed(server: Runs) -> set[str]:
    return {job.job_id for job in await server.list(page_size=1000)}


def _is_tidy(watch: ObjectWatch, job_id: str) -> bool:
    return not left_of(watch, job_id)
