"""In a mesh, a connection that breaks in a call starts nothing twice, whatever proxies repeat.

Each call goes through two proxies that repeat what Istio's repeat by themselves, and the connection
before Envoy, or the one behind it, breaks at one moment of it.
"""

import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import aiohttp
import grpc.aio
import pytest
import pytest_asyncio
from google.protobuf.json_format import ParseDict

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import scenario_runs_pb2 as runs_pb2
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.rest.edge.running import open_door
from tests.support.cut_frames import Cutter, Moment, a_cutter
from tests.support.requests import a_run
from tests.support.rest import RUNS, Rest
from tests.support.running import Wanted, make_namespace, remove_namespace, running
from tests.support.sidecars import Sidecars, two_sidecars

BEFORE, BEHIND = "before Envoy", "behind Envoy"


@dataclass(frozen=True)
class Mesh:
    """The proxies, what breaks their connections, and REST past all of them."""

    sidecars: Sidecars
    cutters: Mapping[str, Cutter]
    rest: Rest
    channel: grpc.aio.Channel


@pytest_asyncio.fixture(scope="module")
async def mesh(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mesh]:
    folder, name = tmp_path_factory.mktemp("services"), f"cuts-{uuid.uuid4().hex[:8]}"
    await make_namespace(control_plane.cluster, name)
    try:
        async with (
            running(control_plane.cluster, name, folder, Wanted()) as services,
            a_cutter(services.processes.options.grpc_port) as behind,
        ):
            (folder / "door").mkdir()
            with open_door(folder / "door", auth="none", tls="mesh", grpc_port=behind.port) as door:
                async with (
                    a_cutter(door.settings.rest_port) as before,
                    two_sidecars(folder / "mesh", before.port) as sidecars,
                    grpc.aio.insecure_channel(sidecars.address) as channel,
                ):
                    cutters = {BEFORE: before, BEHIND: behind}
                    yield Mesh(sidecars, cutters, Rest(services.rest), channel)
    finally:
        await remove_namespace(control_plane.cluster, name)


@dataclass(frozen=True)
class Answer:
    """What a caller gets: a code of gRPC or a status of HTTP, jobs, attempts of its proxy."""

    code: int | None = None
    """None when the reply breaks off."""

    jobs: tuple[str, ...] = ()
    attempts: int = 1


async def by_rest(mesh: Mesh, target: str) -> Answer:
    session = mesh.sidecars.session
    try:
        async with session.post(RUNS, json=a_run(target)) as reply:
            body = await reply.json()
    except aiohttp.ClientError:
        return Answer()
    jobs = tuple(job["jobId"] for job in body.get("jobs", ()))
    return Answer(reply.status, jobs, int(reply.headers["x-envoy-attempt-count"]))


async def by_grpc(mesh: Mesh, target: str) -> Answer:
    request = ParseDict(a_run(target), runs_pb2.RunScenarioRequest())
    call = ScenarioRunServiceStub(mesh.channel).RunScenario(request, timeout=30)
    try:
        jobs = tuple(job.job_id for job in (await call).jobs)
    except grpc.aio.AioRpcError as error:
        told = dict(error.initial_metadata() or ()) | dict(error.trailing_metadata() or ())
        attempts = int(told.get("x-envoy-attempt-count", 1))
        return Answer(error.code().value[0], (), attempts)
    told = dict(await call.initial_metadata())
    return Answer(0, jobs, int(told["x-envoy-attempt-count"]))


async def answered(
    mesh: Mesh, protocol: str, where: str, moment: Moment
) -> tuple[Answer, set[str]]:
    """Call once, break the connection, and return the answer and the jobs that there are."""
    target = await mesh.rest.register()
    mesh.cutters[where].moment = moment
    answer = await (by_rest if protocol == "REST" else by_grpc)(mesh, target)
    assert mesh.cutters[where].moment is None, "nothing was cut"
    listed = (await mesh.rest.get(f"{RUNS}?targetUUID={target}")).body["jobs"]
    return answer, {job["jobId"] for job in listed}


protocols = pytest.mark.parametrize("protocol", ["REST", "gRPC"])


@protocols
@pytest.mark.parametrize("moment", [Moment.BEFORE_THE_REQUEST, Moment.BEFORE_THE_REPLY])
async def test_a_proxy_that_asks_again_gets_the_same_run(
    mesh: Mesh, protocol: str, moment: Moment
) -> None:
    answer, jobs = await answered(mesh, protocol, BEFORE, moment)
    assert (answer.code, answer.attempts) == (201 if protocol == "REST" else 0, 2)
    assert set(answer.jobs) == jobs
    assert len(jobs) == 1


@protocols
@pytest.mark.parametrize(
    ("moment", "started"), [(Moment.BEFORE_THE_REQUEST, 0), (Moment.BEFORE_THE_REPLY, 1)]
)
async def test_no_proxy_asks_again_what_envoy_says_may_have_been_done(
    mesh: Mesh, protocol: str, moment: Moment, started: int
) -> None:
    answer, jobs = await answered(mesh, protocol, BEHIND, moment)
    assert (answer.code, answer.attempts) == (500 if protocol == "REST" else 2, 1)
    assert len(jobs) == started


@protocols
@pytest.mark.parametrize("where", [BEFORE, BEHIND])
async def test_a_reply_that_breaks_off_is_one_run(mesh: Mesh, protocol: str, where: str) -> None:
    answer, jobs = await answered(mesh, protocol, where, Moment.IN_THE_REPLY)
    assert answer.code not in (0, 201)
    assert answer.attempts == 1
    assert len(jobs) == 1
