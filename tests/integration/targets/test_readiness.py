"""Whether a target is ready, as clients see it: found out by the controller, at real clusters."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.conftest import StartServices
from tests.integration.probe.probing import AUTHORITY, GOOD_CONTEXT, OTHER_AUTHORITY, black_hole
from tests.integration.probe.servers import answer, review, says, says_nothing, serving
from tests.integration.targets.stage import own_namespace
from tests.support.requests import canary, credentials_target, token_target, unused_url
from tests.support.running import Running, Wanted, running
from tests.support.target_client import Targets
from tests.support.waiting import eventually

GOOD = answer(201, review())
READY = says(GOOD)


@pytest_asyncio.fixture(scope="module")
async def token(target_cluster: ControlPlane) -> str:
    metadata = {"name": "registered", "namespace": "default"}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    await target_cluster.cluster.apply([account])
    return await target_cluster.cluster.token("default", "registered", seconds=3600)


@pytest_asyncio.fixture(scope="module")
async def restless(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """Services whose controller looks at each cluster every second, and is soon replaced."""
    environment = {"KRKN_PROBE_INTERVAL_SECONDS": "1", "KRKN_LEASE_SECONDS": "1"}
    wanted, folder = (
        Wanted(envoy=False, environment=environment),
        tmp_path_factory.mktemp("restless"),
    )
    async with (
        own_namespace(control_plane) as name,
        running(control_plane.cluster, name, folder, wanted) as services,
    ):
        yield services


@contextlib.asynccontextmanager
async def registered(targets: Targets, body: dict[str, Any]) -> AsyncIterator[str]:
    """Register a target for a while: there is one real cluster, and its URL is one target's."""
    uuid = await targets.create(body)
    try:
        yield uuid
    finally:
        await targets.delete(uuid)


def as_pem(pem: str) -> str:
    return pem


def as_base64(pem: str) -> str:
    return base64.b64encode(pem.encode()).decode()


def as_nothing(pem: str) -> str:
    return ""


@pytest.mark.parametrize("spell", [as_pem, as_base64, as_nothing])
async def test_a_real_cluster_that_takes_the_token(
    targets: Targets, target_cluster: ControlPlane, token: str, spell: Callable[[str], str]
) -> None:
    body = token_target(
        clusterAPIURL=target_cluster.url, token=token, caBundle=spell(target_cluster.ca_pem)
    )
    async with registered(targets, body) as uuid:
        shown = await targets.when_ready(uuid)
        assert (shown.reason, shown.message) == ("", "")
        assert shown.HasField("last_checked")


async def test_a_real_cluster_by_its_administrators_kubeconfig(
    targets: Targets, target_cluster: ControlPlane
) -> None:
    text = target_cluster.admin_kubeconfig.read_text()
    body = {"clusterName": "by kubeconfig", "secretType": "kubeconfig", "kubeconfig": text}
    async with registered(targets, body) as uuid:
        assert (await targets.when_ready(uuid)).cluster_api_url == target_cluster.url


async def test_a_real_cluster_and_what_is_wrong_until_it_is_right(
    targets: Targets, target_cluster: ControlPlane, token: str
) -> None:
    """Each update is checked at once; none is ready for what the one before it brought."""
    right = token_target(
        clusterAPIURL=target_cluster.url, token=token, caBundle=target_cluster.ca_pem
    )
    async with registered(targets, right | {"token": canary()}) as uuid:
        shown = await targets.when(uuid, "Unauthorized")
        assert not shown.ready
        await targets.update(uuid, right | {"caBundle": AUTHORITY.pem})
        assert (await targets.get(uuid)).reason in ("", "TLSFailed")
        await targets.when(uuid, "TLSFailed")
        await targets.update(uuid, right)
        await targets.when_ready(uuid)
        await targets.update(uuid, right | {"token": canary()})
        # It was ready a moment ago, and nobody has tried these credentials yet.
        assert not (await targets.get(uuid)).ready
        await targets.when(uuid, "Unauthorized")
        wrong = credentials_target(clusterAPIURL=target_cluster.url)
        await targets.update(uuid, wrong)
        await targets.when(uuid, "Unauthorized")


async def test_servers_that_are_no_clusters(targets: Targets) -> None:
    """Each is found out, and none keeps the others waiting."""
    async with contextlib.AsyncExitStack() as stack:
        enter = stack.enter_async_context
        behave = {
            "Unauthorized": says(answer(401, b"canary")),
            "Unreachable": says(answer(302, b"", "Location: https://127.0.0.1:1/")),
        }
        expected = {}
        for reason, script in behave.items():
            seen = await enter(serving(script, GOOD_CONTEXT))
            expected[f"https://127.0.0.1:{seen.port}"] = reason
        drip = await enter(serving(says(b"H", pause=1.0, endless=True), GOOD_CONTEXT))
        silent = await enter(serving(says_nothing))
        hole = await enter(black_hole())
        expected |= {f"https://127.0.0.1:{s.port}": "Unreachable" for s in (drip, silent, hole)}
        expected[unused_url()] = "Unreachable"

        async def found(url: str, reason: str) -> str:
            body = token_target(clusterAPIURL=url, caBundle=AUTHORITY.pem)
            async with registered(targets, body) as uuid:
                return (await targets.when(uuid, reason)).message

        messages = await asyncio.gather(*(found(*each) for each in expected.items()))
        assert all(messages)
        assert "canary" not in str(messages)


@pytest.mark.parametrize("bundle", [OTHER_AUTHORITY.pem, AUTHORITY.issue("another").certificate])
async def test_a_certificate_that_the_bundle_does_not_answer_for(
    targets: Targets, bundle: str
) -> None:
    async with serving(READY, GOOD_CONTEXT) as seen:
        url = f"https://127.0.0.1:{seen.port}"
        async with registered(targets, token_target(clusterAPIURL=url, caBundle=bundle)) as uuid:
            await targets.when(uuid, "TLSFailed")
        assert not seen.received, "no credential goes to a server that is not verified"


async def test_dead_clusters_delay_no_others(start_services: StartServices) -> None:
    """Of 200, a few say nothing or a byte a second; and there are few workers."""
    services = await start_services(Wanted(envoy=False, environment={"KRKN_PROBE_WORKERS": "16"}))
    targets = Targets(services.channel)
    async with contextlib.AsyncExitStack() as stack:
        enter = stack.enter_async_context
        hole = await enter(black_hole())
        dead = [hole.port]
        for _ in range(5):
            dead.append((await enter(serving(says_nothing))).port)
            drip = await enter(serving(says(b"H", pause=1.0, endless=True), GOOD_CONTEXT))
            dead.append(drip.port)
        ports = [(await enter(serving(READY, GOOD_CONTEXT))).port for _ in range(200 - len(dead))]
        few = asyncio.Semaphore(16)

        async def register(port: int) -> str:
            async with few:
                url = f"https://127.0.0.1:{port}"
                return await targets.create(clusterAPIURL=url, caBundle=AUTHORITY.pem)

        slow = await asyncio.gather(*map(register, dead))
        good = set(await asyncio.gather(*map(register, ports)))

        async def not_ready() -> set[str]:
            return good - {target.uuid for target in await targets.list() if target.ready}

        await eventually(not_ready, lambda left: not left, seconds=60)
        for uuid in slow:
            await targets.when(uuid, "Unreachable")


async def test_a_cluster_is_looked_at_again_and_again(restless: Running) -> None:
    targets = Targets(restless.channel)
    now = [READY]

    async def cluster(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await now[0](reader, writer)

    async with serving(cluster, GOOD_CONTEXT) as seen:
        url = f"https://127.0.0.1:{seen.port}"
        uuid = await targets.create(clusterAPIURL=url, caBundle=AUTHORITY.pem)
        await targets.when_ready(uuid)
        looks = seen.connections

        async def two_more() -> bool:
            return seen.connections >= looks + 2

        await eventually(two_more)
        assert (await targets.get(uuid)).ready
        for status, reason in ((401, "Unauthorized"), (503, "Unreachable")):
            now[0] = says(answer(status))
            await targets.when(uuid, reason)
        now[0] = READY
        await targets.when_ready(uuid)


async def test_a_controller_that_was_away_finds_what_changed(restless: Running) -> None:
    targets = Targets(restless.channel)
    async with serving(READY, GOOD_CONTEXT) as seen:
        await restless.processes.kill("controller")
        url = f"https://127.0.0.1:{seen.port}"
        uuid = await targets.create(clusterAPIURL=url, caBundle=AUTHORITY.pem)
        shown = await targets.get(uuid)
        assert (shown.ready, shown.reason, shown.HasField("last_checked")) == (False, "", False)
        await restless.processes.restart("controller")
        await targets.when_ready(uuid)
