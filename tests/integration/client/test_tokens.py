"""Who the caller is: tokens from files, functions and kubectl, replaced when they are refused."""

import asyncio
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.client import (
    BadToken,
    BearerToken,
    ChangeType,
    Denied,
    Krkn,
    Unauthenticated,
    tokens,
)
from tests.integration.targets.stage import own_namespace
from tests.support.accounts import make_account
from tests.support.custom_objects import TARGETS, collection
from tests.support.requests import canary, unused_name, unused_url
from tests.support.running import Running, Wanted, running
from tests.support.waiting import eventually

AUDIENCE = "krkn-grpc"
ABSENT = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Guarded:
    """A server that authenticates callers, and a caller with the right to read."""

    running: Running
    token: str

    def krkn(self, token: tokens.Token) -> Krkn:
        return Krkn(self.running.processes.grpc_address, token=token)


@pytest_asyncio.fixture(scope="module")
async def guarded(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Guarded]:
    environment = {
        "KRKN_AUTH": "kubernetes",
        "KRKN_AUTH_CACHE_SECONDS": "0.5",
        "KRKN_RECHECK_SECONDS": "0.5",
    }
    wanted = Wanted(controller=False, envoy=False, environment=environment)
    folder = tmp_path_factory.mktemp("guarded")
    async with (
        own_namespace(control_plane) as name,
        running(control_plane.cluster, name, folder, wanted) as started,
    ):
        yield await _guarded(started)


async def _guarded(running: Running) -> Guarded:
    await make_account(running.cluster, running.namespace, "caller", "krkn-viewer")
    token = await running.cluster.token(
        running.namespace, "caller", seconds=600, audiences=[AUDIENCE]
    )
    found = Guarded(running, token)

    async def is_known() -> bool:
        async with found.krkn(token) as krkn:
            try:
                return await krkn.targets.select() == []
            except Denied:
                return False

    await eventually(is_known)
    return found


async def test_a_token_comes_from_everywhere(
    guarded: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{guarded.token}\n")
    monkeypatch.setenv("OF_MINE", guarded.token)

    async def of_a_call() -> str:
        return guarded.token

    sources: list[tokens.Token] = [
        guarded.token,
        lambda: guarded.token,
        of_a_call,
        tokens.File(file),
        tokens.variable("OF_MINE"),
    ]
    for source in sources:
        async with guarded.krkn(source) as krkn:
            assert await krkn.targets.select() == []


async def test_what_is_refused_is_typed(guarded: Guarded) -> None:
    async with guarded.krkn("") as krkn:
        with pytest.raises(Unauthenticated, match="bearer token"):
            await krkn.targets.select()
        with pytest.raises(Unauthenticated):
            await anext(krkn.jobs.watch())
    async with guarded.krkn(guarded.token) as krkn:
        with pytest.raises(Denied) as denied:
            await krkn.targets.delete(ABSENT)
        assert denied.value.reason == "PERMISSION_DENIED"
    with pytest.raises(BadToken):
        guarded.krkn("no token")


async def test_a_refused_token_is_replaced_once(guarded: Guarded) -> None:
    """For calls and for streams; the source is asked for a fresh one, not a hundred times."""
    asked: list[bool] = []

    class Expiring:
        async def token(self, *, fresh: bool = False) -> str:
            asked.append(fresh)
            return guarded.token if fresh else f"old{len(asked)}"

    async with guarded.krkn(Expiring()) as krkn:
        assert await krkn.targets.select() == []
        assert asked == [False, True]
        watching = asyncio.ensure_future(anext(krkn.jobs.watch()))

        async def questions() -> int:
            return len(asked)

        await eventually(questions, lambda count: count >= 4)
        assert not (await asyncio.wait([watching], timeout=1))[0]
        assert asked == [False, True] * 2
        watching.cancel()


async def test_a_watch_outlives_its_token(guarded: Guarded) -> None:
    """The first token's account is deleted during the watch; the source has another one then."""
    cluster, namespace = guarded.running.cluster, guarded.running.namespace
    await make_account(cluster, namespace, "first", "krkn-viewer", "krkn-target-admin")
    first = await cluster.token(namespace, "first", seconds=600, audiences=[AUDIENCE])
    current, asked = [first], list[str]()

    def token() -> str:
        asked.append(current[0])
        return current[0]

    async with guarded.krkn(token) as krkn, asyncio.timeout(60):

        async def register() -> str:
            credential = BearerToken(unused_url(), canary())
            return (await krkn.targets.register(unused_name(), credential)).uuid

        async def may_register() -> str:
            try:
                return await register()
            except Denied:
                return ""

        await eventually(may_register)
        watch = krkn.targets.watch()
        assert (await anext(watch)).type is ChangeType.ADDED
        change = asyncio.ensure_future(anext(watch))
        current[0], before = guarded.token, len(asked)
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/first"
        await cluster.request("DELETE", path)
        async with guarded.krkn(first) as refused:

            async def is_refused() -> bool:
                try:
                    await refused.targets.select()
                except Unauthenticated:
                    return True
                return False

            await eventually(is_refused)

        async def resumptions() -> int:
            return len(asked) - before

        # The service ends the watch, which asks for a token to go on.
        await eventually(resumptions)
        target = await cluster.request("GET", collection(TARGETS, namespace))
        [uuid] = [each["metadata"]["name"] for each in target["items"]]
        path = f"{collection(TARGETS, namespace)}/{uuid}"
        await cluster.request("DELETE", path)
        assert (await change).type is ChangeType.DELETED


async def test_kubectl_makes_tokens(guarded: Guarded, tmp_path: Path) -> None:
    """One for many calls, until most of its life is over or the service refuses it."""
    made = tmp_path / "made"
    program = tmp_path / "kubectl"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {made}\n'
        f"if [ $(wc -l < {made}) = 1 ]; then echo gone; else echo {guarded.token}; fi\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    source = tokens.Kubectl("caller", namespace="n", duration_seconds=600, program=str(program))
    async with guarded.krkn(source) as krkn:
        await asyncio.gather(*(krkn.targets.select() for _ in range(5)))
        await krkn.targets.select()
    asked = made.read_text().splitlines()
    arguments = "create token --namespace=n --audience=krkn-grpc --duration=600s -- caller"
    assert asked == [arguments] * 2
    program.write_text("#!/bin/sh\necho 'error: no such account' >&2; exit 1\n")
    async with guarded.krkn(tokens.Kubectl("caller", program=str(program))) as krkn:
        with pytest.raises(BadToken, match="no such account"):
            await krkn.targets.select()
