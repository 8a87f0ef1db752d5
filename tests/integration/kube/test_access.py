"""Our own credential stays fresh, however the kubeconfig says where it comes from."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster import kubeconfig
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.session import Session
from tests.support.accounts import make_account
from tests.support.plugin import Plugin
from tests.support.waiting import eventually

OVER = "a-token-that-is-over"


@pytest.fixture
def plugin(control_plane: ControlPlane, tmp_path: Path) -> Plugin:
    return Plugin(control_plane, tmp_path)


@pytest_asyncio.fixture
async def tokens(control_plane: ControlPlane, namespace: str) -> dict[str, str]:
    """Tokens of two accounts, so that a test sees which one was used."""
    made = {}
    for name in ("old", "new"):
        await make_account(control_plane.cluster, namespace, name)
        made[name] = await control_plane.cluster.token(namespace, name, seconds=600)
    return made


async def who(session: Session) -> str:
    """The account that the API server takes us for."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    answer = json.loads(await session.call("POST", path, body=json.dumps(review).encode()))
    name: str = answer["status"]["userInfo"]["username"]
    return name.rpartition(":")[2]


def after(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def opened(kubeconfig: Path) -> Session:
    return Session(await ClusterAccess.load(kubeconfig, recheck_seconds=0))


async def test_a_plugin_is_asked_again_before_its_token_is_over(
    plugin: Plugin, tokens: dict[str, str]
) -> None:
    plugin.gives(tokens["old"], until=after(30))
    async with await opened(plugin.kubeconfig) as session:
        assert await who(session) == "old"
        plugin.gives(tokens["new"], until=after(600))
        await eventually(lambda: who(session), lambda name: name == "new")


async def test_a_plugin_is_not_asked_while_its_token_holds(
    plugin: Plugin, tokens: dict[str, str]
) -> None:
    plugin.gives(tokens["old"], until=after(600))
    async with await opened(plugin.kubeconfig) as session:
        assert {await who(session) for _ in range(10)} == {"old"}
    assert plugin.calls == 1


async def test_while_a_plugin_fails_its_last_token_is_used(
    plugin: Plugin, tokens: dict[str, str]
) -> None:
    plugin.gives(tokens["old"], until=after(30))
    async with await opened(plugin.kubeconfig) as session:
        plugin.fails()

        async def name_and_calls() -> tuple[str, int]:
            return await who(session), plugin.calls

        seen = await eventually(name_and_calls, lambda seen: seen[1] >= 3)
        assert seen[0] == "old"
        plugin.gives(tokens["new"], until=after(600))
        await eventually(lambda: who(session), lambda name: name == "new")


@pytest.mark.parametrize("until", [None, after(-60)], ids=["nobody said until when", "it was said"])
async def test_no_call_fails_because_a_token_is_over(
    plugin: Plugin, tokens: dict[str, str], until: datetime | None
) -> None:
    plugin.gives(OVER, until=until)
    async with await opened(plugin.kubeconfig) as session:
        plugin.gives(tokens["new"])
        names = await asyncio.gather(*(who(session) for _ in range(20)))
    assert set(names) == {"new"}
    assert plugin.calls == 2


async def test_a_token_file_is_read_again_when_its_token_is_refused(
    control_plane: ControlPlane, tokens: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(OVER)
    path = kubeconfig.write(
        tmp_path / "file.kubeconfig",
        url=control_plane.url,
        ca_pem=control_plane.ca_pem,
        user={"tokenFile": str(file)},
    )
    async with await opened(path) as session:
        file.write_text(tokens["new"])
        assert await who(session) == "new"


async def test_a_kubeconfig_that_is_replaced_is_read_again(
    control_plane: ControlPlane, tokens: dict[str, str], tmp_path: Path
) -> None:
    def write(token: str) -> Path:
        return kubeconfig.write(
            tmp_path / "kubeconfig",
            url=control_plane.url,
            ca_pem=control_plane.ca_pem,
            user={"token": token},
        )

    async with await opened(write(tokens["old"])) as session:
        assert await who(session) == "old"
        write(tokens["new"])
        await eventually(lambda: who(session), lambda name: name == "new")
