"""CheckTarget: a look at a cluster that somebody asks for; and what a look tells of the cluster."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import pytest
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import targets_pb2 as pb
from tests.integration.probe.probing import AUTHORITY, GOOD_CONTEXT
from tests.integration.probe.servers import CacheChange, answer, review, serving
from tests.integration.targets.conftest import Replicas
from tests.support.custom_objects import MERGE, TARGETS, collection
from tests.support.rpc import refused
from tests.support.target_client import Targets
from tests.support.waiting import eventually

GOOD = answer(201, review())
ASKED = "krkn.krkn-chaos.dev/check-requested"
HIDDEN = "call this number"


class AFake:
    """A cluster whose answers a test changes; it knows what it was asked."""

    def __init__(self) -> None:
        self.reply = GOOD
        self.version = answer(200, {"gitVersion": "v1.31.2"})
        self.seen = CacheChange()

    @property
    def asked_for_version(self) -> int:
        """How often it was asked for its version."""
        return bytes(self.seen.received).count(b"GET /version ")

    @contextlib.asynccontextmanager
    async def registered(self, targets: Targets) -> AsyncIterator[str]:
        """Register it for a while."""
        async with serving(self._script, GOOD_CONTEXT) as self.seen:
            url = f"https://127.0.0.1:{self.seen.port}"
            uuid = await targets.create(clusterAPIURL=url, caBundle=AUTHORITY.pem)
            try:
                yield uuid
            finally:
                await targets.delete(uuid)

    async def _script(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = bytes(self.seen.received)
        is_version = heard.rfind(b"GET /version ") > heard.rfind(b"POST /apis/")
        writer.write(self.version if is_version else self.reply)
        await writer.drain()
        await reader.read()


async def annotate(replicas: Replicas, uuid: str, value: str | None) -> None:
    """Write the request for a check as an administrator."""
    path = f"{collection(TARGETS, replicas.first.namespace)}/{uuid}"
    change = {"metadata": {"annotations": {ASKED: value}}}
    await replicas.first.cluster.request("PATCH", path, change, MERGE)


async def test_a_check_that_is_asked_for_is_made_at_once(targets: Targets) -> None:
    """The next one would come after minutes."""
    cluster = AFake()
    async with cluster.registered(targets) as uuid:
        first = await targets.when_ready(uuid)
        cluster.reply = answer(401)
        asked = await targets.check(uuid)
        assert asked == first, "it answers before it looks"
        found = await targets.when(uuid, "Unauthorized")
        assert found.last_checked >= first.last_checked
        assert not found.HasField("ready_since")


async def test_last_checked_moves_also_when_nothing_else_does(
    replicas: Replicas, targets: Targets
) -> None:
    cluster = AFake()
    async with cluster.registered(targets) as uuid:
        before = await targets.when_ready(uuid)
        await asyncio.sleep(1.1)  # times of checks are whole seconds
        await targets.check(uuid)
        after = await eventually(
            lambda: targets.get(uuid), lambda found: found.last_checked > before.last_checked
        )
        before.last_checked = after.last_checked
        assert after == before


async def test_who_asks_again_within_ten_seconds_changes_nothing(
    replicas: Replicas, both: tuple[Targets, Targets]
) -> None:
    """On both servers at once, too."""
    cluster = AFake()
    async with cluster.registered(both[0]) as uuid:
        before = await both[0].when_ready(uuid)
        await asyncio.sleep(1.1)
        looks = cluster.seen.connections
        await asyncio.gather(*(targets.check(uuid) for targets in both * 10))
        await eventually(
            lambda: both[0].get(uuid), lambda found: found.last_checked > before.last_checked
        )
        await asyncio.gather(*(targets.check(uuid) for targets in both))
        await asyncio.sleep(1)
        assert cluster.seen.connections == looks + 1


async def test_a_request_of_another_time_is_answered_once(
    replicas: Replicas, targets: Targets
) -> None:
    """Such as one that an administrator has written: no request is answered for ever."""
    cluster = AFake()
    async with cluster.registered(targets) as uuid:
        await targets.when_ready(uuid)
        looks = cluster.seen.connections
        await annotate(replicas, uuid, "2999-01-01T00:00:00+00:00")

        async def looked() -> bool:
            return cluster.seen.connections > looks

        await eventually(looked)
        await asyncio.sleep(2)
        assert cluster.seen.connections == looks + 1
        # Nor does it hold up the next one.
        cluster.reply = answer(401)
        await targets.check(uuid)
        await targets.when(uuid, "Unauthorized")


@pytest.mark.parametrize("uuid", ["x", "../x", "6f1c1b6e-0000-4000-8000-000000000001"])
@pytest.mark.parametrize("method", ["CheckTarget", "PatchTarget"])
async def test_a_target_that_is_not_there(targets: Targets, method: str, uuid: str) -> None:
    kind = getattr(pb, f"{method}Request")
    found = await refused(getattr(targets.stub, method)(kind(uuid=uuid)))
    assert (found.code, found.message) == (StatusCode.NOT_FOUND, "there is no such target")


async def test_a_real_cluster_says_its_version(
    targets: Targets, target_cluster: ControlPlane
) -> None:
    text = target_cluster.admin_kubeconfig.read_text()
    body = {"clusterName": "with a version", "secretType": "kubeconfig", "kubeconfig": text}
    uuid = await targets.create(body)
    try:
        shown = await targets.when_ready(uuid)
        told = await target_cluster.cluster.request("GET", "/version")
        assert shown.server_version == told["gitVersion"]
        assert shown.provider == "krkn-operator"
        assert datetime.fromisoformat(shown.ready_since) <= datetime.fromisoformat(
            shown.last_checked
        )
    finally:
        await targets.delete(uuid)


@pytest.mark.parametrize(
    "version",
    [
        pytest.param(answer(401), id="refused"),
        pytest.param(answer(404), id="absent"),
        pytest.param(answer(200, b"{"), id="no JSON"),
        pytest.param(answer(200, {"gitVersion": HIDDEN}), id="no version"),
        pytest.param(answer(302, b"", "Location: https://127.0.0.1:1/"), id="a redirect"),
        pytest.param(b"", id="silence"),
    ],
)
async def test_a_cluster_that_does_not_say_its_version_is_ready_all_the_same(
    targets: Targets, version: bytes
) -> None:
    cluster = AFake()
    cluster.version = version
    async with cluster.registered(targets) as uuid:
        shown = await targets.when_ready(uuid)
        assert (shown.server_version, shown.reason, shown.message) == ("", "", "")
        assert cluster.asked_for_version == 1
        assert HIDDEN not in str(shown)


async def test_a_version_is_asked_for_once_in_many_checks(targets: Targets) -> None:
    cluster = AFake()
    async with cluster.registered(targets) as uuid:
        before = await targets.when_ready(uuid)
        assert before.server_version == "v1.31.2"
        await asyncio.sleep(1.1)
        await targets.check(uuid)
        after = await eventually(
            lambda: targets.get(uuid), lambda found: found.last_checked > before.last_checked
        )
        assert (after.server_version, cluster.asked_for_version) == ("v1.31.2", 1)
        # Not of the cluster that it was before.
        cluster.version = answer(200, {"gitVersion": "v1.32.0"})
        await targets.patch(uuid, clusterName=f"renamed {uuid}")
        await targets.when_ready(uuid)
        assert (await targets.get(uuid)).server_version == "v1.32.0"


async def test_events_say_when_a_target_became_ready_or_not(
    replicas: Replicas, targets: Targets
) -> None:
    here = replicas.first
    path = f"/apis/events.k8s.io/v1/namespaces/{here.namespace}/events"
    cluster = AFake()

    async def said(about: str) -> list[dict[str, Any]]:
        listed = await here.cluster.request("GET", path)
        found = [each for each in listed["items"] if each["regarding"]["name"] == about]
        return sorted(found, key=lambda each: str(each["eventTime"]))

    def so_many(number: int) -> Callable[[list[dict[str, Any]]], bool]:
        return lambda events: len(events) == number

    async with cluster.registered(targets) as uuid:
        await targets.when_ready(uuid)
        await eventually(lambda: said(uuid), so_many(1))
        cluster.reply = answer(401)
        await targets.check(uuid)
        await targets.when(uuid, "Unauthorized")
        first, second = await eventually(lambda: said(uuid), so_many(2))
    shown = [(each["type"], each["action"], each["reason"]) for each in (first, second)]
    assert shown == [("Normal", "Ready", "Reachable"), ("Warning", "NotReady", "Unauthorized")]
    assert first["regarding"]["kind"] == "KrknOperatorTarget"
    assert first["reportingController"] == "krkn.krkn-chaos.dev/controller"
