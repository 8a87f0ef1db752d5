"""What the probes of a pod ask: health on a port of its own, known without being asked for."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.processes.ports import free_port
from deploy.local.services import ON_ONES_OWN_MACHINE, Options, Services
from tests.integration.auth.calls import call
from tests.integration.auth.conftest import Guarded
from tests.support.api_proxy import Call, Cut, open_gate
from tests.support.waiting import eventually

SERVING, NOT_SERVING = (
    health_pb2.HealthCheckResponse.SERVING,
    health_pb2.HealthCheckResponse.NOT_SERVING,
)


@pytest.fixture
async def probed(guarded: Guarded) -> AsyncIterator[grpc.aio.Channel]:
    address = guarded.running.processes.health_address
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


async def status(channel: grpc.aio.Channel) -> int:
    """The health of the server as a whole."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
    return int(answer.status)


async def test_the_port_answers_for_health_and_nothing_else(
    guarded: Guarded, probed: grpc.aio.Channel
) -> None:
    assert await status(probed) == SERVING
    assert (await call(probed, "GetHealth")).reply.status == "healthy"
    runner = await guarded.callers.metadata("runner")
    assert (await call(probed, "ListTargets", runner)).code is StatusCode.UNIMPLEMENTED


async def test_the_port_takes_small_messages(probed: grpc.aio.Channel) -> None:
    check: Any = probed.unary_unary("/grpc.health.v1.Health/Check")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await check(b"x" * 5_000)
    assert refused.value.code() is StatusCode.RESOURCE_EXHAUSTED


async def test_whoever_asks_for_the_health_asks_nothing_of_the_api_server(
    guarded: Guarded, probed: grpc.aio.Channel
) -> None:
    with guarded.watched() as asked:
        for channel in (guarded.running.channel, probed):
            for _ in range(200):
                assert (await call(channel, "GetHealth")).code is StatusCode.OK
    # It looks after its health every two seconds, however long 400 questions take.
    assert len(asked.of_health) < 100


async def test_an_api_server_that_is_away_is_known_within_seconds(
    guarded: Guarded, probed: grpc.aio.Channel
) -> None:
    async def cut(seen: Call) -> None:
        if seen.path == "/readyz":
            raise Cut

    guarded.proxy.before = cut
    await eventually(lambda: status(probed), lambda found: found == NOT_SERVING)
    found = await call(guarded.running.channel, "GetHealth")
    assert found.code is StatusCode.UNAVAILABLE
    assert found.details == "the Kubernetes API cannot be reached now"
    # The pod stays ready: all would go at once, though they can still answer reads.
    assert (await call(probed, "GetHealth")).code is StatusCode.OK
    guarded.proxy.before = open_gate
    await eventually(lambda: status(probed), lambda found: found == SERVING)
    assert (await call(guarded.running.channel, "GetHealth")).code is StatusCode.OK


async def test_a_server_that_waits_for_the_api_server_is_alive_and_not_ready(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    options = Options(
        namespace=namespace,
        grpc_port=free_port(),
        rest_port=free_port(),
        with_controller=False,
        with_envoy=False,
        environment=ON_ONES_OWN_MACHINE,
        kubeconfig_url=f"https://127.0.0.1:{free_port()}",  # where nothing listens
    )
    services = Services(control_plane.cluster, options, tmp_path, tmp_path)
    await services.refresh_tokens()
    services.start_again("server")
    try:
        async with grpc.aio.insecure_channel(services.health_address) as channel:
            live = (("krkn-probe", "live"),)
            await eventually(
                lambda: call(channel, "GetHealth", live), lambda found: found.code is StatusCode.OK
            )
            ready = await call(channel, "GetHealth")
            assert (ready.code, ready.details) == (
                StatusCode.UNAVAILABLE,
                "the server is not ready",
            )
            assert await status(channel) == NOT_SERVING
    finally:
        await services.stop()
