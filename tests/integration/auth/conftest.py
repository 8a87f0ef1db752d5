"""The server and Envoy with authentication, and people who call them."""

import asyncio
import contextlib
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.resources import mounts
from tests.integration.auth.callers import Callers, make_callers
from tests.support.api_proxy import ApiProxy, Call, open_gate
from tests.support.running import Running, Wanted, make_namespace, remove_namespace, running

REMEMBER_SECONDS = RECHECK_SECONDS = 0.5
SETTINGS = {
    "KRKN_AUTH": "kubernetes",
    "KRKN_AUTH_CACHE_SECONDS": str(REMEMBER_SECONDS),
    "KRKN_RECHECK_SECONDS": str(RECHECK_SECONDS),
    "KRKN_ALLOWED_IMAGES": "registry.example/krkn-hub",
    "KRKN_ALLOWED_MOUNT_PATHS": ",".join(mounts.DEFAULT),
}


@dataclass
class Guarded:
    """The running server, what stands between it and its API server, and who may call it."""

    running: Running
    proxy: ApiProxy
    callers: Callers

    @property
    def events(self) -> list[dict[str, Any]]:
        """What the server has logged."""
        return self.running.processes.events("server")

    @property
    def audit_lines(self) -> list[dict[str, Any]]:
        """What the server has written about calls that change something."""
        return [event for event in self.events if event["event"] == "audit"]

    @contextlib.contextmanager
    def watched(self) -> Iterator["Asked"]:
        """Note what the server asks its API server meanwhile."""
        asked = Asked()
        self.proxy.before = asked.note
        try:
            yield asked
        finally:
            self.proxy.before = open_gate


_OF_HEALTH = re.compile(r"/readyz|/api/v1/namespaces/[^/]+|.*/selfsubject[a-z]+reviews")


@dataclass
class Asked:
    """Calls of the server to its API server; it looks after its own health all the while."""

    calls: list[Call] = field(default_factory=list)
    of_health: list[Call] = field(default_factory=list)

    async def note(self, call: Call) -> None:
        (self.of_health if _OF_HEALTH.fullmatch(call.path) else self.calls).append(call)

    def reviews(self, kind: str) -> list[dict[str, Any]]:
        """The specs of the reviews of this kind: tokenreviews, subjectaccessreviews."""
        paths = [call for call in self.calls if call.path.endswith(f"/{kind}")]
        return [json.loads(call.body)["spec"] for call in paths]


@pytest_asyncio.fixture(scope="session")
async def guarded_services(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Guarded]:
    """Server and Envoy with authentication, behind a proxy to the API server; no controller."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    proxy = ApiProxy(control_plane.url, control_plane.ca_pem)
    async with contextlib.AsyncExitStack() as stack:
        await make_namespace(control_plane.cluster, name)
        stack.push_async_callback(remove_namespace, control_plane.cluster, name)
        await stack.enter_async_context(proxy.serving())
        wanted = Wanted(controller=False, environment=SETTINGS, kubeconfig_url=proxy.url)
        folder = tmp_path_factory.mktemp("guarded")
        started = await stack.enter_async_context(
            running(control_plane.cluster, name, folder, wanted)
        )
        callers = await make_callers(control_plane, name)
        yield Guarded(started, proxy, callers)


@pytest_asyncio.fixture
async def guarded(guarded_services: Guarded) -> AsyncIterator[Guarded]:
    """The guarded services, with nothing between them and the API server at the start."""
    guarded_services.proxy.before = guarded_services.proxy.after = open_gate
    yield guarded_services
    guarded_services.proxy.before = guarded_services.proxy.after = open_gate


def most_asked(began: float) -> float:
    """Return how often one thing may have been asked since then (monotonic seconds)."""
    return 1 + (time.monotonic() - began) / REMEMBER_SECONDS


async def forgotten() -> None:
    """Return when no answer that was given before is used any more."""
    await asyncio.sleep(REMEMBER_SECONDS)
