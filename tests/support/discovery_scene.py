"""A namespace in which targets are discovered: a controller, and another provider beside it."""

import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.local.cluster.api import ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.jobs.conftest import a_namespace
from tests.support.controllers import Controller, controller
from tests.support.custom_objects import PROVIDERS, REQUESTS, TARGETS, collection
from tests.support.discovery import OURS, Discovery
from tests.support.other_provider_types import NAME
from tests.support.other_providers import OtherProviderProcess, other_provider, provider_object

PATIENT = {
    "lease_seconds": 1,
    "heartbeat_seconds": 600,  # a heartbeat wakes all that waits
    "target_sweep_seconds": 1,
    "discovery_deadline_seconds": 50,
    "discovery_ttl_seconds": 3600,
    "provider_lost_seconds": 90,
}
"""Times that no test waits for: those that a test is about are given by it."""


@dataclass(frozen=True)
class Scene:
    """The namespace, and processes that run until the end of the test."""

    discovery: Discovery
    stack: contextlib.AsyncExitStack
    shared: Controller | None = None
    """The controller that runs here for many tests, if there is one."""

    async def controller(
        self, url: str = "", *, standby: bool = False, **settings: Any
    ) -> Controller:
        """Start a controller that leads and whose provider is registered, or one that waits."""
        process = await self.stack.enter_async_context(
            controller(
                self.discovery.cluster,
                self.discovery.namespace,
                self.discovery.folder,
                PATIENT | settings,
                url=url,
            )
        )
        await process.start()
        if not standby:
            await process.logged("leading")
            await self.discovery.registered()
        return process

    async def provider(self, name: str, *, active: bool, beat: datetime | None) -> None:
        """Write a provider by hand, with this heartbeat: one that is active has crashed."""
        cluster, path = self.discovery.cluster, collection(PROVIDERS, self.discovery.namespace)
        made = await cluster.request("POST", path, provider_object(name, active=active))
        if beat is not None:
            made["status"] = {"timestamp": beat.strftime("%Y-%m-%dT%H:%M:%SZ")}
            await cluster.request("PUT", f"{path}/{name}/status", made)

    async def crashed(self, name: str = NAME) -> str:
        """Write a provider that has crashed a moment ago, without a word; return its name."""
        await self.provider(name, active=True, beat=datetime.now(UTC))
        return name

    async def other(
        self, name: str = NAME, *, start: bool = True, **told: Any
    ) -> OtherProviderProcess:
        """Start another provider, or only prepare it."""
        process = await self.stack.enter_async_context(
            other_provider(
                self.discovery.cluster,
                self.discovery.namespace,
                self.discovery.folder,
                name,
                **told,
            )
        )
        if start:
            await process.start()
        return process


@contextlib.asynccontextmanager
async def a_scene(control_plane: ControlPlane, folder: Path) -> AsyncIterator[Scene]:
    """Make a namespace with no process in it."""
    own = folder / f"scene-{uuid.uuid4().hex[:6]}"
    own.mkdir()
    async with a_namespace(control_plane) as jobs, contextlib.AsyncExitStack() as stack:
        yield Scene(Discovery(jobs, own), stack)


@contextlib.asynccontextmanager
async def lent(scene: Scene) -> AsyncIterator[Scene]:
    """Give the scene to one test of many; afterwards it is as before, whatever the test did."""
    discovery = scene.discovery
    async with contextlib.AsyncExitStack() as stack:
        yield Scene(discovery, stack, scene.shared)
    if scene.shared is not None and not scene.shared.child.is_running:
        await scene.shared.start()
    for plural in (PROVIDERS, REQUESTS, TARGETS):
        path = collection(plural, discovery.namespace)
        for item in (await discovery.cluster.request("GET", path))["items"]:
            name = item["metadata"]["name"]
            if name != OURS:
                with contextlib.suppress(ClusterError):
                    await discovery.cluster.request("DELETE", f"{path}/{name}")
    await discovery.set_active(OURS, True)
