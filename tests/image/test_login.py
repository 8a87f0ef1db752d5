"""Each way of logging in to our own cluster works in the image.

The image has not all of the `kubernetes` package; what a log-in needs of it is there.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from deploy.local.cluster import kubeconfig
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.processes.children import Child
from tests.image.container import ACCOUNT, DATA, TEMPORARY, Root
from tests.support.accounts import make_account

pytestmark = pytest.mark.timeout(600)  # the first of them builds the image

USER = "someone"
REVIEW = """
import asyncio, json, sys
from pathlib import Path
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.session import Session

async def name():
    path = Path(sys.argv[1]) if sys.argv[1:] else None
    async with Session(await ClusterAccess.load(path)) as session:
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        url = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        answer = await session.call("POST", url, body=json.dumps(review).encode())
        return json.loads(answer)["status"]["userInfo"]["username"]

print("name:", asyncio.run(name()))
"""
PLUGIN = "import pathlib; print(pathlib.Path('/mnt/answer.json').read_text())"
VERSION = "client.authentication.k8s.io/v1"


@pytest_asyncio.fixture
async def token(control_plane: ControlPlane, namespace: str) -> str:
    await make_account(control_plane.cluster, namespace, USER)
    return await control_plane.cluster.token(namespace, USER, seconds=600)


def with_token(folder: Path, token: str) -> dict[str, object]:
    return {"token": token}


def with_token_file(folder: Path, token: str) -> dict[str, object]:
    (folder / "token").write_text(token)
    return {"tokenFile": f"{DATA}/token"}


def with_plugin(folder: Path, token: str) -> dict[str, object]:
    answer = {"apiVersion": VERSION, "kind": "ExecCredential", "status": {"token": token}}
    (folder / "answer.json").write_text(json.dumps(answer))
    return {"exec": {"apiVersion": VERSION, "command": "python", "args": ["-c", PLUGIN]}}


def with_oidc(folder: Path, token: str) -> dict[str, object]:
    return {"auth-provider": {"name": "oidc", "config": {"id-token": token}}}


@pytest.mark.parametrize("user", [with_token, with_token_file, with_plugin, with_oidc])
async def test_a_kubeconfig_with(
    user: Callable[[Path, str], dict[str, object]],
    root: Root,
    mounted: Path,
    control_plane: ControlPlane,
    namespace: str,
    token: str,
) -> None:
    written(mounted, control_plane, user(mounted, token))
    name = await logged_in(root, mounted, f"{DATA}/kubeconfig")
    assert name == f"system:serviceaccount:{namespace}:{USER}"


@pytest.mark.parametrize("as_files", [False, True], ids=["data", "files"])
async def test_a_kubeconfig_with_a_client_certificate(
    as_files: bool, root: Root, mounted: Path, control_plane: ControlPlane
) -> None:
    pair = control_plane.authority.client("somebody", "some-group")
    user: dict[str, object] = {**kubeconfig.certificate_user(pair.certificate, pair.key)}
    if as_files:
        for name, path in (("tls.crt", pair.certificate), ("tls.key", pair.key)):
            (mounted / name).write_bytes(path.read_bytes())
        user = {"client-certificate": f"{DATA}/tls.crt", "client-key": f"{DATA}/tls.key"}
    written(mounted, control_plane, user)
    assert await logged_in(root, mounted, f"{DATA}/kubeconfig") == "somebody"


async def test_the_pods_own_account(
    root: Root, mounted: Path, control_plane: ControlPlane, namespace: str, token: str
) -> None:
    (mounted / "token").write_text(token)
    (mounted / "ca.crt").write_text(control_plane.ca_pem)
    url = urlsplit(control_plane.url)
    told = {
        "KUBERNETES_SERVICE_HOST": str(url.hostname),
        "KUBERNETES_SERVICE_PORT": str(url.port),
    }
    name = await asked(root, mounted, {ACCOUNT: mounted}, told)
    assert name == f"system:serviceaccount:{namespace}:{USER}"


def written(folder: Path, control_plane: ControlPlane, user: dict[str, object]) -> None:
    kubeconfig.write(
        folder / "kubeconfig", url=control_plane.url, ca_pem=control_plane.ca_pem, user=user
    )


def own(folder: Path) -> None:
    for path in folder.iterdir():
        os.chown(path, 1001, 1001)


async def logged_in(root: Root, mounted: Path, path: str) -> str:
    # The `kubernetes` package writes certificates that are in a kubeconfig into temporary files.
    return await asked(root, mounted, {DATA: mounted, TEMPORARY: mounted}, {}, path)


async def asked(
    root: Root, mounted: Path, mounts: dict[str, Path], told: dict[str, str], *arguments: str
) -> str:
    """The name that the API server has for a process of the image."""
    own(mounted)
    program = root.program("asks", ["python", "-c", REVIEW, *arguments], told, mounts)
    child = Child(program, mounted.parent / "asks.log")
    child.start()
    assert await child.wait() == 0, child.log_tail()
    return child.log_tail(1).removeprefix("name: ")
