"""The controller is killed at each write of an adoption; a frozen leader wakes up late."""

import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.faults.conftest import ALL
from tests.faults.fault_kinds import killed
from tests.faults.proxy import Call, Fault, FaultProxy
from tests.integration.adoption.conftest import PROVIDERS, SETTINGS, Foreign, adopting_namespace
from tests.integration.adoption.other_provider import OtherProvider
from tests.integration.adoption.test_adopted import token_in
from tests.support.controllers import Controller, controller
from tests.support.custom_objects import Manifest
from tests.support.requests import unused_name
from tests.support.waiting import eventually

# Target, Secret, note in the target; and for a newer credential: Secret, note.
WRITES = (1, 2, 3, 4, 5)
SHORT = {"before": (3, 5), "after": (1, 4)}
_ADOPTS = re.compile(r"/(krknoperatortargets|secrets)(/[-0-9a-f]{36})?$")


@dataclass
class KillsAt:
    """Kills the controller at the k-th write of adoptions, once."""

    controller: Controller
    number: int
    after: bool
    writes: int = 0

    def rule(self, call: Call) -> Fault | None:
        """Return what happens to this call."""
        if call.method not in ("POST", "PATCH") or not _ADOPTS.search(call.path):
            return None
        self.writes += 1
        kill = self.controller.kill
        return killed(kill, after=self.after) if self.writes == self.number else None


@dataclass(frozen=True)
class Stage:
    """A controller behind a proxy."""

    namespace: str
    controller: Controller
    proxy: FaultProxy


@pytest_asyncio.fixture
async def stage(control_plane: ControlPlane, tmp_path: Path) -> AsyncIterator[Stage]:
    """A namespace that adopts, and its controller."""
    settings = {
        "adopt_providers": SETTINGS["KRKN_ADOPT_PROVIDERS"],
        "lease_seconds": 1,
        "target_sweep_seconds": 1,
        "abandoned_seconds": 2,
        "write_seconds": 1,
    }
    proxy = FaultProxy(control_plane.url, control_plane.ca_pem)
    async with (
        adopting_namespace(control_plane) as namespace,
        proxy.serving(),
        controller(control_plane.cluster, namespace, tmp_path, settings, url=proxy.url) as process,
    ):
        await process.start()
        yield Stage(namespace, process, proxy)


async def secrets_of(provider: OtherProvider, target: Manifest) -> list[str]:
    """Return the names of the Secrets of a target."""
    listed = await provider.cluster.request(
        "GET",
        f"/api/v1/namespaces/{provider.namespace}/secrets",
        labelSelector=f"krkn-target-uuid={target['metadata']['name']}",
    )
    return [each["metadata"]["name"] for each in listed["items"]]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_killed_at_each_write(
    control_plane: ControlPlane, stage: Stage, foreign: Foreign, when: str
) -> None:
    names = itertools.count()
    async with stage.controller.kept_alive():
        for number in WRITES if ALL else SHORT[when]:
            provider = OtherProvider(control_plane.cluster, stage.namespace, PROVIDERS[next(names)])
            await provider.register()
            kills = KillsAt(stage.controller, number, when == "after")
            stage.proxy.rule = kills.rule
            name, port = unused_name(), await foreign.port()
            await provider.answer({name: foreign.at(port, "not-valid-yet")})
            first = await provider.not_ready(name, "Unauthorized")
            await provider.answer({name: foreign.at(port)})
            target = await provider.ready(name)
            assert kills.writes >= number, "it was not killed"
            assert target["metadata"]["uid"] == first["metadata"]["uid"]
            assert target["spec"] == first["spec"]
            secret = await provider.secret_of(target)
            assert token_in(secret) == foreign.admin
            only = [secret["metadata"]["name"]]
            assert await eventually(lambda: secrets_of(provider, target)) == only  # noqa: B023
