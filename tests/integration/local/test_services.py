"""The product's processes as the local tools start them: with their own accounts, and mortal."""

from pathlib import Path

import aiohttp
import yaml

from deploy.local.cluster.api import ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.services import ACCOUNTS, CONTROLLER, SERVER
from deploy.local.tokens import renew_as_administrator
from tests.support.accounts import RBAC, make_account
from tests.support.plugin import Plugin
from tests.support.running import Running
from tests.support.waiting import eventually


def token(kubeconfig: Path) -> str:
    text: str = yaml.safe_load(kubeconfig.read_text())["users"][0]["user"]["token"]
    return text


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


async def account_of(running: Running, kubeconfig: Path) -> str:
    answer = await running.cluster.request(
        "POST",
        "/apis/authentication.k8s.io/v1/tokenreviews",
        {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token(kubeconfig)},
        },
    )
    name: str = answer["status"]["user"]["username"]
    return name


async def is_healthy(running: Running) -> bool:
    try:
        async with running.rest.get("/api/v1/health") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def test_each_process_has_its_own_account(services: Running) -> None:
    for process in (SERVER, CONTROLLER):
        environment = services.processes.child(process).program.environment
        user = await account_of(services, Path(environment["KRKN_KUBECONFIG"]))
        assert user == f"system:serviceaccount:{services.namespace}:{ACCOUNTS[process]}"


async def test_new_tokens_replace_the_old_ones_while_all_goes_on(services: Running) -> None:
    server = services.processes.child("server")
    kubeconfig = Path(server.program.environment["KRKN_KUBECONFIG"])
    before, pid = token(kubeconfig), server.pid
    await services.processes.refresh_tokens()
    assert token(kubeconfig) != before
    assert mode(kubeconfig) == 0o600
    assert await is_healthy(services)
    assert server.pid == pid


async def test_new_tokens_come_from_an_administrator_whose_own_token_changes(
    services: Running, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """As with EKS, whose plugin gives tokens that are over before ours are half so old."""
    child = services.processes.child("server")
    kubeconfig = Path(child.program.environment["KRKN_KUBECONFIG"])
    before = token(kubeconfig)
    plugin = Plugin(control_plane, tmp_path)

    async def refusal() -> int | None:
        try:
            await renew_as_administrator(services.processes, plugin.kubeconfig, tmp_path)
        except ClusterError as error:
            return error.status
        return None

    plugin.gives("one-that-is-over")
    assert await refusal() == 401
    assert token(kubeconfig) == before

    plugin.gives(await token_of_an_administrator(services))
    # RBAC learns of a new binding a moment after it is written.
    await eventually(refusal, lambda status: status is None)
    assert token(kubeconfig) != before


async def token_of_an_administrator(running: Running) -> str:
    """A token of an account that may make tokens of the others."""
    name = "administrator"
    rule = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}
    role = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": name, "namespace": running.namespace},
        "rules": [rule],
    }
    await running.cluster.apply([role])
    await make_account(running.cluster, running.namespace, name, name)
    return await running.cluster.token(running.namespace, name, seconds=600)


async def test_a_killed_process_can_be_started_again(services: Running) -> None:
    await services.processes.kill("server")
    assert not await is_healthy(services)
    await services.processes.restart("server")
    assert await is_healthy(services)


async def test_a_paused_process_goes_on(services: Running) -> None:
    services.processes.pause("envoy")
    services.processes.resume("envoy")
    await eventually(lambda: is_healthy(services))
