"""The controller gets the other accounts of its pod their tokens, and keeps them fresh."""

import asyncio
import base64
import contextlib
import json
import ssl
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from controller.account_tokens import ACCOUNTS, TOKEN_SECONDS, AccountTokens
from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.cluster.credentials import Credentials
from deploy.local.processes.ports import LOOPBACK, free_port
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.session import Session
from tests.support.accounts import acting_as
from tests.support.controllers import ACCOUNT, controller
from tests.support.waiting import eventually


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """The volumes that the pod has for them."""
    for account in ACCOUNTS:
        (tmp_path / "accounts" / account).mkdir(parents=True)
    return tmp_path / "accounts"


@pytest_asyncio.fixture
async def tokens(
    control_plane: ControlPlane, namespace: str, tmp_path: Path, folders: Path
) -> AsyncIterator[AccountTokens]:
    """They, with the rights of the controller's account."""
    kubeconfig = tmp_path / "controller.kubeconfig"
    await control_plane.cluster.write_account_kubeconfig(kubeconfig, namespace, ACCOUNT)
    access = await ClusterAccess.load(kubeconfig)
    async with Session(access) as session:
        yield AccountTokens(session, namespace, folders, access.ca_pem)


async def user_of(control_plane: ControlPlane, folder: Path) -> str:
    """The user that a process with these files is to the API server."""
    ca_pem, token = ((folder / name).read_text() for name in ("ca.crt", "token"))
    headers = {"Authorization": f"Bearer {token}"}
    tls = ssl.create_default_context(cadata=ca_pem)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    async with Cluster(Credentials(control_plane.url, ca_pem, tls, headers)) as asked:
        answer = await asked.request(
            "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review
        )
    name: str = answer["status"]["userInfo"]["username"]
    return name


def claims(token: str) -> dict[str, Any]:
    """What a token says of itself."""
    part = token.split(".")[1]
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return told


async def test_each_folder_has_what_a_process_in_a_pod_looks_for(
    control_plane: ControlPlane, namespace: str, tokens: AccountTokens, folders: Path
) -> None:
    await tokens.first()
    for account in ACCOUNTS:
        folder = folders / account
        assert {path.name for path in folder.iterdir()} == {"token", "ca.crt", "namespace"}
        assert (folder / "namespace").read_text() == namespace
        assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o600
        expected = f"system:serviceaccount:{namespace}:{account}"
        assert await user_of(control_plane, folder) == expected
        told = claims((folder / "token").read_text())
        assert told["exp"] - told["iat"] == TOKEN_SECONDS


async def test_they_are_renewed_at_half_of_their_lifetime(
    tokens: AccountTokens, folders: Path
) -> None:
    now = time.time()
    tokens.clock, tokens.look_seconds = (lambda: now), 0.05
    await tokens.first()
    token = folders / ACCOUNTS[0] / "token"
    first = token.read_text()

    async def current() -> str:
        return token.read_text()

    keeping = asyncio.create_task(tokens.keep_fresh())
    try:
        now += TOKEN_SECONDS / 2 - 60
        await asyncio.sleep(0.3)
        assert token.read_text() == first
        now += 120
        renewed = await eventually(current, lambda read: read != first)
        assert claims(renewed)["jti"] != claims(first)["jti"]
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


async def test_the_controller_is_healthy_once_they_are_there(
    control_plane: ControlPlane, namespace: str, tmp_path: Path, folders: Path
) -> None:
    port = free_port()
    settings = {"account_tokens_directory": folders, "health_port": port}
    url = f"http://{LOOPBACK}:{port}/healthz"

    async def is_healthy() -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    missing = folders / ACCOUNTS[1]
    missing.rmdir()
    async with controller(control_plane.cluster, namespace, tmp_path, settings) as process:
        process.start_soon()
        await process.logged("tokens not renewed")
        assert not await is_healthy()
        missing.mkdir()
        await eventually(is_healthy)
        assert all((folders / account / "token").exists() for account in ACCOUNTS)
        assert not any("eyJ" in str(line) for line in process.events())


async def test_the_controller_gets_no_other_accounts_token(
    control_plane: ControlPlane, namespace: str
) -> None:
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default/token"
    async with acting_as(control_plane, namespace, ACCOUNT) as cluster:
        with pytest.raises(ClusterError) as refused:
            await cluster.request("POST", path, request)
    assert refused.value.status == 403
