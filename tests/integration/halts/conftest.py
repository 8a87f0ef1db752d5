"""Two servers, a controller and Envoy, in a namespace of which everything may be halted."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import halts_pb2 as pb
from krkn_grpc.v1.halts_pb2_grpc import HaltServiceStub
from tests.integration.runs.conftest import Site, a_site
from tests.support.custom_objects import HALTS, collection
from tests.support.jobs import Jobs
from tests.support.rest import Rest
from tests.support.running import Wanted
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Halting:
    """The site, and halts by gRPC, REST and kubectl."""

    site: Site

    @property
    def jobs(self) -> Jobs:
        """The administrator's hand on the jobs."""
        return Jobs(self.site.control_plane, self.site.namespace)

    @property
    def rest(self) -> Rest:
        """REST by the Envoy of the first server."""
        return Rest(self.site.servers[0].rest)

    def stub(self, server: int = 0) -> Any:
        """HaltService of a server."""
        return HaltServiceStub(self.site.servers[server].channel)

    async def create(self, reason: str = "an incident", selector: str = "") -> pb.Halt:
        """Halt by gRPC."""
        request = pb.CreateHaltRequest(reason=reason, target_selector=selector)
        made: pb.Halt = await self.stub().CreateHalt(request)
        return made

    async def delete(self, name: str) -> None:
        """Lift by gRPC."""
        await self.stub().DeleteHalt(pb.DeleteHaltRequest(name=name))

    async def names(self, server: int = 0) -> list[str]:
        """Return the names of all halts, as a server lists them."""
        listed = await self.stub(server).ListHalts(pb.ListHaltsRequest())
        return [halt.name for halt in listed.halts]

    async def clear(self) -> None:
        """Delete all halts, and wait until all servers know."""
        await self.site.cluster.request("DELETE", collection(HALTS, self.site.namespace))
        for server in range(len(self.site.servers)):
            await eventually(partial(self.names, server), lambda found: not found)


@pytest_asyncio.fixture(scope="session")
async def halting_site(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """The processes, for all tests of this folder."""
    both = Wanted(), Wanted(controller=False, envoy=False)
    async with a_site(control_plane, tmp_path_factory.mktemp("halting"), *both) as site:
        yield site


@pytest_asyncio.fixture
async def halting(halting_site: Site) -> AsyncIterator[Halting]:
    """The site without a halt, before and after the test."""
    halting = Halting(halting_site)
    await halting.clear()
    yield halting
    await halting.clear()
