"""A server whose way to the API server a test holds in its hand, beside one that is well."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.targets.watching import Watched
from tests.support.api_proxy import ApiProxy
from tests.support.running import Running, make_namespace, remove_namespace
from tests.support.target_client import Targets

BRISK = {
    "KRKN_WRITE_SECONDS": "3.5",
    "KRKN_ABANDONED_SECONDS": "4",
    "KRKN_TARGET_SWEEP_SECONDS": "0.3",
}
# Longer than the controller thinks that a server writes: it is killed, or it is late.
SLOW = {"KRKN_WRITE_SECONDS": "30"}
# A server that writes for so short a time is not asked for more at once.
FEW = 4


@dataclass(frozen=True)
class Stage:
    """A server behind a proxy that is to suffer, and another one with the controller."""

    proxy: ApiProxy
    victim: Running
    other: Running
    watched: Watched

    @property
    def healthy(self) -> Targets:
        """TargetService of the other server."""
        return Targets(self.other.channel)

    @property
    def doomed(self) -> Targets:
        """TargetService of the server that is to suffer."""
        return Targets(self.victim.channel)

    async def register(self, bodies: Sequence[dict[str, Any]]) -> list[str]:
        """Register targets by the healthy server, FEW at a time, and return their UUIDs."""
        uuids: list[str] = []
        for first in range(0, len(bodies), FEW):
            uuids += await asyncio.gather(*map(self.healthy.create, bodies[first : first + FEW]))
        return uuids


@contextlib.asynccontextmanager
async def own_namespace(control_plane: ControlPlane) -> AsyncIterator[str]:
    """Make a namespace with our accounts and roles, for more than one test."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(control_plane.cluster, name)
    try:
        yield name
    finally:
        await remove_namespace(control_plane.cluster, name)
