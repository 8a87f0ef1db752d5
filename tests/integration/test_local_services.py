"""The product's processes as the local tools start them: with their own accounts, and mortal."""

from pathlib import Path

import aiohttp
import yaml

from deploy.local.services import ACCOUNTS
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
    for process, account in ACCOUNTS.items():
        environment = services.processes.child(process).program.environment
        user = await account_of(services, Path(environment["KRKN_KUBECONFIG"]))
        assert user == f"system:serviceaccount:{services.namespace}:{account}"


async def test_new_tokens_replace_the_old_ones_while_all_goes_on(services: Running) -> None:
    server = services.processes.child("server")
    kubeconfig = Path(server.program.environment["KRKN_KUBECONFIG"])
    before, pid = token(kubeconfig), server.pid
    await services.processes.refresh_tokens()
    assert token(kubeconfig) != before
    assert mode(kubeconfig) == 0o600
    assert await is_healthy(services)
    assert server.pid == pid


async def test_a_killed_process_can_be_started_again(services: Running) -> None:
    await services.processes.kill("server")
    assert not await is_healthy(services)
    await services.processes.restart("server")
    assert await is_healthy(services)


async def test_a_paused_process_goes_on(services: Running) -> None:
    services.processes.pause("envoy")
    services.processes.resume("envoy")
    await eventually(lambda: is_healthy(services))
